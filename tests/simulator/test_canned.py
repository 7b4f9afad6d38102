"""Canned entries are what a filter lets through: readable, verbatim, distinct, and no more than asked for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.generation import Mode, Slot
from services.generate.extractive.passage import Passage
from services.generate.parsing import Unreadable, parse
from services.generate.prompts.files import NAMES
from services.generate.prompts.read import read_prompt
from tests.performance.prompts import prompt
from tests.simulator import canned

TEA = (Path(__file__).parents[1] / "data/documents/tea.txt").read_text("utf-8")


def passage(mode: Mode = "question and answer", text: str = TEA, slots: int = 5) -> Passage:
    return Passage(mode, "Tea", (), (), "", text, "", tuple(Slot() for _ in range(slots)))


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize("mode", sorted(NAMES))
def test_every_mode_gets_entries_of_its_schema(mode: Mode) -> None:
    made = canned.entries(passage(mode))
    parsed = parse(json.dumps({"entries": made}), mode, "stop")
    assert made
    assert not [item for item in parsed.items if isinstance(item, Unreadable)]


@pytest.mark.parametrize("slots", [1, 3, 5])
def test_the_plan_is_a_ceiling(slots: int) -> None:
    assert len(canned.entries(passage(slots=slots))) == slots


def test_evidence_is_verbatim_and_questions_differ() -> None:
    made = canned.entries(passage(slots=50))
    assert len(made) >= 10
    for entry in made:
        quotes = _list(entry["evidence"])
        assert quotes
        assert all(str(quote) in TEA for quote in quotes)
    assert len({entry["question"] for entry in made}) == len(made)


def test_what_is_to_be_avoided_is_avoided_and_the_focus_comes_first() -> None:
    first = canned.entries(passage(slots=6))
    quotes = [entry["evidence"] for entry in first]
    told = replace(
        passage(slots=1),
        avoid=(str(first[0]["question"]),),
        focus=tuple(str(quote) for found in (quotes[0], quotes[4]) for quote in _list(found)),
    )
    (entry,) = canned.entries(told)
    assert entry["question"] == first[4]["question"]


def test_a_passage_without_sentences_yields_nothing() -> None:
    assert canned.entries(passage(text="| a | b |\n|---|---|\n| 1 | 2 |\n")) == []


def test_the_prompts_of_measurements_are_read_as_prompts() -> None:
    system, user = prompt(7, slots=3)
    read = read_prompt(system, user)
    assert len(read.slots) == 3
    made = canned.entries(read)
    assert len(made) == 3
    assert "Station 7-0" in str(made[0]["answer"])
