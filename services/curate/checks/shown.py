"""What one entry shows of its dataset: all that the dataset's figures need of it, and none of its texts.

It falls off while an entry is judged, from what was measured for that; figures add it up when the entry is accepted.
"""

from dataclasses import dataclass
from uuid import UUID

from contracts.generation import Difficulty
from services.curate.checks.source import View, facts
from services.curate.sentences import Place
from services.curate.signature import Asked, packed_digest
from services.curate.words import words

_SECOND_SEED = 7
"""Other permutations than admission's, so that what its bands missed can show."""
_OPENING = 3
"""Words."""


@dataclass(frozen=True, slots=True)
class Shown:
    document_id: UUID
    start: int
    """Of the passage, in the whole text."""
    end: int
    covered: tuple[int, ...]
    """Where the sentences start that are its evidence."""
    quotes: int
    resolved: int
    """Quotes that stand where they say."""
    rank: int | None
    """Of its passage for its question."""
    opening: str | None
    digest: bytes
    """A second MinHash of what it asks."""
    answer_words: int | None
    quality: float
    kind: str
    category: str
    difficulty: Difficulty | None


def shown(
    view: View,
    asked: Asked,
    hits: frozenset[Place],
    quality: float,
    difficulty: Difficulty | None,
) -> Shown:
    """``asked`` is what the entry asks, ``hits`` the sentences that its evidence touches."""
    entry, source = view.entry, view.source
    # Without material that a task brings along, what is asked is the question and nothing else.
    opened = words(entry.question) if entry.input else asked.words
    return Shown(
        document_id=source.document_id,
        start=source.start,
        end=source.end,
        covered=tuple(sorted(start for start, _ in hits)),
        quotes=len(view.matches),
        resolved=sum(score > 0 for score in view.matches),
        rank=view.rank,
        opening=" ".join(opened[:_OPENING]) if entry.question else None,
        digest=packed_digest(asked, _SECOND_SEED),
        answer_words=facts(entry.answer, view.language).count if entry.answer else None,
        quality=quality,
        kind=entry.kind,
        category=source.heading_path[0] if source.heading_path else source.title,
        difficulty=difficulty,
    )
