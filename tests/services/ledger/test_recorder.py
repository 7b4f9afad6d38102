"""What is recorded of outcomes: each once, the first of a unit, and never without what it cost."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from contracts.call import CallSettled
from contracts.entries import EntriesGenerated, GenerateEntries
from contracts.identity import call_id, calls_stream, event_id, outcome_id
from contracts.job import JobCompleted
from contracts.message import Event, wire_type
from contracts.project import ProjectCreated, ProjectRequested
from contracts.result import ResultIgnored
from contracts.unit import Body, Said, UnitFailed, UnitFinished
from services.ledger.recorder import Transient
from shared.bus import Envelope, dump
from shared.clock import fresh_id
from shared.errors import GristmillError, Unavailable
from shared.stack import Database
from shared.task import finished
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated


def settled(unit: UUID, attempt: int, incarnation: UUID) -> CallSettled:
    return CallSettled(
        call_id=call_id(unit, attempt, incarnation, 0),
        unit_id=unit,
        attempt=attempt,
        number=0,
        model="x/y",
        outcome="ok",
        latency_ms=1.0,
        prompt_tokens=3,
        completion_tokens=2,
        cached_tokens=0,
    )


async def pays(task: Task[GenerateEntries]) -> Done:
    task.calls.append(settled(task.unit, task.attempt, task.incarnation))
    return generated(task)


def other_attempt(report: UnitFinished) -> UnitFinished:
    """The same from another worker, which was given the unit anew."""
    incarnation = fresh_id()
    changed = {
        "attempt": 2,
        "incarnation": incarnation,
        "calls": (settled(report.unit_id, 2, incarnation),),
        "bodies": (),
    }
    return report.model_copy(update=changed)


async def test_a_job_runs_from_a_number_to_a_closed_dataset(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation(generate=pays)
    job = await mill.generate_from(20)
    assert await mill.ended(job) == [JobCompleted()]
    assert len(await mill.said(EntriesGenerated, job)) == len(await mill.said(CallSettled)) == 20
    assert set(mill.done.values()) == {1}
    assert await mill.work(job) == []
    for table in ("commands", "interests"):
        assert await mill.pool.fetchval(f"select count(*) from ledger.{table}") == 0  # noqa: S608
    assert mill.buried() == []


async def test_an_outcomes_events_are_numbered_from_its_message(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    job = await mill.generate_from(1)
    await mill.ended(job)
    [report] = [r for r in mill.outcomes("generate") if r.events[0].type.endswith("generated.v1")]
    outcome = outcome_id(report.unit_id, 1, report.incarnation)
    [recorded] = [e for e in await mill.log(job) if isinstance(e.event, EntriesGenerated)]
    assert recorded.id == event_id(outcome, 0)
    assert recorded.cause_id == outcome


async def test_an_outcome_that_comes_again_has_one_effect(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation(generate=pays)
    job = await mill.generate_from(3)
    await mill.ended(job)
    before = await mill.log()
    for service in ("ingest", "chunk", "generate", "curate", "export"):
        for report in mill.outcomes(service):
            await mill.say(report)
    await _drained(mill)
    assert await mill.log() == before
    assert mill.buried() == []


async def test_the_outcome_of_another_attempt_is_ignored_and_its_cost_recorded(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    held: list[Task[GenerateEntries]] = []

    async def first_only(task: Task[GenerateEntries]) -> Done:
        if task.command.seeds[task.index]:
            held.append(task)
            await mill.until(lambda: not held)
        return await pays(task)

    mill.generation(generate=first_only)
    job = await mill.generate_from(2)

    async def has_one() -> bool:
        return len(await mill.said(EntriesGenerated, job)) == 1

    await mill.until(has_one)
    [report] = [r for r in mill.outcomes("generate") if r.events[0].type.endswith("generated.v1")]
    late = other_attempt(report)
    for _ in range(2):
        await mill.say(late)
    await _drained(mill)
    ignored = ResultIgnored(unit_id=late.unit_id, attempt=2, incarnation=late.incarnation)
    assert await mill.said(ResultIgnored) == [ignored]
    assert await mill.said(CallSettled) == [*report.calls, *late.calls]

    held.clear()
    assert await mill.ended(job) == [JobCompleted()]
    after_the_end = other_attempt(report)
    await mill.say(after_the_end)
    await _drained(mill)
    assert len(await mill.said(ResultIgnored)) == 2
    assert len(await mill.said(EntriesGenerated)) == 2
    assert len(await mill.said(CallSettled)) == 4
    streams = {e.stream for e in await mill.log() if isinstance(e.event, ResultIgnored)}
    assert streams == {calls_stream(job)}


async def test_two_outcomes_of_one_unit_in_one_batch_are_one_outcome(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()

    async def never(task: Task[GenerateEntries]) -> Done:
        await mill.until(lambda: answered)
        return generated(task)

    answered: list[bool] = []
    mill.generation(generate=never)
    job = await mill.generate_from(1)

    async def issued() -> bool:
        return len(await mill.work(job, service="generate", outcome=None)) == 1 and mill.done != {}

    await mill.until(lambda: sum(mill.done.values()) == 4)
    await mill.until(issued)
    await mill.stop_ledger()
    [work] = await mill.work(job, service="generate", outcome=None)
    task = Task(_command(mill, work["command_id"]), 0, "default", 1, fresh_id(), lambda: None)
    [event] = generated(task).events
    first = UnitFinished(
        unit_id=work["unit_id"],
        job_id=job,
        service="generate",
        attempt=1,
        incarnation=task.incarnation,
        events=(Said(type="gristmill.entries.generated.v1", data=event.model_dump(mode="json")),),
        calls=(settled(work["unit_id"], 1, task.incarnation),),
    )
    for report in (first, first, other_attempt(first)):
        await mill.say(report)
    await mill.ledger()
    answered.append(True)
    assert await mill.ended(job) == [JobCompleted()]
    await _drained(mill)
    assert len(await mill.said(EntriesGenerated)) == 1
    assert len(await mill.said(CallSettled)) == 2
    assert len(await mill.said(ResultIgnored)) == 2  # the other attempt's and the held worker's


def _command(mill: Mill, command: UUID) -> GenerateEntries:
    [found] = [e for e in mill.envelopes("gristmill.commands.generate") if e.id == str(command)]
    return GenerateEntries.model_validate_json(found.body)


async def test_one_poisonous_message_does_not_keep_its_batch_from_being_recorded(
    mill: Mill, database: Database
) -> None:
    """All of them lie there before the ledger takes them, so they are one batch."""
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("alter table ledger.projects add check (name <> 'poison')")
    await admin.close()
    names = [f"p{n}" if n != 7 else "poison" for n in range(20)]
    for n, name in enumerate(names):
        envelope = Envelope(
            type="gristmill.project.requested.v1",
            id=str(n),
            source="t",
            subject="gristmill.requests.default.project",
            body=dump(ProjectRequested(name=name)),
        )
        await mill.client.jetstream().publish(
            envelope.subject, envelope.body, headers=envelope.all_headers()
        )
    await mill.ledger()
    await _drained(mill)
    created = await mill.said(ProjectCreated)
    assert [each.name for each in created] == [name for name in names if name != "poison"]
    assert [each.alias for each in created] == list(range(1, 20))
    await mill.until(lambda: len(mill.buried()) == 1)
    positions = [each.position for each in await mill.log()]
    assert positions == [f"1.{n}" for n in range(1, 39)]


async def test_one_poisonous_outcome_of_a_bundle_is_buried_alone_and_a_bundle_that_comes_again_has_one_effect(
    mill: Mill,
) -> None:
    """The workers hold their units, so that what the test says of them is the first word."""
    held: set[UUID] = set()
    answered = asyncio.Event()

    async def waits(task: Task[GenerateEntries]) -> Done:
        held.add(task.unit)
        await answered.wait()
        return await pays(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=waits)
    job = await mill.generate_from(5)
    await mill.until(lambda: len(held) == 5)
    command = next(
        GenerateEntries.model_validate_json(each.body)
        for each in mill.envelopes("gristmill.commands.generate")
        if each.type == wire_type(GenerateEntries)
    )
    reports = []
    for index in range(5):
        task = Task(command, index, "default", 1, fresh_id(), lambda: None)
        done = await pays(task)
        if index == 2:
            done = Done((UnitFailed(unit_id=task.unit, command="x", code="x", message="\x00"),))
        reports.append(finished(task, "generate", done))
    broken = reports[3].model_copy(update={"attempt": 0})
    for _ in range(2):
        await mill.say(*reports[:3], broken, reports[4])
    await _drained(mill)
    said = await mill.said(EntriesGenerated, job)
    assert [each.unit_id for each in said] == [command.units[n] for n in (0, 1, 4)]
    [failed] = await mill.said(UnitFailed, job)
    assert (failed.unit_id, failed.code) == (command.units[2], "unrecordable")
    # What could not be read is buried for each message that brings it; what could not be recorded was known by then.
    assert await mill.in_stream("DEAD") == 3
    assert {each.partition(":")[0] for each in mill.buried()} == {
        "UntranslatableCharacterError", "invalid_message",
    }  # fmt: skip
    dead = next(e for e in mill.envelopes("gristmill.dead") if b'"attempt":0' in e.body)
    assert UnitFinished.model_validate_json(dead.body.replace(b'"attempt":0', b'"attempt":1'))

    answered.set()
    assert await mill.ended(job) == [JobCompleted()]
    made = [each.unit_id for each in await mill.said(EntriesGenerated, job)]
    assert sorted(made) == sorted(command.units[n] for n in (0, 1, 3, 4))


async def _says(mill: Mill, report_of: Any) -> list[Event]:
    """A job of 3 seeds in which the outcome of seed 1 is replaced; return how the job's units ended."""
    await mill.ledger()
    mill.documents()

    async def generate(task: Task[GenerateEntries]) -> Done:
        done = generated(task)
        return report_of(task, done) if task.command.seeds[task.index] == 1 else done

    mill.generation(generate=generate)
    job = await mill.generate_from(3)
    assert await mill.ended(job) == [JobCompleted()]
    assert set(mill.done.values()) == {1}
    assert len(await mill.said(EntriesGenerated, job)) == 2
    return list(await mill.said(UnitFailed, job))


