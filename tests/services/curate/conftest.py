"""Entries and sources for curate's tests: a short text on the Panama Canal, and entries quoted from it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from contracts.entries import Answer, BodyEntry, Evidence, Instruction, Question, QuestionAnswer
from contracts.generation import GenerationSettings, Kind, Task
from services.curate.checks import Judged, Source, judge
from services.curate.retrieval import Ranker

TEXT = """# Panama Canal

## History

The Panama Canal is an artificial waterway that connects the Atlantic Ocean with the Pacific Ocean.
It was opened on 15 August 1914 after ten years of work. John Frank Stevens rebuilt the railway, and George
Washington Goethals completed the canal. About 5,600 workers died during the American period.

Each lock chamber is 33.5 m wide and 305 m long. The lock gates are not opened before the water stands at the same
level on both sides. A section of the canal crosses Gatun Lake.
"""

Ask = Callable[..., BodyEntry]
Verdicts = Callable[..., list[str]]


def evidence(quotes: tuple[str, ...], text: str = TEXT) -> tuple[Evidence, ...]:
    found = []
    for quote in quotes:
        at = text.find(quote)
        place = {"start": at, "end": at + len(quote)} if at >= 0 else {}
        found.append(Evidence.model_validate({"quote": quote, **place}))
    return tuple(found)


def entry_id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, name)


@pytest.fixture
def source() -> Source:
    return Source(
        document_id=entry_id("document"),
        title="Panama Canal",
        text=TEXT,
        start=TEXT.index("The Panama Canal is"),
        end=len(TEXT),
        heading_path=("Panama Canal", "History"),
        language="en",
        model="openai/some",
    )


@pytest.fixture
def ask() -> Ask:
    """Make a question with its answer; the quotes are looked up in the text."""

    def make(
        question: str,
        answer: str = "The Panama Canal was opened on 15 August 1914.",
        *quotes: str,
        kind: Kind = "fact",
        answerable: bool = True,
        context: str | None = None,
    ) -> BodyEntry:
        content = QuestionAnswer(
            evidence=evidence(
                quotes or ("It was opened on 15 August 1914 after ten years of work.",)
            ),
            question=question,
            answer=answer,
            kind=kind,
            difficulty="hard",
            answerable=answerable,
            context=context,
        )
        return BodyEntry(entry_id=entry_id(question), content=content)

    return make


@pytest.fixture
def instruct() -> Ask:
    def make(
        instruction: str, output: str, *quotes: str, given: str = "", task: Task = "explain"
    ) -> BodyEntry:
        content = Instruction(
            evidence=evidence(quotes),
            instruction=instruction,
            input=given,
            output=output,
            task=task,
            difficulty="easy",
        )
        return BodyEntry(entry_id=entry_id(instruction + output), content=content)

    return make


@pytest.fixture
def question_only() -> Ask:
    def make(question: str, *quotes: str) -> BodyEntry:
        content = Question(
            evidence=evidence(quotes), question=question, kind="fact", difficulty="easy"
        )
        return BodyEntry(entry_id=entry_id(question), content=content)

    return make


@pytest.fixture
def statement() -> Ask:
    def make(answer: str, *quotes: str) -> BodyEntry:
        content = Answer(evidence=evidence(quotes), answer=answer, topic="Panama Canal")
        return BodyEntry(entry_id=entry_id(answer), content=content)

    return make


@pytest.fixture
def verdict(source: Source) -> Callable[..., Judged]:
    def make(
        entry: BodyEntry,
        settings: GenerationSettings | None = None,
        ranker: Ranker | None = None,
        **change: Any,
    ) -> Judged:
        return judge(
            entry, replace(source, **change), settings or GenerationSettings(mode="default"), ranker
        )

    return make


@pytest.fixture
def codes(verdict: Callable[..., Judged]) -> Verdicts:
    """The reasons for which an entry is rejected, in order."""

    def make(entry: BodyEntry, **change: Any) -> list[str]:
        return [found.reason for found in verdict(entry, **change).found]

    return make
