"""What the summary says, given what the gateway answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.answers import Calls, Dataset, Document, Entry
from services.cli.layout import prose
from services.cli.summary import Made, Saved, Unusable, because, little, place, summary

MakeMade = Callable[..., Made]
MakeDataset = Callable[..., Dataset]


def test_it_opens_with_what_was_made_by_whom_from_what(made: MakeMade) -> None:
    lines = summary(made()).plain.splitlines()
    assert lines[0] == "demo: 200 entries in 14.2 s"
    assert "builtin/extractive: rules, no language model" in lines[1]
    assert "2 documents, 3,600 words, 68 chunks" in lines[2]


def test_the_equations_stand_in_it_with_all_their_terms(made: MakeMade) -> None:
    page = summary(made()).plain
    assert " 64  seeds planned      = 60 done + 3 failed + 0 in flight + 1 not needed" in page
    assert "230  entries generated  = 200 accepted + 28 rejected + 2 surplus + 0 awaiting" in page
    assert "Failed seeds: 3 model_timeout" in page


def test_a_number_that_was_wanted_is_balanced_against_what_is_missing(
    made: MakeMade, dataset: MakeDataset
) -> None:
    short = dataset(wanted=250, ending="exhausted")
    page = summary(made(short, missing=50)).plain
    assert "250  entries wanted     = 200 accepted + 50 missing" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            (
                "Asked for all that the chunks yield, got 200, because every passage was asked once,"
                " and curation rejected 28 of 230 generated entries, and 3 seeds failed."
            ),
        ),
        (
            {"wanted": 200, "ending": "enough"},
            "Asked for 200, got 200, because that many were accepted.",
        ),
        (
            {"wanted": 5000, "ending": "exhausted", "counts": {"seeds": 4, "done": 4}},
            "Asked for 5,000, got 0, because asking the same passages again adds next to nothing.",
        ),
        (
            {"counts": {}},
            "Asked for all that the chunks yield, got 0, because no chunk could be asked about.",
        ),
        (
            {"ending": None, "counts": {"seeds": 1, "in_flight": 1}},
            "Asked for all that the chunks yield, got 0, because the job ended early.",
        ),
    ],
)
def test_it_says_how_many_were_asked_for_and_why_so_many_came(
    dataset: MakeDataset, changes: dict[str, Any], said: str
) -> None:
    assert because(dataset(**changes)) == said


def test_rejections_are_listed_by_reason_the_most_frequent_first(made: MakeMade) -> None:
    page = summary(made()).plain
    assert "Rejected, by reason (28; kept with their reasons)" in page
    assert page.index("20  duplicate  asks what another entry asks") < page.index(" 8  echo")


def test_coverage_counts_sentences_in_all_and_per_document(made: MakeMade) -> None:
    page = summary(made()).plain
    assert "312 of 340 content sentences used (92%)" in page
    assert "4 chunks skipped as boilerplate: 3 licence text, 1 table of contents." in page
    assert "canal.pdf  182 of 200 sentences  110 entries" in page
    assert "tea.txt    130 of 140 sentences   90 entries" in page


def test_files_that_gave_nothing_are_named_with_code_and_reason(made: MakeMade) -> None:
    unusable = [Unusable("old.doc", "legacy_format", "old.doc: save it as .docx.")]
    page = summary(made(unusable=[*unusable, Unusable("x.pdf", "corrupt_file", "It is damaged.")]))
    assert "Not used: 2 files" in page.plain
    assert "  old.doc: save it as .docx. [legacy_format]" in page.plain
    assert "  x.pdf: It is damaged. [corrupt_file]" in page.plain


def test_a_document_in_another_language_is_named_and_is_no_boilerplate(
    made: MakeMade, dataset: MakeDataset, document: Callable[..., Document]
) -> None:
    skipped = dataset(skipped={"language_not_supported": 4})
    german = document(UUID(int=3), "kanal.md", 400, language="de")
    page = summary(made(skipped, documents=[german])).plain
    assert "4 chunks skipped: not in English" in page
    assert "kanal.md is in German [language_not_supported]" in page
    assert "boilerplate" not in page


def test_enough_entries_need_no_excuse(made: MakeMade) -> None:
    assert little(made()) == ""


def test_little_yield_is_said_with_its_reason_and_a_way_out(
    made: MakeMade, dataset: MakeDataset, document: Callable[..., Document]
) -> None:
    figures = {
        **dataset().model_dump(mode="json")["figures"],
        "coverage": [
            {
                "document_id": str(UUID(int=1)),
                "name": "chat.md",
                "sentences": 300,
                "covered": 12,
                "accepted": 12,
            }
        ],
    }
    few = dataset(figures=figures, counts={"seeds": 9, "done": 9, "generated": 12, "accepted": 12})
    said = little(made(few, documents=[document(UUID(int=1), "chat.md", 4149)]))
    assert said.startswith(
        "The built-in model found 12 entries in 4,149 words; it only takes what it can prove"
    )
    assert "--model openai/" in said


def test_one_poor_document_among_rich_ones_is_named(
    made: MakeMade, document: Callable[..., Document]
) -> None:
    documents = [document(UUID(int=1), "tea.txt", 1200), document(UUID(int=2), "canal.pdf", 90_000)]
    said = little(made(documents=documents))
    assert "110 entries in 90,000 words of canal.pdf" in said
    assert "tea.txt" not in said


def test_another_model_is_not_excused_and_its_calls_are_counted(
    made: MakeMade, dataset: MakeDataset
) -> None:
    calls = Calls(made=120, failed=2, prompt_tokens=81_000, completion_tokens=12_400)
    other = made(dataset(model="openai/small", counts={"seeds": 1, "done": 1}), calls=calls)
    assert little(other) == ""
    page = summary(other).plain
    assert "120 calls (2 failed), 81,000 tokens in, 12,400 out" in page
    assert "rules, no language model" not in page


def test_samples_show_evidence_word_for_word_and_where_it_stands(
    made: MakeMade, entry: Callable[..., Entry]
) -> None:
    paged = entry(
        metadata={
            "model": "m",
            "prompt": {},
            "document": "canal.pdf",
            "page": 3,
            "heading_path": ["Locks"],
        }
    )
    page = summary(made(samples=[entry(), paged])).plain
    assert "Two entries, with the evidence word for word" in page
    assert "  1. What is tea?\n     Tea is a drink made from" in page
    assert "     evidence  “Tea is a drink.”\n" in page
    assert "     source    tea.txt, Tea > Leaves, characters 9-24" in page
    assert place(paged) == "canal.pdf, page 3, Locks, characters 9-24"


def test_an_erased_document_leaves_the_entry_readable(entry: Callable[..., Entry]) -> None:
    assert place(entry(document=None)).startswith("(erased document)")


def test_it_ends_with_files_and_commands_that_are_never_broken(made: MakeMade) -> None:
    command = "gristmill up --data " + "x" * 150
    page = summary(
        made(
            saved=[Saved(Path("out/demo.jsonl"), 200, 212_000)],
            following=[("open this very data again", command)],
        ),
        width=40,
    ).plain
    assert "  out/demo.jsonl  200 entries  212 KB" in page
    assert f"  # open this very data again\n  {command}" in page


@given(
    words=st.text(st.characters(categories=["L", "Zs"]), max_size=300), width=st.integers(40, 120)
)
def test_wrapped_prose_loses_no_word_and_keeps_its_margin(words: str, width: int) -> None:
    found = prose(words, width, first="  1. ", rest="     ").plain
    assert found.split() == ["1.", *words.split()]
    for line in found.splitlines():
        assert len(line) <= width or len(line.split()) <= 2