async def test_an_outcome_that_cannot_be_recorded_is_buried_and_its_unit_fails_at_once(
    mill: Mill,
) -> None:
    """Doing it again would cost the same and end the same."""

    def spoils(_: Task[GenerateEntries], done: Done) -> Done:
        return Done(tuple(each.model_copy(update={"seed": 2**70}) for each in done.events))

    [failed] = await _says(mill, spoils)
    assert isinstance(failed, UnitFailed)
    assert (failed.code, failed.fatal) == ("unrecordable", False)
    assert len(mill.buried()) == 1


async def test_a_service_may_say_only_what_is_its_to_say(mill: Mill) -> None:
    [failed] = await _says(mill, lambda task, _: Done((JobCompleted(),)))
    assert isinstance(failed, UnitFailed)
    assert failed.code == "unrecordable"
    assert mill.buried() == ["generate may not say gristmill.job.completed.v1"]


async def test_bodies_are_kept_with_their_sources(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()

    async def with_body(task: Task[GenerateEntries]) -> Done:
        done = generated(task)
        body = Body(
            body_id=task.event_id(1), kind="entries", text="ä\ud83d\ude00".encode(
                "utf-16", "surrogatepass"
            ).decode("utf-16"), documents=(task.command.job_id,),
        )  # fmt: skip
        return Done(done.events, (body,))

    mill.generation(generate=with_body)
    job = await mill.generate_from(1)
    await mill.ended(job)
    [event] = await mill.said(EntriesGenerated, job)
    assert await mill.reader.bodies([event.body]) == {event.body: "ä😀"}
    assert await mill.pool.fetchval("select document_id from ledger.body_sources") == job


@pytest.mark.parametrize(
    "problem",
    [
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("stopping"),
        asyncpg.CrashShutdownError("another process crashed"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.DiskFullError("full"),
        asyncpg.TooManyConnectionsError("many"),
        asyncpg.InterfaceError("closed"),
        asyncpg.IdleInTransactionSessionTimeoutError("idle"),
        asyncpg.ReadOnlySQLTransactionError("a standby"),
        ConnectionRefusedError(),
        TimeoutError(),
        Unavailable("x", "x", waiting_for="blobs", retry_after=1),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_what_the_store_cannot_do_for_the_moment_is_nobodys_poison(problem: Exception) -> None:
    assert isinstance(problem, Transient)


@pytest.mark.parametrize(
    "problem",
    [
        asyncpg.UntranslatableCharacterError("nul"),
        asyncpg.UniqueViolationError("twice"),
        LookupError("no stream"),
        GristmillError("x", "x"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_what_a_message_is_at_fault_for_is_not_tried_again(problem: Exception) -> None:
    assert not isinstance(problem, Transient)


async def _drained(mill: Mill) -> None:
    async def empty() -> bool:
        return await mill.in_stream("INBOX") == 0 == await mill.in_stream("REQUESTS")

    await mill.until(empty)
