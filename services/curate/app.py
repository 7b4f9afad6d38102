"""The edge of curate: read what is to be judged, let the pure parts judge, say the verdicts."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from contracts.dataset import CloseDataset
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    Found,
    GeneratedEntry,
    Signature,
    Verdict,
)
from contracts.generation import ExtendGeneration, GenerationSettings
from services.curate.admission import Index, admit
from services.curate.bench import Bench
from services.curate.checks.judge import judge
from services.curate.closing import another_round, close
from services.curate.reading import Reading, UnitRead
from services.curate.retrieval import Ranker
from shared.blobs import Blobs
from shared.plans import Plans
from shared.store import Reader
from shared.worker import Done, Task, Work

KEPT_INDEXES = 8


def work(blobs: Blobs, store: Reader) -> list[Work]:
    bench = Bench()
    reading = Reading(store, Plans(blobs), bench)
    indexes = _Indexes(reading)

    async def curate(task: Task[CurateEntries]) -> Done:
        command = task.command
        corpus = await reading.corpus(task.tenant, command.plan[0])
        verdicts: list[Verdict] = []
        async for units in reading.units(
            task.tenant, command.job_id, command.plan, after=command.after, through=command.through
        ):
            verdicts += await bench.do(_judge, units, command.settings, corpus.ranker)
        curated = EntriesCurated(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            verdicts=tuple(verdicts),
        )
        return Done((curated,))

    async def admission(task: Task[AdmitEntries]) -> Done:
        command = task.command
        index = await indexes.upto(command.dataset_id, command.after)
        candidates = [
            verdict
            async for verdict in reading.verdicts(
                command.dataset_id, after=command.after, through=command.through
            )
        ]
        found = await bench.do(
            admit, index.index, candidates, command.wanted, command.accepted, command.settings
        )
        index.through = command.through
        admitted = EntriesAdmitted(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            accepted=found.accepted,
            duplicates=found.duplicates,
            surplus=found.surplus,
        )
        return Done((admitted,))

    async def extension(task: Task[ExtendGeneration]) -> Done:
        return Done((await another_round(reading, blobs, task.tenant, task.command),))

    async def closing(task: Task[CloseDataset]) -> Done:
        return Done((await close(reading, task.tenant, task.command),))

    return [
        Work(CurateEntries, curate, share=lambda _: 2),
        Work(AdmitEntries, admission),
        Work(ExtendGeneration, extension),
        Work(CloseDataset, closing),
    ]


def _judge(
    units: Sequence[UnitRead], settings: GenerationSettings, ranker: Ranker | None
) -> list[Verdict]:
    """A verdict for every entry that the units generated, in order."""
    verdicts = []
    for read in units:
        texts = {entry.entry_id: entry for entry in read.entries}
        for fact in read.unit.entries:
            entry = texts.get(fact.entry_id)
            if entry is None:
                verdicts.append(_erased(read, fact))
                continue
            judged = judge(entry, read.source, settings, ranker)
            verdicts.append(
                Verdict(
                    entry_id=fact.entry_id,
                    unit_id=read.unit.unit_id,
                    seed=read.unit.seed,
                    passed=judged.passed,
                    found=judged.found,
                    quality=judged.quality,
                    quality_parts=judged.quality_parts,
                    category=judged.category,
                    kind=judged.kind,
                    difficulty=judged.difficulty,
                    signature=judged.signature,
                )
            )
    return verdicts


def _erased(read: UnitRead, fact: GeneratedEntry) -> Verdict:
    return Verdict(
        entry_id=fact.entry_id,
        unit_id=read.unit.unit_id,
        seed=read.unit.seed,
        passed=False,
        found=(Found(reason="content_erased", detail="The text was erased before it was judged."),),
        quality=0.0,
        quality_parts={},
        category="",
        kind="",
        difficulty=None,
        signature=None,
    )


@dataclass(slots=True)
class _Following:
    """A near-duplicate index that has seen the curated entries up to ``through``."""

    index: Index = field(default_factory=Index)
    through: int = 0


class _Indexes:
    """Indexes of the newest datasets: caches that follow the log and can be rebuilt from it without any text."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._kept: OrderedDict[UUID, _Following] = OrderedDict()

    async def upto(self, dataset: UUID, through: int) -> _Following:
        """The index as it must be before the entries curated after version ``through`` are admitted."""
        kept = self._kept.get(dataset)
        if kept is None or kept.through != through:
            kept = self._kept[dataset] = await self._rebuilt(dataset, through)
        self._kept.move_to_end(dataset)
        while len(self._kept) > KEPT_INDEXES:
            self._kept.popitem(last=False)
        return kept

    async def _rebuilt(self, dataset: UUID, through: int) -> _Following:
        following = _Following(through=through)
        if not through:
            return following
        signatures: dict[UUID, Signature] = {}
        stream = self._reading.store.stream(dataset, types=(EntriesCurated, EntriesAdmitted))
        async for recorded in stream:
            match recorded.event:
                case EntriesCurated() as curated:
                    signatures |= {
                        verdict.entry_id: verdict.signature
                        for verdict in curated.verdicts
                        if verdict.signature is not None
                    }
                case EntriesAdmitted() as admitted if admitted.through <= through:
                    _follow(following.index, admitted, signatures)
        return following


def _follow(index: Index, admitted: EntriesAdmitted, signatures: dict[UUID, Signature]) -> None:
    """Add what an admission took, in the order in which it was judged, which is that of the curated entries."""
    taken = {*admitted.accepted, *admitted.surplus}
    for entry in [each for each in signatures if each in taken]:
        index.add(entry, signatures.pop(entry))
