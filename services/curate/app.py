"""The edge of curate: read what is to be judged, let the pure parts judge, say the verdicts."""

from collections.abc import Sequence
from uuid import UUID

from contracts.dataset import CloseDataset
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    Found,
    Verdict,
)
from contracts.generation import ExtendGeneration, GenerationSettings
from services.curate.admission import admit
from services.curate.bench import Bench
from services.curate.checks import judge_parts
from services.curate.closing import another_round, close
from services.curate.counting import Behind, count_known, remember
from services.curate.following import Curated, Followings, Job
from services.curate.reading import Generated, Reading, UnitRead
from services.curate.retrieval import Ranker
from services.curate.sentences import sentences
from shared.blobs import Blobs
from shared.plans import Plans
from shared.store import Reader
from shared.worker import Done, Task, Work


def work(blobs: Blobs, store: Reader) -> list[Work]:
    desk = _Desk(blobs, store)
    return [
        Work(CurateEntries, desk.curate, share=lambda _: 2),
        Work(AdmitEntries, desk.admit),
        Work(ExtendGeneration, desk.extend),
        Work(CloseDataset, desk.close),
    ]


class _Desk:
    """The handlers, with what they share."""

    def __init__(self, blobs: Blobs, store: Reader) -> None:
        self._blobs = blobs
        self._bench = Bench()
        self._reading = Reading(store, Plans(blobs), self._bench)
        self._followings = Followings(self._reading)
        self._behind = Behind(self._reading)

    async def curate(self, task: Task[CurateEntries]) -> Done:
        command = task.command
        corpus = await self._reading.corpus(task.tenant, command.plan[0])
        self._followings.of(command.dataset_id).job = Job(
            task.tenant, command.job_id, command.dataset_id, command.plan, command.settings
        )
        curated = Curated()
        async for units in self._reading.units(
            task.tenant, command.job_id, command.plan, after=command.after, through=command.through
        ):
            await self._bench.do(_judge, units, command.settings, corpus.ranker, curated)
        self._followings.keep(task.event_id(0), curated)
        event = EntriesCurated(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            verdicts=tuple(curated.verdicts),
        )
        return Done((event,))

    async def admit(self, task: Task[AdmitEntries]) -> Done:
        command = task.command
        following = await self._followings.upto(command.dataset_id, command.after)
        curated = await self._followings.curated(
            command.dataset_id, after=command.after, through=command.through
        )
        candidates = [verdict for each in curated for verdict in each.verdicts]
        found = await self._bench.do(
            admit, following.index, candidates, command.wanted, command.accepted, command.settings
        )
        following.through = command.through
        if not await count_known(self._reading, following, command.dataset_id):
            self._behind.catch_up(following)
        await self._bench.do(remember, following, curated, found.accepted)
        event = EntriesAdmitted(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            accepted=found.accepted,
            duplicates=found.duplicates,
            surplus=found.surplus,
        )
        return Done((event,))

    async def extend(self, task: Task[ExtendGeneration]) -> Done:
        return Done((await another_round(self._reading, self._blobs, task.tenant, task.command),))

    async def close(self, task: Task[CloseDataset]) -> Done:
        following = self._followings.of(task.command.dataset_id)
        return Done((await close(self._reading, following, task.tenant, task.command),))


def _judge(
    units: Sequence[UnitRead],
    settings: GenerationSettings,
    ranker: Ranker | None,
    curated: Curated,
) -> None:
    """Add a verdict for every entry that the units generated, in order, and what falls off beside it."""
    for read in units:
        unit, source = read.unit, read.source
        for entry_id in unit.entries:
            parts = read.entries.get(entry_id)
            if parts is None:
                curated.verdicts.append(_erased(unit, entry_id))
                continue
            judged = judge_parts(parts, source, settings, ranker)
            curated.verdicts.append(
                Verdict(
                    entry_id=entry_id,
                    unit_id=unit.unit_id,
                    seed=unit.seed,
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
            if judged.shown is not None:
                curated.shown[entry_id] = judged.shown
        starts = tuple([source.start + start for start, _ in sentences(source.passage)])
        curated.passages.append((source.document_id, source.start, source.end, starts))


def _erased(unit: Generated, entry_id: UUID) -> Verdict:
    return Verdict(
        entry_id=entry_id,
        unit_id=unit.unit_id,
        seed=unit.seed,
        passed=False,
        found=(Found(reason="content_erased", detail="The text was erased before it was judged."),),
        quality=0.0,
        quality_parts={},
        category="",
        kind="",
        difficulty=None,
        signature=None,
    )
