"""The entrance: schema, ceiling, focus, what to avoid, any text at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.generation import Slot
from services.generate.extractive import respond as entrance
from services.generate.extractive.passage import Passage

MODES = (
    "question and answer",
    "default",
    "question",
    "answer",
    "instruction following",
    "summarization",
)
FIELDS = {
    "question and answer": [
        "evidence",
        "question",
        "answer",
        "short_answer",
        "kind",
        "difficulty",
        "answerable",
    ],
    "default": [
        "evidence",
        "question",
        "answer",
        "short_answer",
        "kind",
        "difficulty",
        "answerable",
    ],
    "question": ["evidence", "question", "kind", "difficulty"],
    "answer": ["evidence", "answer", "topic"],
    "instruction following": ["evidence", "instruction", "input", "output", "task", "difficulty"],
    "summarization": ["summary", "key_points"],
}
PIECES = (
    "The canal", "Panama Canal", "is a", "was built by", "George Orwell", "in 1914", ".", "\n", "\n\n", "# ", "- ",
    "1. ", "**", "|", "|---|---|", "?", " because ", "(IMO)", "International Maritime Organization", ", ", "gates",
    "consists of", "and ", "Lock", "33.5 m", "[a](b)", "`", "```", "“", '"', "’s", "It ", "Term: ", " – ", "<dt>",
    "</dt><dd>", "é", "中", "\u00ad", "\r\n",
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=texts, mode=st.sampled_from(MODES), n=st.integers(0, 5), title=st.text(max_size=20))
@example(text="", mode="question", n=1, title="")
@example(text="(((((((((((", mode="answer", n=3, title="—")
def test_any_text_gets_a_valid_answer(
    passage: Callable[..., Passage], text: str, mode: str, n: int, title: str
) -> None:
    asked = passage(text, mode=mode, n=n, title=title)
    said = entrance.respond(asked)
    assert said == entrance.respond(asked)
    answer = json.loads(said)
    assert len(answer["entries"]) <= n
    assert (answer["nothing_because"] is None) == bool(answer["entries"])
    for entry in answer["entries"]:
        assert list(entry) == FIELDS[mode]
        assert all(quote and quote in text for quote in entry.get("evidence", ()))


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_answers_reference_prose_in_its_own_schema(
    ask: Callable[..., dict[str, Any]], reference: str, mode: str
) -> None:
    entries = ask(reference + "\n" + PROSE, mode=mode, n=6)["entries"]
    assert entries
    assert all(list(entry) == FIELDS[mode] for entry in entries)


@pytest.mark.parametrize("n", [0, 1, 3, 30])
def test_the_slots_are_a_ceiling(
    ask: Callable[..., dict[str, Any]], reference: str, n: int
) -> None:
    assert len(ask(reference, n=n)["entries"]) <= n


def test_slots_that_ask_for_the_unanswerable_stay_empty(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    answer = ask(reference, slots=(Slot(answerable=False),) * 3)
    assert answer["entries"] == []
    assert answer["nothing_because"]


def test_a_slot_of_a_kind_is_served_by_that_kind(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    (entry,) = ask(reference, slots=(Slot(kind="explanation"),))["entries"]
    assert entry["kind"] == "explanation"


def test_a_harder_slot_gets_the_sentence_that_goes_on(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    slots = (Slot(kind="definition", difficulty="intermediate"),)
    (entry,) = ask(reference, slots=slots)["entries"]
    assert len(entry["evidence"]) == 2
    assert "It cuts across the Isthmus of Panama" in entry["answer"]


def test_questions_asked_before_are_not_asked_again(
    pairs: Callable[..., dict[str, str]], reference: str
) -> None:
    known = tuple(pairs(reference))
    assert not set(pairs(reference, avoid=known)) & set(known)


def test_only_sentences_in_focus_are_asked_about_where_they_yield(
    pairs: Callable[..., dict[str, str]], reference: str
) -> None:
    focus = ("The Hay–Bunau-Varilla Treaty was signed in 1903.",)
    assert list(pairs(reference, focus=focus)) == ["When was the Hay–Bunau-Varilla Treaty signed?"]


def test_a_focus_whose_line_breaks_differ_is_found_too(
    pairs: Callable[..., dict[str, str]], reference: str
) -> None:
    focus = ("The Torrijos–Carter Treaties were signed in 1977.",)
    assert list(pairs(reference, focus=focus)) == ["When were the Torrijos–Carter Treaties signed?"]


def test_at_most_a_quarter_comes_from_tables(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    entries = ask(reference, n=8)["entries"]
    assert sum("|" in entry["evidence"][-1] for entry in entries) <= 2


def test_reference_prose_is_asked_about_well(
    pairs: Callable[..., dict[str, str]], reference: str
) -> None:
    found = pairs(reference, n=40)
    assert len(found) >= 12
    assert found["What is the width of the Gatun lock?"] == "The width of the Gatun lock is 33.5 m."
    assert (
        found["When were the Torrijos–Carter Treaties signed?"]
        == "The Torrijos–Carter Treaties were signed in 1977."
    )
    assert found["How do you transit the Panama Canal?"].startswith("1. Book a transit slot")
    assert not any(
        set(question.lower().split()) & {"it", "they", "this", "below"} for question in found
    )


def test_another_language_is_declined_with_a_reason(ask: Callable[..., dict[str, Any]]) -> None:
    text = (
        "Der Panamakanal ist eine künstliche Wasserstraße, die den Atlantik mit dem Pazifik verbindet. "
        * 3
    )
    answer = ask(text)
    assert answer["entries"] == []
    assert "English" in answer["nothing_because"]


@pytest.mark.parametrize(
    ("language", "known"), [("en", True), (None, True), ("de", False), ("zh", False)]
)
def test_only_english_is_supported(language: str | None, known: bool) -> None:
    assert entrance.supports(language) is known


PROSE = """
The locks of the canal lift ships up to Gatun Lake, which lies 26 metres above sea level. The lake was made by
damming the Chagres River. Ships cross the lake under their own power. The lake also supplies the water that every
passage of a ship needs.

Rain feeds Gatun Lake for most of the year. The dry season lasts from January to April, and the level of Gatun Lake
falls. In dry years, the Panama Canal Authority limits the draught of ships. A limit on draught means that ships carry
fewer containers. Shipping lines then pay more for each container.

The third set of locks was opened in 2016. The new locks have water-saving basins beside each chamber. The basins
keep about sixty percent of the water of a passage. Engineers have proposed a further reservoir on the Indio River.
The reservoir on the Indio River would supply fifteen more passages a day.
"""
