"""Figures of a dataset, gathered entry by entry without a model. Holds counts and hashes, never texts.

Coverage asks which content sentences of the planned passages are evidence of an accepted entry; retrieval is the
round trip from question to passage; the share of near duplicates is a second opinion, with other permutations than
admission used, so that what admission's bands missed can show.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log2
from uuid import UUID

from contracts.dataset import DatasetFigures, DocumentCoverage
from contracts.entries import BodyEntry, Verdict
from services.curate.admission import digest_of
from services.curate.bands import Near, band_keys
from services.curate.checks.evidence import matches
from services.curate.checks.source import Parts, Source, parts_of
from services.curate.checks.specific import rank_of
from services.curate.retrieval import Ranker
from services.curate.sentences import sentences, sentences_between, touched
from services.curate.words import count, words

_SECOND_SEED = 7
_NEAR = 0.8
_COMPARED = 50_000
"""Entries that the second opinion on near duplicates looks at; a share needs no more."""
_OPENING = 3


@dataclass(slots=True)
class _Document:
    name: str
    sentences: set[int] = field(default_factory=set)
    """Where each content sentence starts; overlapping passages share theirs."""
    covered: set[int] = field(default_factory=set)
    accepted: int = 0


class Figures:
    """Say every planned passage with ``seed``, then every accepted entry with ``add``, then ask for ``result``."""

    def __init__(self, ranker: Ranker | None) -> None:
        self._ranker = ranker
        self._documents: dict[UUID, _Document] = {}
        self._chunks: dict[tuple[UUID, int, int], int] = {}
        self._kinds: Counter[str] = Counter()
        self._difficulties: Counter[str] = Counter()
        self._categories: Counter[str] = Counter()
        self._openings: Counter[str] = Counter()
        self._lengths: Counter[int] = Counter()
        self._near = Near()
        self._near_again = 0
        self._entries = 0
        self._quality = 0.0
        self._quotes = 0
        self._resolved = 0
        self._ranked = 0
        self._reciprocal = 0.0

    def seed(self, document_id: UUID, name: str, text: str, start: int, end: int) -> None:
        """A planned passage; saying it again (in a later round) changes nothing."""
        key = (document_id, start, end)
        if key in self._chunks:
            return
        self._chunks[key] = 0
        document = self._documents.setdefault(document_id, _Document(name))
        document.sentences.update(place[0] for place in sentences_between(text, start, end))

    def add(self, entry: BodyEntry, verdict: Verdict, source: Source) -> None:
        """An accepted entry with its verdict and where it came from."""
        parts = parts_of(entry)
        self._entries += 1
        self._quality += verdict.quality
        self._kinds[verdict.kind] += 1
        self._categories[verdict.category] += 1
        if verdict.difficulty is not None:
            self._difficulties[verdict.difficulty] += 1
        self._cover(parts, source)
        self._retrieve(parts, source)
        self._compare(parts)
        if parts.answer:
            self._lengths[count(parts.answer)] += 1

    def result(self) -> DatasetFigures:
        """All figures; None where nothing was there to measure."""
        commonest = self._openings.most_common(1)
        opened = self._openings.total()
        return DatasetFigures(
            quality=_share(self._quality, self._entries),
            evidence_resolved=_share(self._resolved, self._quotes),
            near_duplicate_share=_share(self._near_again, len(self._near)),
            coverage=tuple(
                DocumentCoverage(
                    document_id=document_id,
                    name=document.name,
                    sentences=len(document.sentences),
                    covered=len(document.covered & document.sentences),
                    accepted=document.accepted,
                )
                for document_id, document in self._documents.items()
            ),
            coverage_gini=gini(self._chunks.values()),
            retrieval_mrr=_share(self._reciprocal, self._ranked),
            commonest_opening=commonest[0][0] if commonest else None,
            commonest_opening_share=_share(commonest[0][1], opened) if commonest else None,
            opening_entropy=_entropy(self._openings) if commonest else None,
            kinds=dict(self._kinds.most_common()),
            difficulties=dict(self._difficulties.most_common()),
            categories=dict(self._categories.most_common()),
            answer_words=quartiles(self._lengths),
        )

    def _cover(self, parts: Parts, source: Source) -> None:
        document = self._documents.setdefault(source.document_id, _Document(source.title))
        document.accepted += 1
        key = (source.document_id, source.start, source.end)
        self._chunks[key] = self._chunks.get(key, 0) + 1
        places, offset = sentences(source.passage), source.start
        # A summary's source is the whole passage: it covers what it was made from.
        for quote, score in zip(parts.evidence, matches(parts, source), strict=True):
            self._quotes += 1
            self._resolved += score > 0
            if quote.start is not None and quote.end is not None:
                hit = touched(places, quote.start - offset, quote.end - offset)
                document.covered.update(offset + place[0] for place in hit)

    def _retrieve(self, parts: Parts, source: Source) -> None:
        rank = rank_of(parts, source, self._ranker)
        if rank is not None:
            self._ranked += 1
            self._reciprocal += 1 / rank if rank <= 10 else 0.0

    def _compare(self, parts: Parts) -> None:
        if parts.question:
            self._openings[" ".join(words(parts.question)[:_OPENING])] += 1
        asked = parts.question or parts.answer
        if parts.input:
            asked = f"{asked}\n{parts.answer}"
        if len(self._near) < _COMPARED:
            digest = digest_of(asked, _SECOND_SEED)
            keys = band_keys(digest).tolist()
            self._near_again += self._near.first(digest, keys, _NEAR) is not None
            self._near.add(digest, keys)


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
