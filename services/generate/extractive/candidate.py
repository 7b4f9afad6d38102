"""A candidate: one question with its answer and the raw spans that prove it. Data only."""

from dataclasses import dataclass, field

from contracts.generation import Difficulty, Kind

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Extension:
    """A longer answer that takes in the next sentence, and the spans that prove it."""

    answer: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """``spans`` are raw offsets; ``key`` tells what it asks about, so that one sentence is not asked twice the same way."""

    rule: str
    kind: Kind
    difficulty: Difficulty
    question: str
    answer: str
    spans: tuple[Span, ...]
    key: str
    weight: float
    subject: str = ""
    short: str | None = None
    extension: Extension | None = None
    material: dict[str, str] = field(default_factory=dict)
    """What other modes need: the list's heading, the steps, the table's row."""
