"""Plans of later rounds: ask again where content sentences are left that no accepted evidence covers.

Pure: a round is a function of the first plan, of what was accepted and of its number, so doing it again is doing the
same. Seeds keep the order of the first plan, which spread them over documents. Never asks about a passage that is
covered, and never plans far more than what is missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.generation import (
    PLAN_PAGE,
    GenerationSettings,
    PlannedDocument,
    PlanPage,
    Seed,
    Slot,
    Span,
)
from services.curate.sentences import Place, sentences_between, touched
from services.curate.words import content

FOCUS = 8
"""Most sentences that a seed names."""
AVOID = 8
"""Most accepted questions that a seed must not repeat."""
_SPARE = 10
"""Entries asked for each one missing, since what is left is what was hard; and never fewer than ``_LEAST``."""
_LEAST = 500


@dataclass(frozen=True, slots=True)
class Extension:
    """A further round. No pages: nothing is left to ask about."""

    pages: tuple[PlanPage, ...]
    seeds: int
    asked: int
    uncovered: int
    """Content sentences that no accepted evidence covers, over all chunks of the first plan that were looked at."""


class Asked:
    """Accepted questions of one document, found by the words that they share with a passage."""

    def __init__(self, questions: Sequence[str], language: str | None) -> None:
        self._questions = questions
        self._language = language
        self._holders: dict[str, list[int]] = {}
        self._stems: list[int] = []
        for number, question in enumerate(questions):
            stems = set(content(question, language))
            self._stems.append(max(1, len(stems)))
            for stem in stems:
                self._holders.setdefault(stem, []).append(number)

    def nearest(self, passage: str) -> tuple[str, ...]:
        """At most 8 questions that share words with the passage: first those of which it holds the largest part."""
        shared: Counter[int] = Counter()
        for stem in set(content(passage, self._language)):
            shared.update(self._holders.get(stem, ()))
        best = sorted(
            shared,
            key=lambda number: (-shared[number] / self._stems[number], -shared[number], number),
        )[:AVOID]
        return tuple(self._questions[number] for number in best)


def extend(
    round_: int,
    first: int,
    pages: Iterable[PlanPage],
    covered: Mapping[UUID, Sequence[Place]],
    questions: Mapping[UUID, Sequence[str]],
    texts: Mapping[UUID, str],
    settings: GenerationSettings,
    wanted: int,
) -> Extension:
    """Plan round ``round_`` (from 2), whose first seed has index ``first``, for ``wanted`` entries still missing.

    ``pages`` are the first plan's; ``covered`` the accepted evidence by chunk id, ``questions`` what was accepted
    by document id, ``texts`` the parsed texts by document id.
    """
    asked_before: dict[UUID, Asked] = {}
    documents: dict[UUID, PlannedDocument] = {}
    seeds: list[Seed] = []
    asked = uncovered = 0
    for page in pages:
        documents |= {document.document_id: document for document in page.documents}
        pool = [slot for seed in page.seeds for slot in seed.slots]
        at = 0
        for seed in page.seeds:
            text = texts[seed.document_id]
            left = uncovered_sentences(seed, text, covered.get(seed.chunk_id, ()))
            uncovered += len(left)
            at += len(seed.slots)
            if not left or asked >= max(_LEAST, _SPARE * wanted):
                continue
            known = asked_before.get(seed.document_id)
            if known is None:
                language = documents[seed.document_id].language
                known = Asked(questions.get(seed.document_id, ()), language)
                asked_before[seed.document_id] = known
            many = min(settings.per_chunk, len(left))
            avoid = known.nearest(text[seed.start : seed.end])
            slots = _rotated(pool, at + round_ - 1, many)
            seeds.append(_again(seed, first + len(seeds), round_, left, avoid, slots))
            asked += many
    return Extension(tuple(_pages(seeds, documents)), len(seeds), asked, uncovered)


def uncovered_sentences(seed: Seed, text: str, covered: Sequence[Place]) -> tuple[Place, ...]:
    """Content sentences of a seed's passage that none of the given evidence touches."""
    places = sentences_between(text, seed.start, seed.end)
    hit = {place for start, end in covered for place in touched(places, start, end)}
    return tuple(place for place in places if place not in hit)


def _again(
    seed: Seed,
    index: int,
    round_: int,
    left: Sequence[Place],
    avoid: tuple[str, ...],
    slots: tuple[Slot, ...],
) -> Seed:
    return seed.model_copy(
        update={
            "index": index,
            "round": round_,
            "sample": round_ - 1,
            "slots": slots,
            "focus": tuple(Span(start=start, end=end) for start, end in left[:FOCUS]),
            "avoid": avoid,
        }
    )


def _rotated(pool: Sequence[Slot], start: int, many: int) -> tuple[Slot, ...]:
    """Slots of the page, from another place on than the passage had before: quotas hold, kinds change."""
    return tuple(pool[(start + n) % len(pool)] for n in range(many)) if pool else (Slot(),) * many


def _pages(seeds: list[Seed], documents: Mapping[UUID, PlannedDocument]) -> Iterator[PlanPage]:
    for at in range(0, len(seeds), PLAN_PAGE):
        part = tuple(seeds[at : at + PLAN_PAGE])
        needed = dict.fromkeys(seed.document_id for seed in part)
        yield PlanPage(
            first=part[0].index,
            documents=tuple(documents[document] for document in needed),
            seeds=part,
        )
