"""Figures that follow the log: what was accepted is counted soon after, so that little is left when a dataset closes.

What this worker judged itself is counted by what fell off then; what others judged, or this one before it was killed,
is measured once more from its text. The order is that of the log either way, so the figures are the same. An entry
whose text is erased before it is counted is not counted; one that was counted stays so.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.entries import EntriesAdmitted, EntriesCurated
from contracts.generation import GenerationSettings
from services.curate.checks import measure
from services.curate.checks.shown import Shown
from services.curate.figures import Figures
from services.curate.following import PAGE, Curated, Following, Job
from services.curate.reading import Reading, UnitRead
from services.curate.retrieval import Ranker
from services.curate.sentences import sentences_between
from shared.store import Fact

log = logging.getLogger(__name__)

MOST_WAITING = 20_000
"""Entries that are remembered before they are counted; more wait only behind what another worker judged, and are
measured from their texts instead.
"""


def remember(following: Following, curated: Sequence[Curated], accepted: Sequence[UUID]) -> None:
    """Keep what newly admitted entries show, until their admission stands in the log."""
    taken = set(accepted)
    if len(following.shown) > MOST_WAITING:
        following.shown.clear()
    for each in curated:
        following.shown |= {entry: each.shown[entry] for entry in each.shown.keys() & taken}
        for passage in each.passages:
            following.figures.split(*passage)


async def count_known(reading: Reading, following: Following, dataset: UUID) -> bool:
    """Count what was admitted, as far as this worker judged it itself; whether that was all."""
    if following.busy.locked():
        return True
    async with following.busy:
        admissions = reading.store.facts(dataset, following.folded, types=(EntriesAdmitted,))
        async for admitted in admissions:
            if any(entry not in following.shown for entry in _accepted(admitted)):
                return False
            await _fold(reading, following, admitted)
    return True


async def count(reading: Reading, following: Following, job: Job, head: int | None = None) -> None:
    """Count what was admitted up to version ``head`` of the dataset's stream, or all."""
    async with following.busy:
        admissions = reading.store.facts(job.dataset_id, following.folded, head, (EntriesAdmitted,))
        async for admitted in admissions:
            missing = {entry for entry in _accepted(admitted) if entry not in following.shown}
            if missing:
                following.shown |= await _measured(reading, job, admitted, missing)
            await _fold(reading, following, admitted)


class Behind:
    """Counts beside the other work what was admitted before this worker knew the dataset, so that the end need not."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._tasks: set[asyncio.Task[None]] = set()

    def catch_up(self, following: Following) -> None:
        """Begin, where this worker knows of what job the dataset is."""
        if following.job is None:
            return
        task = asyncio.create_task(count(self._reading, following, following.job))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            # Whatever it is, closing counts again, and says it.
            log.warning("figures could not be gathered yet: %r", problem)


async def plan(reading: Reading, figures: Figures, job: Job) -> None:
    """Name every planned passage, and split those that are not split yet."""
    for ref in job.plan:
        async for page in reading.plans.pages(job.tenant, ref):
            documents = {document.document_id: document for document in page.documents}
            left: list[tuple[UUID, str, int, int]] = []
            for seed in page.seeds:
                document = documents[seed.document_id]
                figures.seed(seed.document_id, document.name, seed.start, seed.end)
                if not figures.has_split(seed.document_id, seed.start, seed.end):
                    text = await reading.plans.text(job.tenant, document.text)
                    left.append((seed.document_id, text, seed.start, seed.end))
            await reading.bench.do(_split, figures, left)


async def _fold(reading: Reading, following: Following, admitted: Fact) -> None:
    shown = [following.shown.pop(entry, None) for entry in _accepted(admitted)]
    await reading.bench.do(following.figures.add, [each for each in shown if each is not None])
    following.folded = admitted.version


async def _measured(
    reading: Reading, job: Job, admitted: Fact, missing: set[UUID]
) -> dict[UUID, Shown]:
    """What accepted entries show, from their texts, with the verdicts that were recorded."""
    ranker = (await reading.corpus(job.tenant, job.plan[0])).ranker
    found: dict[UUID, Shown] = {}
    curations = reading.store.facts(
        job.dataset_id,
        admitted.data["after"],
        admitted.data["through"],
        (EntriesCurated,),
        PAGE,
    )
    async for curated in curations:
        verdicts = {UUID(verdict["entry_id"]): verdict for verdict in curated.data["verdicts"]}
        recorded = {entry: verdict for entry, verdict in verdicts.items() if entry in missing}
        stretches = reading.units(
            job.tenant,
            job.job_id,
            job.plan,
            after=curated.data["after"],
            through=curated.data["through"],
        )
        async for units in stretches:
            found |= await reading.bench.do(_measure, units, recorded, job.settings, ranker)
    return found


def _measure(
    units: Sequence[UnitRead],
    recorded: Mapping[UUID, dict[str, Any]],
    settings: GenerationSettings,
    ranker: Ranker | None,
) -> dict[UUID, Shown]:
    found = {}
    for read in units:
        for entry, parts in read.entries.items():
            if (verdict := recorded.get(entry)) is not None:
                found[entry] = replace(
                    measure(parts, read.source, settings, ranker),
                    quality=verdict["quality"],
                    kind=verdict["kind"],
                    category=verdict["category"],
                    difficulty=verdict["difficulty"],
                )
    return found


def _split(figures: Figures, passages: Sequence[tuple[UUID, str, int, int]]) -> None:
    for document_id, text, start, end in passages:
        starts = [place[0] for place in sentences_between(text, start, end)]
        figures.split(document_id, start, end, starts)


def _accepted(admitted: Fact) -> list[UUID]:
    return [UUID(entry) for entry in admitted.data["accepted"]]
