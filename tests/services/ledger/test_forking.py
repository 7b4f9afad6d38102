"""A job begins with what another one had: by reference, with ids of its own, at any point and from any state."""

import asyncio
from uuid import UUID

import pytest

from contracts.dataset import DatasetCompleted, DatasetDeletionRequested
from contracts.entries import (
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
)
from contracts.export import ExportRequested
from contracts.identity import dataset_id
from contracts.job import (
    JobCancelRequested,
    JobCompleted,
    JobFailed,
    JobForked,
    JobForkRequested,
    JobPaused,
    JobPauseRequested,
    JobRestartRequested,
)
from contracts.message import Event, Recorded
from shared.clock import fresh_id
from shared.errors import Rejected
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated
from tests.services.ledger.mill import job as job_of


class Fatal(Rejected):
    fatal = True


class Halting:
    """Generates so many seeds, then holds the others until it is let go."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seeds: list[int] = []
        self.go_on = asyncio.Event()

    async def __call__(self, task: Task[GenerateEntries]) -> Done:
        task.may_start()
        if len(self.seeds) >= self.most:
            await self.go_on.wait()
        self.seeds.append(task.command.seeds[task.index])
        return generated(task)


@pytest.fixture(autouse=True)
async def _leads(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()


async def fork(mill: Mill, parent: UUID, **more: str) -> UUID:
    return job_of(await mill.ask(JobForkRequested(target=parent, **more)))


async def whole(mill: Mill, job: UUID) -> dict[type[Event], list[Event]]:
    """Events of a job's stream and its dataset's, with those that it goes on from."""
    found: dict[type[Event], list[Event]] = {}
    for stream in (job, dataset_id(job)):
        async for each in mill.reader.stream(stream):
            found.setdefault(type(each.event), []).append(each.event)
    return found


async def complete(mill: Mill, job: UUID, chunks: int) -> set[int]:
    """Every seed and entry is there once, by whichever job it was made; the seeds that this one asked itself."""
    made = await whole(mill, job)
    seeds = [e.seed for e in made[EntriesGenerated] if isinstance(e, EntriesGenerated)]
    verdicts = [e.verdicts for e in made[EntriesCurated] if isinstance(e, EntriesCurated)]
    judged = [verdict.entry_id for each in verdicts for verdict in each]
    taken = [x for e in made[EntriesAdmitted] if isinstance(e, EntriesAdmitted) for x in e.accepted]
    assert sorted(seeds) == list(range(chunks))
    assert sorted(judged) == sorted(taken)
    assert len(set(taken)) == len(taken) == chunks
    counts = (await mill.said(DatasetCompleted, job))[-1].counts
    assert (counts.seeds, counts.done, counts.accepted) == (chunks, chunks, chunks)
    assert counts.failed == counts.in_flight == counts.not_needed == counts.awaiting == 0
    return {e.seed for e in await mill.said(EntriesGenerated, job)}


async def test_a_running_job_is_forked_and_what_is_in_flight_is_asked_by_both(mill: Mill) -> None:
    halting = Halting(10)
    mill.generation(generate=halting)
    parent = await mill.generate_from(30, concurrency=4)

    async def has_some() -> bool:
        return len(await mill.said(EntriesGenerated, parent)) >= 10

    await mill.until(has_some)
    child = await fork(mill, parent, name="another")
    (forked,) = await mill.said(JobForked, child)
    assert (forked.parent, forked.request.name) == (parent, "another")
    assert forked.progress is not None
    done = forked.progress.done
    assert done >= 10
    halting.go_on.set()

    assert await mill.ended(parent, child) == [JobCompleted(), JobCompleted()]
    assert await complete(mill, parent, 30) == set(range(30))
    assert len(await complete(mill, child, 30)) == 30 - done
    units = [e.unit_id for job in (parent, child) for e in await mill.said(EntriesGenerated, job)]
    assert len(units) == len(set(units)) == 60 - done


async def test_entries_that_nobody_had_judged_are_judged_by_both(mill: Mill) -> None:
    may_judge = asyncio.Event()

    async def curate(task: Task[CurateEntries]) -> Done:
        await may_judge.wait()
        return await mill.curate(task)

    halting = Halting(5)
    mill.generation(generate=halting, curate=curate)
    parent = await mill.generate_from(8, concurrency=2)

    async def are_generated() -> bool:
        return len(await mill.said(EntriesGenerated, parent)) == 5

    await mill.until(are_generated)
    child = await fork(mill, parent)
    assert (await mill.state(child))["counts"]["awaiting"]
    may_judge.set()
    halting.go_on.set()
    assert await mill.ended(parent, child) == [JobCompleted(), JobCompleted()]
    await complete(mill, parent, 8)
    await complete(mill, child, 8)


async def positions(mill: Mill, job: UUID) -> list[Recorded[Event]]:
    return [each for each in await mill.log(job) if each.stream in (job, dataset_id(job))]


async def test_a_completed_job_is_forked_at_every_position_it_had(mill: Mill) -> None:
    mill.generation()
    parent = await mill.generate_from(9, concurrency=2)
    await mill.ended(parent)
    course = await positions(mill, parent)
    at = [each.position for each in course]
    children = [await fork(mill, parent, position=position) for position in at[:: len(at) // 8]]
    children.append(await fork(mill, parent))
    grandchild = await fork(mill, children[3])
    assert set(await mill.ended(*children, grandchild)) == {JobCompleted()}
    asked = [len(await complete(mill, child, 9)) for child in children]
    assert asked == sorted(asked, reverse=True)
    assert (asked[0], asked[-1]) == (9, 0)
    await complete(mill, grandchild, 9)
    first = (await mill.said(JobForked, children[0]))[0]
    assert first.progress is None


async def test_what_a_position_says_is_what_the_job_had_there(mill: Mill) -> None:
    """Folding the events up to the head gives what the state that was kept gives."""
    mill.generation()
    parent = await mill.generate_from(12, concurrency=3)
    await mill.ended(parent)
    last = (await positions(mill, parent))[-1].position
    kept, folded = await fork(mill, parent), await fork(mill, parent, position=last)
    said = [(await mill.said(JobForked, each))[0] for each in (kept, folded)]
    assert said[0].progress == said[1].progress
    assert said[0].progress is not None


async def test_a_fork_of_a_failed_job_asks_what_failed_and_one_of_a_paused_job_does_not_wait(
    mill: Mill,
) -> None:
    away = True

    async def generate(task: Task[GenerateEntries]) -> Done:
        task.may_start()
        if away and task.command.seeds[task.index] == 7:
            raise Fatal("auth", "no")
        return generated(task)

    mill.generation(generate=generate)
    failed = await mill.generate_from(20, concurrency=2)
    (end,) = await mill.ended(failed)
    assert isinstance(end, JobFailed)
    away = False
    child = await fork(mill, failed)
    assert await mill.ended(child) == [JobCompleted()]
    assert 7 in await complete(mill, child, 20)
    await mill.ask(JobRestartRequested(target=failed))
    assert await mill.ended(failed) == [JobCompleted()]


async def test_a_paused_and_a_cancelled_job_are_forked(mill: Mill) -> None:
    halting = Halting(4)
    mill.generation(generate=halting)
    parent = await mill.generate_from(12, concurrency=2)
    await mill.until(lambda: len(halting.seeds) == 4)
    await mill.ask(JobPauseRequested(target=parent))
    halting.go_on.set()
    await mill.until(lambda: _said(mill, JobPaused, parent))
    child = await fork(mill, parent)
    assert await mill.ended(child) == [JobCompleted()]
    await complete(mill, child, 12)
    await mill.ask(JobCancelRequested(target=parent))
    await mill.ended(parent)
    other = await fork(mill, parent)
    assert await mill.ended(other) == [JobCompleted()]
    await complete(mill, other, 12)


async def _said(mill: Mill, kind: type[Event], job: UUID) -> bool:
    return bool(await mill.said(kind, job))


async def test_a_fork_outlives_the_deletion_of_its_parent_and_restarts_and_is_exported(
    mill: Mill,
) -> None:
    mill.generation()
    parent = await mill.generate_from(6)
    await mill.ended(parent)
    half = (await mill.said(EntriesGenerated, parent))[2]
    at = next(e.position for e in await positions(mill, parent) if e.event == half)
    await mill.stop_workers()
    child = await fork(mill, parent, position=at)
    gone = await mill.ask(DatasetDeletionRequested(dataset_id=dataset_id(parent)))
    assert gone.code is None
    await mill.ask(JobCancelRequested(target=child))
    mill.documents()
    mill.generation()
    await mill.ended(child)
    await mill.ask(JobRestartRequested(target=child))
    assert await mill.ended(child) == [JobCompleted()]
    await complete(mill, child, 6)
    exported = job_of(await mill.ask(ExportRequested(dataset_id=dataset_id(child), format="json")))
    assert await mill.ended(exported) == [JobCompleted()]
    said = await mill.ask(JobForkRequested(target=parent))
    assert (said.code, said.status) == ("dataset_not_found", 404)


async def test_what_cannot_be_forked_is_refused_and_the_same_key_forks_once(mill: Mill) -> None:
    mill.generation()
    before = (await mill.log())[-1].position if await mill.log() else "1.1"
    parent = await mill.generate_from(2)
    await mill.ended(parent)
    project = await mill.project()
    reads = await mill.process(project, await mill.document(project, "1"))
    for request, refusal in (
        (JobForkRequested(target=fresh_id()), ("job_not_found", 404)),
        (JobForkRequested(target=reads), ("job_not_forkable", 409)),
        (JobForkRequested(target=parent, position="1.999999999"), ("unknown_position", 400)),
        (JobForkRequested(target=parent, position="7.1"), ("unknown_position", 400)),
        (JobForkRequested(target=parent, position=before), ("position_before_job", 400)),
    ):
        said = await mill.ask(request)
        assert (said.code, said.status) == refusal
    request = JobForkRequested(target=parent)
    first, again = await mill.ask(request, "key"), await mill.ask(request, "key")
    assert first.job_id == again.job_id
    assert len(await mill.said(JobForked)) == 1
