"""What a worker keeps of the newest datasets: caches that follow the log, and can be made again from nothing but it.

The near-duplicate index is made again from the signatures in the log, figures from the texts of what was accepted.
Both are folded in the order of the log, so they are the same whoever was killed. An entry whose text is erased before
it was counted is not counted; one that was counted stays so.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from contracts.blob import BlobRef
from contracts.entries import EntriesAdmitted, EntriesCurated, Signature, Verdict
from contracts.generation import GenerationSettings
from services.curate.admission import Index
from services.curate.checks.shown import Shown
from services.curate.figures import Figures
from services.curate.reading import Reading
from shared.store import Fact
from shared.telemetry import traces

KEPT_DATASETS = 8
KEPT_VERDICTS = 20_000
"""Verdicts of curations that this worker made and that wait for their admission."""
PAGE = 16
"""Curations in memory at a time; one of them may hold thousands of verdicts."""

Passage = tuple[UUID, int, int, tuple[int, ...]]
"""Document, start and end of a passage, and where its content sentences start."""


@dataclass(frozen=True, slots=True)
class Curated:
    """What one curation said, with what falls off beside it and is not said."""

    verdicts: list[Verdict] = field(default_factory=list)
    shown: dict[UUID, Shown] = field(default_factory=dict)
    """Of the entries that passed."""
    passages: list[Passage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """Where the entries of a dataset come from."""

    tenant: str
    job_id: UUID
    dataset_id: UUID
    plan: tuple[BlobRef, ...]
    settings: GenerationSettings


@dataclass(slots=True)
class Following:
    """A dataset as far as the log was followed."""

    job: Job | None = None
    """None: nothing was curated for it here yet."""
    index: Index = field(default_factory=Index)
    through: int = 0
    """The index has seen the entries that were curated up to this version,"""
    figures: Figures = field(default_factory=Figures)
    folded: int = 0
    """the figures those that were admitted up to this one."""
    shown: dict[UUID, Shown] = field(default_factory=dict)
    """Of entries that were admitted here and are not folded yet."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Followings:
    """The newest datasets, and the curations that this worker made and that may be admitted next."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._kept: OrderedDict[UUID, Following] = OrderedDict()
        self._recent: OrderedDict[UUID, Curated] = OrderedDict()
        self._verdicts = 0

    def keep(self, event_id: UUID, curated: Curated) -> None:
        """Remember a curation by the id that its event has where it is recorded. Another worker's may be instead."""
        if event_id in self._recent:
            return
        self._recent[event_id] = curated
        self._verdicts += len(curated.verdicts)
        while self._verdicts > KEPT_VERDICTS:
            _, gone = self._recent.popitem(last=False)
            self._verdicts -= len(gone.verdicts)

    async def curated(self, dataset: UUID, *, after: int, through: int) -> list[Curated]:
        """Curations of versions ``(after, through]``, in log order; what this worker did not make itself is read.

        They are needed once: whoever asks again, since its admission failed, has them from the log.
        """
        found: list[Curated] = []
        for mark in await self._reading.store.marks(dataset, after, through, (EntriesCurated,)):
            traces.link(mark.traceparent)
            curated = self._recent.pop(mark.id, None)
            if curated is not None:
                self._verdicts -= len(curated.verdicts)
            else:
                facts = self._reading.store.facts(
                    dataset, mark.version - 1, mark.version, (EntriesCurated,)
                )
                async for fact in facts:
                    event = EntriesCurated.model_validate(fact.data, extra="ignore")
                    curated = Curated([*event.verdicts])
            if curated is not None:
                found.append(curated)
        return found

    async def upto(self, dataset: UUID, through: int) -> Following:
        """The index as it must be before the entries curated after version ``through`` are admitted."""
        kept = self.of(dataset)
        if kept.through != through:
            kept.index = await self._rebuilt(dataset, through)
            kept.through = through
        return kept

    def of(self, dataset: UUID) -> Following:
        kept = self._kept.get(dataset)
        if kept is None:
            kept = self._kept[dataset] = Following()
        self._kept.move_to_end(dataset)
        while len(self._kept) > KEPT_DATASETS:
            self._kept.popitem(last=False)
        return kept

    async def _rebuilt(self, dataset: UUID, through: int) -> Index:
        index = Index()
        if not through:
            return index
        signatures: dict[UUID, Signature] = {}
        async for fact in self._reading.store.facts(
            dataset, types=(EntriesCurated, EntriesAdmitted), page=PAGE
        ):
            if "verdicts" in fact.data:
                for verdict in fact.data["verdicts"]:
                    if verdict["signature"] is not None:
                        signature = Signature.model_validate(verdict["signature"], extra="ignore")
                        signatures[UUID(verdict["entry_id"])] = signature
            elif fact.data["through"] <= through:
                _follow(index, fact, signatures)
        return index


def _follow(index: Index, admitted: Fact, signatures: dict[UUID, Signature]) -> None:
    """Add what an admission took, in the order in which it was judged, which is that of the curated entries."""
    taken = {UUID(entry) for name in ("accepted", "surplus") for entry in admitted.data[name]}
    for entry in [each for each in signatures if each in taken]:
        index.add(entry, signatures.pop(entry))
    for duplicate in admitted.data["duplicates"]:
        signatures.pop(UUID(duplicate["entry_id"]), None)
