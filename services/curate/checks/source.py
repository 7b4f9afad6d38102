"""What the checks look at: an entry's parts under one set of names, its source, and what was measured of both.

Holds no verdicts and no thresholds of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from contracts.entries import BodyEntry
from contracts.generation import GenerationSettings
from services.curate.numbers import Quantities, absent, may_state, quantities
from services.curate.words import count, stem_set, words


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry came from. ``text`` is the whole parsed text, the passage is ``text[start:end]``.

    ``language`` is the document's (ISO 639-1, None: unknown), ``model`` the one that wrote the entry, ``chunk`` the
    passage's place among the texts that the ranker was made from (None: not among them).
    """

    document_id: UUID
    title: str
    text: str
    start: int
    end: int
    heading_path: tuple[str, ...]
    language: str | None
    model: str
    chunk: int | None = None
    passage: str = field(init=False, repr=False, compare=False)
    """Cut once: a text remembers its hash, by which all that was read of it is found again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "passage", self.text[self.start : self.end])


class Quote(NamedTuple):
    """Evidence of an entry: what it quotes, and where in the whole text it stands (None: not verified)."""

    quote: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Parts:
    """An entry's texts by the part they play; "" where its type has no such part."""

    type: str
    question: str
    """What is asked: the question or the instruction."""
    answer: str
    """What is said: answer, output or summary."""
    points: tuple[str, ...]
    input: str
    evidence: tuple[Quote, ...]
    kind: str
    answerable: bool
    context: str | None
    short: str
    problem: str
    """Why an entry could not be read; "" for one that could."""

    @property
    def asks(self) -> bool:
        """Whether it holds a question proper, not an instruction."""
        return self.type in ("question and answer", "question")


def parts_of(entry: BodyEntry) -> Parts:
    """The parts of any type of content."""
    return parts_read(entry.content.model_dump())


def parts_read(content: Mapping[str, Any]) -> Parts:
    """The same of content as JSON has it, which ``contracts.entries.Content`` describes.

    Raises ``KeyError`` or ``TypeError`` where it is no such content.
    """
    kind = content["type"]
    question, answer, label = _SAID[kind]
    quotes = (
        (Quote(content["source"], content["start"], content["end"]),)
        if kind == "summarization"
        else tuple(
            [Quote(q["quote"], q.get("start"), q.get("end")) for q in content.get("evidence", ())]
        )
    )
    problem = (content["problem"] or "unreadable") if kind == "malformed" else ""
    return Parts(
        kind,
        content[question] if question else "",
        content[answer] if answer else "",
        tuple(content["key_points"]) if kind == "summarization" else (),
        content.get("input", ""),
        quotes,
        content[label] if label else _KIND[kind],
        content.get("answerable", True),
        content.get("context"),
        content.get("short_answer") or "",
        problem,
    )


_SAID: Mapping[str, tuple[str, str, str]] = {
    "question and answer": ("question", "answer", "kind"),
    "instruction following": ("instruction", "output", "task"),
    "question": ("question", "", "kind"),
    "answer": ("", "answer", ""),
    "summarization": ("", "summary", ""),
    "malformed": ("", "raw", ""),
}
"""By type: the fields of what is asked, of what is said, and of the kind."""
_KIND = {"answer": "statement", "summarization": "summary", "malformed": ""}
"""Of the types that have no field for it."""


@dataclass(frozen=True)
class Facts:
    """What a text says, ready for comparison; each fact is read when first asked for, since few are of most texts."""

    text: str
    language: str | None

    @cached_property
    def words(self) -> frozenset[str]:
        """Casefolded, function words included."""
        return frozenset(words(self.text))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of the words that are no function words."""
        return stem_set(self.words, self.language)

    @cached_property
    def count(self) -> int:
        """Words as a reader counts them."""
        return count(self.text)

    @cached_property
    def quantities(self) -> Quantities:
        """Numbers, dates and units."""
        return quantities(self.text, self.language)


@lru_cache(maxsize=256)
def facts(text: str, language: str | None) -> Facts:
    """Read a text once; the passages and answers read last are remembered, for one passage serves several entries."""
    return Facts(text, language)


def absent_from(said: Facts, nearest: Facts, *others: Facts) -> Iterator[str]:
    """Numbers, dates and units that a text says and none of the sources does; reads the sources only if it says any.

    What one source holds no further source takes away: the others are read only when the nearest does not hold all.
    """
    if not may_state(said.text, said.words, said.language):
        return
    stated = said.quantities
    if any(absent(stated, nearest.quantities)):
        yield from absent(stated, nearest.quantities, *(other.quantities for other in others))


@dataclass(frozen=True, slots=True)
class View:
    """One entry before its source, with what was measured before any check decides."""

    entry: Parts
    source: Source
    settings: GenerationSettings
    language: str | None
    """Asked for, else the source's."""
    passage: Facts
    around: Facts
    """Title and headings."""
    quoted: Facts
    """The evidence, all quotes together."""
    asked: Facts
    said: Facts
    """The answer with its key points."""
    answer_language: str | None = None
    """Where it is found to be another than asked."""
    question_language: str | None = None
    groundedness: float | None = None
    """Share of the answer's content words that the source holds; None: there is no answer to ground."""
    matches: tuple[float, ...] = ()
    """Fuzzy score (0 ... 100) of each quote with what stands at its offsets."""
    rank: int | None = None
    """Of the source chunk for the question; None: not measured."""
    chunks: int = 0
