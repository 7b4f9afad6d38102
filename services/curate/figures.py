"""Figures of a dataset, added up entry by entry without a model. Holds counts and hashes, never texts.

Coverage asks which content sentences of the planned passages are evidence of an accepted entry; retrieval is the
round trip from question to passage; the share of near duplicates is a second opinion, with other permutations than
admission used, so that what admission's bands missed can show.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log2
from uuid import UUID

from contracts.dataset import DatasetFigures, DocumentCoverage
from services.curate.bands import Near, band_keys
from services.curate.checks.shown import Shown
from services.curate.signature import digests

_NEAR = 0.8
_COMPARED = 50_000
"""Entries that the second opinion on near duplicates looks at; a share needs no more."""
_REACHED = 10
"""Ranks that count in the mean reciprocal rank."""


class _Marks:
    """A set of places in a text, one bit for each character up to the last: a long text has thousands of sentences."""

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, places: Iterable[int]) -> None:
        for place in places:
            at = place >> 3
            if at >= len(self._bits):
                self._bits.extend(bytes(at + 1 - len(self._bits)))
            self._bits[at] |= 1 << (place & 7)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()

    def shared(self, other: "_Marks") -> int:
        """How many places both hold."""
        own = int.from_bytes(self._bits, "little")
        return (own & int.from_bytes(other._bits, "little")).bit_count()  # noqa: SLF001 (its own class)


@dataclass(slots=True)
class _Document:
    name: str | None = None
    """Of the plan; None until it is said."""
    sentences: _Marks = field(default_factory=_Marks)
    """Where each content sentence starts; overlapping passages share theirs."""
    covered: _Marks = field(default_factory=_Marks)
    accepted: int = 0
    split: set[tuple[int, int]] = field(default_factory=set)
    """Passages whose sentences are counted."""
    chunks: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Accepted entries by passage."""


class Figures:
    """Add every accepted entry in the order of the log, name every planned passage with ``seed``, ask for ``result``.

    Sentences of a passage can be said at any time before (``split``). Going on after a result is going on.
    """

    def __init__(self) -> None:
        self._documents: dict[UUID, _Document] = {}
        self._planned: list[UUID] = []
        self._kinds: Counter[str] = Counter()
        self._difficulties: Counter[str] = Counter()
        self._categories: Counter[str] = Counter()
        self._openings: Counter[str] = Counter()
        self._lengths: Counter[int] = Counter()
        self._ranks: Counter[int] = Counter()
        self._near = Near()
        self._near_again = 0
        self._entries = 0
        self._quality = 0.0
        self._quotes = 0
        self._resolved = 0

    def has_split(self, document_id: UUID, start: int, end: int) -> bool:
        """Whether the sentences of a passage are counted already."""
        document = self._documents.get(document_id)
        return document is not None and (start, end) in document.split

    def split(self, document_id: UUID, start: int, end: int, sentences: Iterable[int]) -> None:
        """A planned passage with the places where its content sentences start; saying it again changes nothing."""
        document = self._documents.setdefault(document_id, _Document())
        if (start, end) not in document.split:
            document.split.add((start, end))
            document.sentences.add(sentences)

    def seed(self, document_id: UUID, name: str, start: int, end: int) -> None:
        """A passage of the plan; saying it again (in a later round) changes nothing."""
        document = self._documents.setdefault(document_id, _Document())
        if document.name is None:
            document.name = name
            self._planned.append(document_id)
        document.chunks.setdefault((start, end), 0)

    def add(self, entries: Sequence[Shown]) -> None:
        """Entries that were accepted, in the order of the log."""
        for entry in entries:
            self._add(entry)
        compared = entries[: max(0, _COMPARED - len(self._near))]
        if compared:
            read = digests([entry.digest for entry in compared])
            for digest, keys in zip(read, band_keys(read).tolist(), strict=True):
                self._near_again += self._near.first(digest, keys, _NEAR) is not None
                self._near.add(digest, keys)

    def _add(self, entry: Shown) -> None:
        self._entries += 1
        self._quality += entry.quality
        self._kinds[entry.kind] += 1
        self._categories[entry.category] += 1
        if entry.difficulty is not None:
            self._difficulties[entry.difficulty] += 1
        if entry.rank is not None:
            self._ranks[min(entry.rank, _REACHED + 1)] += 1
        if entry.opening is not None:
            self._openings[entry.opening] += 1
        if entry.answer_words is not None:
            self._lengths[entry.answer_words] += 1
        self._quotes += entry.quotes
        self._resolved += entry.resolved
        document = self._documents.setdefault(entry.document_id, _Document())
        document.accepted += 1
        document.chunks[entry.start, entry.end] += 1
        document.covered.add(entry.covered)

    def result(self) -> DatasetFigures:
        """All figures; None where nothing was there to measure."""
        commonest = self._openings.most_common(1)
        opened = self._openings.total()
        chunks = [n for document in self._documents.values() for n in document.chunks.values()]
        reached = sum(
            count / rank for rank, count in sorted(self._ranks.items()) if rank <= _REACHED
        )
        return DatasetFigures(
            quality=_share(self._quality, self._entries),
            evidence_resolved=_share(self._resolved, self._quotes),
            near_duplicate_share=_share(self._near_again, len(self._near)),
            coverage=tuple(self._coverage(document_id) for document_id in self._planned),
            coverage_gini=gini(chunks),
            retrieval_mrr=_share(reached, self._ranks.total()),
            commonest_opening=commonest[0][0] if commonest else None,
            commonest_opening_share=_share(commonest[0][1], opened) if commonest else None,
            opening_entropy=_entropy(self._openings) if commonest else None,
            kinds=dict(self._kinds.most_common()),
            difficulties=dict(self._difficulties.most_common()),
            categories=dict(self._categories.most_common()),
            answer_words=quartiles(self._lengths),
        )

    def _coverage(self, document_id: UUID) -> DocumentCoverage:
        document = self._documents[document_id]
        return DocumentCoverage(
            document_id=document_id,
            name=document.name or "",
            sentences=len(document.sentences),
            covered=document.covered.shared(document.sentences),
            accepted=document.accepted,
        )


def gini(counts: Iterable[int]) -> float | None:
    """Gini coefficient: 0 when all counts are equal, near 1 when one has all; None without counts or a total of 0."""
    ordered = sorted(counts)
    total = sum(ordered)
    if not total:
        return None
    weighted = sum(place * value for place, value in enumerate(ordered, 1))
    return round(2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered), 4)


def quartiles(lengths: Counter[int]) -> tuple[int, int, int] | None:
    """First quartile, median and third quartile of counted lengths (nearest rank); None when nothing was counted."""
    total = lengths.total()
    if not total:
        return None
    found: list[int] = []
    passed = 0
    for length in sorted(lengths):
        passed += lengths[length]
        while len(found) < 3 and passed * 4 >= total * (len(found) + 1):
            found.append(length)
    return found[0], found[1], found[2]


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return round(-sum(n / total * log2(n / total) for n in counts.values()) + 0.0, 4)


def _share(part: float, of: int) -> float | None:
    return round(part / of, 4) if of else None
