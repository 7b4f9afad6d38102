"""A job rests and goes on: what was not started is given back without being failed, and is asked once in all."""

import asyncio
from uuid import UUID

import pytest

from contracts.entries import CurateEntries, EntriesGenerated, GenerateEntries
from contracts.export import ExportRequested
from contracts.identity import dataset_id, outcome_id
from contracts.job import (
    JobCancelled,
    JobCancelRequested,
    JobCompleted,
    JobContinued,
    JobPaused,
    JobPauseRequested,
    JobPausing,
    JobRestartRequested,
    JobResumed,
    JobResumeRequested,
    JobWaiting,
)
from contracts.message import wire_type
from contracts.result import ResultIgnored
from contracts.unit import Said, UnitFailed, UnitFinished
from shared.clock import fresh_id
from shared.errors import Unavailable
from shared.stops import CONTROL, hint
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated
from tests.services.ledger.test_restarts import finished_exactly

PAUSES = (JobPausing, JobPaused, JobContinued)


class Held:
    """Calls that end when they are let go."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.go_on = asyncio.Event()

    async def __call__(self, task: Task[GenerateEntries]) -> Done:
        task.may_start()
        self.calls.append(task.command.seeds[task.index])
        await self.go_on.wait()
        return generated(task)


@pytest.fixture(autouse=True)
async def _leads(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()


async def course(mill: Mill, job: UUID) -> list[type]:
    """Pauses of a job in order."""
    return [type(each.event) for each in await mill.log(job) if isinstance(each.event, PAUSES)]


async def is_paused(mill: Mill, job: UUID) -> bool:
    return (await course(mill, job))[-1:] == [JobPaused]


async def test_calls_in_flight_finish_the_rest_is_given_back_and_asked_once(mill: Mill) -> None:
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(40, concurrency=4)
    await mill.until(lambda: len(held.calls) == 4)

    assert (await mill.ask(JobPauseRequested(target=job))).job_id == job
    assert await course(mill, job) == [JobPausing]
    await mill.ask(JobPauseRequested(target=job))
    held.go_on.set()
    await mill.until(lambda: is_paused(mill, job))

    assert sorted(held.calls) == sorted({e.seed for e in await mill.said(EntriesGenerated, job)})
    assert len(held.calls) == 4
    open_units = await mill.work(job, outcome=None)
    assert len(open_units) == 8
    assert {row["due_at"].year for row in open_units} == {9999}
    state = await mill.state(job)
    assert (state["counts"]["in_flight"], state["counts"]["failed"]) == (8, 0)

    await mill.ask(JobResumeRequested(target=job))
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 40)
    assert await course(mill, job) == [JobPausing, JobPaused, JobContinued]
    assert sorted(held.calls) == list(range(40))
    assert not await mill.said(UnitFailed, job)
    assert not await mill.said(ResultIgnored, job)


async def test_a_pause_survives_ledger_and_workers_and_who_begins_after_it_calls_nothing(
    mill: Mill,
) -> None:
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(30, concurrency=2)
    await mill.until(lambda: len(held.calls) == 2)
    await mill.stop_ledger()
    for _, task in mill.workers[
        2:
    ]:  # The workers that generate, curate and export are lost with what they hold.
        task.cancel()
    await asyncio.gather(*(task for _, task in mill.workers[2:]), return_exceptions=True)
    del mill.workers[2:]
    await mill.ledger()
    await mill.ask(JobPauseRequested(target=job))
    await mill.stop_ledger()

    late = Held()
    late.go_on.set()
    mill.generation(generate=late)
    await mill.ledger()
    await mill.until(lambda: is_paused(mill, job))
    await mill.stop_ledger()
    await mill.ledger()
    assert late.calls == []

    await mill.ask(JobResumeRequested(target=job))
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 30)


async def test_a_job_is_resumed_while_it_is_pausing(mill: Mill) -> None:
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(20, concurrency=2)
    await mill.until(lambda: len(held.calls) == 2)
    await mill.ask(JobPauseRequested(target=job))
    await mill.ask(JobResumeRequested(target=job))
    held.go_on.set()
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 20)
    assert await course(mill, job) == [JobPausing, JobContinued]


async def test_a_paused_job_is_cancelled_and_restarted(mill: Mill) -> None:
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(20, concurrency=2)
    await mill.until(lambda: len(held.calls) == 2)
    held.go_on.set()
    await mill.ask(JobPauseRequested(target=job))
    await mill.until(lambda: is_paused(mill, job))
    done = len(held.calls)

    await mill.ask(JobCancelRequested(target=job))
    refused = await mill.ask(JobPauseRequested(target=job))
    assert await mill.ended(job) == [JobCancelled()]
    assert refused.code in {"job_not_pausable", "job_not_found"}
    assert len(held.calls) == done

    await mill.ask(JobRestartRequested(target=job))
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 20)


async def test_a_job_that_waits_for_documents_rests_at_once(mill: Mill) -> None:
    await mill.stop_workers()
    job = await mill.generate_from(3)
    await mill.ask(JobPauseRequested(target=job))
    assert await course(mill, job) == [JobPausing, JobPaused]
    mill.documents()
    mill.generation()

    async def is_chunked() -> bool:
        return bool((await mill.state(job))["waiting"] == 0)

    await mill.until(is_chunked)
    assert not await mill.work(job)
    await mill.ask(JobResumeRequested(target=job))
    assert [each.started for each in await mill.said(JobContinued, job)] == [False]
    assert await mill.ended(job) == [JobCompleted()]


async def test_a_job_whose_model_is_away_rests_and_asks_it_again_when_it_goes_on(
    mill: Mill,
) -> None:
    away = True

    async def generate(task: Task[GenerateEntries]) -> Done:
        task.may_start()
        if away:
            raise Unavailable("unavailable", "refused", waiting_for="openai/x", retry_after=3600)
        return generated(task)

    mill.generation(generate=generate)
    job = await mill.generate_from(6, concurrency=2)
    await mill.until(lambda: _any(mill, JobWaiting, job))
    await mill.ask(JobPauseRequested(target=job))
    await mill.until(lambda: is_paused(mill, job))
    away = False
    await mill.ask(JobResumeRequested(target=job))
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 6)
    assert not await mill.said(JobResumed, job)


async def _any(mill: Mill, kind: type[JobWaiting], job: UUID) -> bool:
    return bool(await mill.said(kind, job))


async def test_what_is_generated_is_judged_while_the_job_rests(mill: Mill) -> None:
    may_judge = asyncio.Event()

    async def curate(task: Task[CurateEntries]) -> Done:
        await may_judge.wait()
        return await mill.curate(task)

    held = Held()
    mill.generation(generate=held, curate=curate)
    job = await mill.generate_from(20, concurrency=2)
    await mill.until(lambda: len(held.calls) == 2)
    await mill.ask(JobPauseRequested(target=job))
    held.go_on.set()

    async def is_curating() -> bool:
        return bool(await mill.work(job, service="curate", outcome=None))

    await mill.until(is_curating)
    assert not await is_paused(mill, job)
    may_judge.set()
    await mill.until(lambda: is_paused(mill, job))
    counts = (await mill.state(job))["counts"]
    assert (counts["accepted"], counts["awaiting"]) == (len(held.calls), 0)


async def test_nobody_need_be_there_for_a_job_to_come_to_rest(mill: Mill) -> None:
    """Its units were published and no worker that generates lives; any other beats."""
    mill.generation()
    await mill.stop_workers()
    mill.documents()
    mill.curation()
    job = await mill.generate_from(4)
    await mill.until(lambda: _planning(mill, job))
    await mill.ask(JobPauseRequested(target=job))
    await mill.until(lambda: is_paused(mill, job))
    mill.generation()
    await mill.ask(JobResumeRequested(target=job))
    assert await mill.ended(job) == [JobCompleted()]


async def _planning(mill: Mill, job: UUID) -> bool:
    return bool((await mill.state(job))["phase"] == "planning")


async def test_a_worker_that_thinks_a_job_is_cancelled_is_not_believed(mill: Mill) -> None:
    """A hint of an era that was lost, or a forged one: the unit is issued again, and the worker is put right."""
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(12, concurrency=2)
    await mill.until(lambda: len(held.calls) == 2)
    await mill.client.publish(f"{CONTROL}.{job}", hint("cancel", 0))
    held.go_on.set()
    assert await mill.ended(job) == [JobCompleted()]
    await finished_exactly(mill, job, 12)
    assert not await mill.said(UnitFailed, job)


async def test_a_late_word_of_an_earlier_attempt_gives_nothing_back(mill: Mill) -> None:
    held = Held()
    mill.generation(generate=held)
    job = await mill.generate_from(1)
    await mill.until(lambda: len(held.calls) == 1)
    (unit,) = [row["unit_id"] for row in await mill.work(job, outcome=None)]
    await mill.pool.execute("update ledger.work set attempt = 2 where unit_id = $1", unit)
    failed = UnitFailed(
        unit_id=unit, command=wire_type(GenerateEntries), code="cancelled", message="x"
    )
    said = (Said(type=wire_type(UnitFailed), data=failed.model_dump(mode="json")),)
    report = UnitFinished(
        unit_id=unit, job_id=job, service="generate", attempt=1, incarnation=fresh_id(), events=said
    )
    await mill.say(report)
    await mill.until(lambda: _drained(mill))
    (row,) = await mill.work(job, unit_id=unit)
    assert row["due_at"] is None
    assert outcome_id(unit, 1, report.incarnation) != row["outcome"]
    held.go_on.set()
    assert await mill.ended(job) == [JobCompleted()]


async def _drained(mill: Mill) -> bool:
    return await mill.in_stream("INBOX") == 0


async def test_what_cannot_be_paused_or_resumed_is_refused(mill: Mill) -> None:
    mill.generation()
    job = await mill.generate_from(1)
    await mill.ended(job)
    for request in (JobPauseRequested(target=job), JobResumeRequested(target=fresh_id())):
        said = await mill.ask(request)
        assert (said.code, said.status) == ("job_not_found", 404)
    await mill.stop_workers()
    runs = await mill.generate_from(1)
    said = await mill.ask(JobResumeRequested(target=runs))
    assert (said.code, said.status) == ("job_not_paused", 409)
    project = await mill.project()
    reads = await mill.process(project, await mill.document(project, "1"))
    answer = await mill.ask(ExportRequested(dataset_id=dataset_id(job), format="json"))
    assert answer.job_id is not None
    for other in (reads, answer.job_id):
        said = await mill.ask(JobPauseRequested(target=other))
        assert (said.code, said.status) == ("job_not_pausable", 409)
        assert "Only jobs that generate are paused." in (said.message or "")
