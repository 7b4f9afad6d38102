"""A job that failed or was cancelled goes on: what is done stays done, and late words of before change nothing."""

from uuid import UUID

import pytest

from contracts.dataset import DatasetCompleted
from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated, GenerateEntries
from contracts.export import ExportRequested
from contracts.identity import dataset_id
from contracts.job import (
    JobCancelled,
    JobCancelRequested,
    JobCompleted,
    JobFailed,
    JobRestartRequested,
)
from contracts.result import ResultIgnored
from shared.errors import Rejected
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated

NOBODY = UUID(int=9)


class Fatal(Rejected):
    fatal = True


@pytest.fixture(autouse=True)
async def _leads(mill: Mill) -> None:
    await mill.ledger()


async def finished_exactly(mill: Mill, job: UUID, chunks: int) -> None:
    """Every seed once, every entry judged once, the counts of the newest closing exact."""
    made = await mill.said(EntriesGenerated, job)
    assert sorted(each.seed for each in made) == list(range(chunks))
    judged = [v.entry_id for e in await mill.said(EntriesCurated, job) for v in e.verdicts]
    taken = [entry for e in await mill.said(EntriesAdmitted, job) for entry in e.accepted]
    assert len(judged) == len(set(judged)) == len(taken) == len(set(taken)) == chunks
    counts = (await mill.said(DatasetCompleted, job))[-1].counts
    assert (counts.seeds, counts.done, counts.accepted) == (chunks, chunks, chunks)
    assert counts.failed == counts.in_flight == counts.not_needed == counts.awaiting == 0


async def test_a_job_that_failed_in_its_middle_asks_only_what_it_lacks(mill: Mill) -> None:
    away = True

    async def generate(task: Task[GenerateEntries]) -> Done:
        task.may_start()
        seed = task.command.seeds[task.index]
        if away and seed == 11:
            raise Fatal("auth", "The key is not valid.")
        return generated(task)

    mill.documents()
    mill.generation(generate=generate)
    job = await mill.generate_from(40, concurrency=4)
    (ended,) = await mill.ended(job)
    assert isinstance(ended, JobFailed)
    before = {each.unit_id for each in await mill.said(EntriesGenerated, job)}
    assert before
    away = False

    assert (await mill.ask(JobRestartRequested(target=job), "again")).job_id == job
    assert (await mill.ask(JobRestartRequested(target=job), "again")).job_id == job

    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 40)
    assert all(mill.done[unit] == 1 for unit in before)


async def test_a_cancelled_job_is_restarted_and_its_dataset_closes_again(mill: Mill) -> None:
    mill.documents()
    mill.generation()
    await mill.stop_workers()
    mill.documents()
    job = await mill.generate_from(30, concurrency=2)
    held: list[Task[GenerateEntries]] = []

    async def generate(task: Task[GenerateEntries]) -> Done:
        if len(held) == 6:
            await mill.ask(JobCancelRequested(target=job))
        held.append(task)
        task.may_start()
        return generated(task)

    mill.generation(generate=generate)
    assert await mill.ended(job) == [JobCancelled()]
    cancelled = (await mill.said(DatasetCompleted, job))[-1]
    assert cancelled.ending == "cancelled"
    assert cancelled.counts.not_needed

    await mill.ask(JobRestartRequested(target=job))

    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 30)
    assert (await mill.said(DatasetCompleted, job))[-1].ending == "seeds_used_up"


async def test_a_job_that_was_cancelled_while_it_waited_begins_with_its_documents(
    mill: Mill,
) -> None:
    job = await mill.generate_from(3)
    await mill.ask(JobCancelRequested(target=job))
    await mill.ended(job)
    await mill.ask(JobRestartRequested(target=job))
    mill.documents()
    mill.generation()
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 3)


async def test_documents_that_cannot_be_used_are_counted_again(mill: Mill) -> None:
    mill.documents()
    project = await mill.project()
    document = await mill.document(project, "no number")
    job = await mill.process(project, document)
    ended = await mill.ended(job)
    assert isinstance(ended[0], JobFailed)
    await mill.ask(JobRestartRequested(target=job))
    assert await mill.ended(job) == ended


async def test_an_export_goes_on(mill: Mill) -> None:
    mill.documents()
    mill.generation()
    made = await mill.generate_from(2)
    await mill.ended(made)
    await mill.stop_workers()
    answer = await mill.ask(ExportRequested(dataset_id=dataset_id(made), format="json"))
    assert answer.job_id is not None
    await mill.ask(JobCancelRequested(target=answer.job_id))
    await mill.ended(answer.job_id)
    await mill.ask(JobRestartRequested(target=answer.job_id))
    mill.generation()
    assert await mill.ended(answer.job_id) == [JobCompleted()]
    assert not await mill.said(ResultIgnored, made)


async def test_what_cannot_be_restarted_is_refused(mill: Mill) -> None:
    mill.documents()
    mill.generation()
    job = await mill.generate_from(1)
    await mill.ended(job)
    project = await mill.project()
    for target in (NOBODY, job, project):
        said = await mill.ask(JobRestartRequested(target=target))
        assert (said.code, said.status) == ("job_not_found", 404)
        assert said.message == f"Job {target} not found or cannot be restarted"
