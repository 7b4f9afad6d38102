"""Advice on cutting: what is measured decides, the reasons hold the figures, and what is advised can be sent back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.document import Heading, Structure
from services.gateway.advising import Advice, advise, examples_in, goals_of
from services.gateway.measuring import measure, pattern_of
from services.gateway.processing import ProcessBody, chunking_from

PROSE = (
    "The miller opens the sluice in the morning. Water runs onto the wheel, and the stones turn."
    " Grain falls from the hopper into the eye of the runner stone. Flour leaves at the rim. "
)


def structure(text: str) -> Structure:
    headings, at = [], 0
    for line in text.splitlines(keepends=True):
        if line.startswith("#"):
            headings.append(Heading(level=1, text=line, start=at, end=at + len(line)))
        at += len(line)
    return Structure(title="", language="en", headings=tuple(headings), pages=())


def advice(text: str, goal: str = "", *examples: str) -> list[Advice]:
    return advise(measure(text, structure(text)), goal, examples_in(text, examples))


SECTIONS = "".join(f"# Part {n}\n\n{PROSE * 3}\n\n" for n in range(8))
FAQ = "".join(f"Q: What of stone {n}?\nA: {PROSE}\n\n" for n in range(12))
LAW = "".join(f"Article {n}. The miller pays.\n{PROSE}\n\n" for n in range(1, 30))
PARTS = "\n-----\n".join(f"Record {chr(97 + n)}\n{PROSE}" for n in range(20))
LINE = PROSE * 40
BLOB = "x" * 50_000


@pytest.mark.parametrize(
    ("text", "strategy", "words"),
    [
        (SECTIONS, "markdown", "There are 8 headings; 100% of the text"),
        (FAQ, "schema", "12 lines begin with"),
        (LAW, "schema", "29 lines begin with 'Article #.'"),
        (PARTS, "delimiter", "'-----' stands 19 times"),
        ("\n".join(PROSE for _ in range(20)), "semantic", "0 headings say where"),
        (BLOB, "character", "neither sentences nor lines"),
    ],
)
def test_what_is_measured_decides_and_the_reasons_hold_the_figures(
    text: str, strategy: str, words: str
) -> None:
    best = advice(text)[0]
    assert best.strategy == strategy
    assert any(words in reason for reason in best.reasons), best.reasons


@pytest.mark.parametrize("text", [SECTIONS, FAQ, LAW, PARTS, LINE, BLOB, "One line.", " "])
@pytest.mark.parametrize("goal", ["", "retrieval of 300 tokens", "summaries"])
def test_what_is_advised_can_be_sent_back(text: str, goal: str) -> None:
    for each in advice(text, goal, PROSE):
        assert 0 <= each.score <= 0.98
        assert each.reasons
        body = {"project_id": 1, "document_ids": ["a"], "chunk_strategy": each.strategy}
        chunking = chunking_from(ProcessBody.model_validate(body | each.parameters))
        assert chunking is not None
        assert chunking.strategy == each.strategy


def test_a_goal_is_read_by_its_words() -> None:
    assert goals_of("Chunks for RAG, at most 256 tokens each") == ["retrieval", "tokens"]
    assert goals_of("fine-tuning question pairs") == ["pairs"]
    assert goals_of("make it nice, drag and drop") == []
    best = advice("\n".join(PROSE for _ in range(9)), "windows of 256 tokens")[0]
    assert (best.strategy, best.parameters["chunk_size"]) == ("token", 256)
    assert "The goal speaks of tokens." in best.reasons


def test_examples_set_the_size_and_what_a_chunk_begins_with() -> None:
    example = "Article 3. The  miller pays.\n" + PROSE
    found = examples_in(LAW, [example, LAW[LAW.index("Article 7.") :][:150], "not there"])
    assert (found.given, len(found.found), found.shape) == (3, 2, "Article #.")
    best, *others = advice(LAW, "", example, LAW[LAW.index("Article 7.") :][:150])
    assert best.strategy == "schema"
    assert "The examples begin with 'Article #.', as these lines do." in best.reasons
    assert {each.parameters.get("chunk_size") for each in others} != {2000}
    none = advice(LAW, "", "not there")[0]
    assert "No example stands in the text." in none.reasons


def test_a_pattern_stands_for_any_number() -> None:
    assert pattern_of("Article #.") == r"Article\ [0-9]+\."


@given(st.text(alphabet="aB.: #-\n|1é", max_size=300))
def test_any_text_can_be_measured_and_has_some_advice(text: str) -> None:
    measures = measure(text, structure(text))
    assert 0 <= measures.table <= 1
    assert 0 <= measures.under_headings <= 1
    assert {each.strategy for each in advice(text)} >= {"markdown", "token", "character"}
