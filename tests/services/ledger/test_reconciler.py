"""What nobody works on is issued again, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
import pytest
from nats.aio.client import Client

from contracts.entries import CurateEntries, EntriesGenerated, GenerateEntries
from contracts.generation import PlanGeneration
from contracts.identity import seed_unit
from contracts.job import JobCancelled, JobCancelRequested, JobCompleted, JobResumed, JobWaiting
from contracts.message import wire_type
from contracts.unit import UnitDeferred, UnitFailed, UnitFinished
from services.ledger.outcomes import MOST_DEFERRED
from services.ledger.reconciler import MOST_LOST, Beats
from shared.bus import ATTEMPT, Envelope, connect, dump, envelope_from
from shared.clock import fresh_id, monotonic
from shared.errors import Unavailable
from shared.task import failed, finished
from shared.worker import Done, Task, Work
from tests.services.ledger.mill import Mill, generated, plan

U, V = UUID(int=1), UUID(int=2)


# -- who was heard ---------------------------------------------------------------------------------


def test_a_unit_is_silent_when_no_beat_named_it_for_a_deadline() -> None:
    beats = Beats(deadline=10)
    beats.note("generate", "a", [U], now=100)
    assert not beats.silent(U, now=110)
    assert beats.silent(U, now=110.1)
    assert beats.silent(V, now=100)


def test_a_silence_means_something_when_workers_were_heard_for_a_deadline() -> None:
    beats = Beats(deadline=10)
    assert not beats.may_judge("generate", now=100)
    for now in (100, 105, 109.9):
        beats.note("generate", "a", [], now=now)
    assert not beats.may_judge("generate", now=109.9)
    assert beats.may_judge("generate", now=110)
    assert not beats.may_judge("curate", now=110)


def test_whose_workers_all_died_is_judged_as_soon_as_one_is_back() -> None:
    """The beats of other services show that the ledger heard all along."""
    beats = Beats(deadline=10)
    beats.note("generate", "a", [U], now=99)
    for now in range(100, 130):
        beats.note("curate", "c", [], now=now)
    assert not beats.may_judge("generate", now=129)
    beats.note("generate", "b", [], now=129)
    assert beats.may_judge("generate", now=129)
    assert beats.silent(U, now=129)


def test_after_nobody_was_heard_judging_begins_anew() -> None:
    beats = Beats(deadline=10)
    beats.note("generate", "a", [], now=100)
    beats.note("generate", "b", [], now=200)
    assert not beats.may_judge("generate", now=209)
    beats.note("generate", "b", [], now=209)
    assert beats.may_judge("generate", now=210)


def test_workers_are_counted_by_incarnation_while_they_beat() -> None:
    beats = Beats(deadline=10)
    for name, now in (("a", 100), ("b", 101), ("a", 105)):
        beats.note("generate", name, [], now=now)
    assert beats.alive("generate", now=110) == 2
    assert beats.alive("generate", now=112) == 1
    assert beats.alive("generate", now=116) == 0
    assert beats.alive("chunk", now=100) == 0


def test_what_a_leaving_worker_gives_back_is_nobodys_until_another_names_it() -> None:
    beats = Beats(deadline=10)
    beats.note("generate", "a", [U, V], now=100)
    beats.note("generate", "b", [V], now=101)
    beats.note("generate", "a", [], now=102, left=[U, V], leaving=True)
    assert beats.left == [U]  # the other is b's by now
    assert beats.alive("generate", now=102) == 1
    beats.note("generate", "b", [U], now=103)
    assert beats.left == []


def test_what_is_long_past_is_forgotten() -> None:
    beats = Beats(deadline=10)
    beats.note("generate", "a", [U], now=100)
    beats.note("generate", "a", [V], now=115)
    beats.forget_old(now=121)
    assert set(beats._units) == {V}


# -- what is issued again --------------------------------------------------------------------------


class Puppet:
    """A generate worker that does as it is told: plans, hears packs, beats, says outcomes."""

    def __init__(self, mill: Mill, client: Client) -> None:
        self.mill = mill
        self.client = client
        self.holds: set[UUID] = set()
        self.packs: list[tuple[int, GenerateEntries]] = []
        """Attempt and command, as they were heard."""
        self._incarnation = fresh_id()

    async def hear(self) -> None:
        pull = await self.client.jetstream().pull_subscribe_bind("generate", "COMMANDS")
        while True:
            with contextlib.suppress(TimeoutError):
                [message] = await pull.fetch(1, timeout=0.5)
                await message.ack()
                envelope = envelope_from(message.subject, message.headers, message.data)
                attempt = int(envelope.headers[ATTEMPT])
                if envelope.type == wire_type(GenerateEntries):
                    pack = GenerateEntries.model_validate_json(envelope.body)
                    self.packs.append((attempt, pack))
                else:
                    command = PlanGeneration.model_validate_json(envelope.body)
                    task = Task(command, 0, "default", attempt, self._incarnation, lambda: None)
                    await self.says(finished(task, "generate", await plan(task)))

    async def beat(self) -> None:
        while True:
            beat = {
                "incarnation": str(self._incarnation),
                "units": [str(unit) for unit in self.holds],
            }
            await self.client.publish("gristmill.beat.generate", orjson.dumps(beat))
            await asyncio.sleep(0.05)

    def units(self) -> list[tuple[int, list[int]]]:
        """Attempt and seeds of each pack heard."""
        return [(attempt, sorted(pack.seeds)) for attempt, pack in self.packs]

    def task(self, unit: UUID) -> Task[GenerateEntries]:
        """The newest attempt at a unit."""
        attempt, pack = [found for found in self.packs if unit in found[1].units][-1]
        index = pack.units.index(unit)
        return Task(pack, index, "default", attempt, self._incarnation, lambda: None)

    async def does(self, *units: UUID) -> None:
        for unit in units:
            task = self.task(unit)
            await self.says(finished(task, "generate", generated(task)))

    async def puts_off(self, unit: UUID, retry_after: float) -> None:
        task = self.task(unit)
        report = UnitDeferred(
            unit_id=unit,
            job_id=task.command.job_id,
            service="generate",
            attempt=task.attempt,
            incarnation=self._incarnation,
            waiting_for="x/y",
            reason="Slowly.",
            retry_after=retry_after,
        )
        await self.says(report)

    async def fails(self, unit: UUID) -> None:
        task = self.task(unit)
        await self.says(failed(task, "generate", "content_filter", "Refused."))

    async def says(self, report: UnitFinished | UnitDeferred) -> None:
        kind = "finished" if isinstance(report, UnitFinished) else "deferred"
        envelope = Envelope(
            type=f"gristmill.unit.{kind}.v1",
            id=str(fresh_id()),
            source="generate",
            subject="gristmill.results.generate",
            body=dump(report),
            headers={"gristmill-tenant": "default"},
        )
        await self.client.jetstream().publish(
            envelope.subject, envelope.body, headers=envelope.all_headers()
        )

    async def heard(self, packs: int) -> None:
        await self.mill.until(lambda: len(self.packs) >= packs)


@pytest.fixture
async def puppet(mill: Mill) -> AsyncIterator[Puppet]:
    """With everything else around it."""
    client = await connect(mill.settings("generate"), "generate")
    puppet = Puppet(mill, client)
    await mill.ledger()
    mill.documents()
    mill.curation()

    async def declared() -> bool:
        return await mill.pool.fetchval("select holder <> '' from ledger.leader") is True

    await mill.until(declared)
    tasks = [asyncio.create_task(puppet.beat()), asyncio.create_task(puppet.hear())]
    yield puppet
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()


def units_of(job: UUID, seeds: int) -> list[UUID]:
    return [seed_unit(job, seed) for seed in range(seeds)]


async def test_units_that_no_beat_names_are_issued_again_and_only_those(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(5)
    await puppet.heard(1)
    units = units_of(job, 5)
    puppet.holds = {units[0], units[3]}
    await puppet.does(units[1])
    await puppet.heard(2)
    assert puppet.units() == [(1, [0, 1, 2, 3, 4]), (2, [2, 4])]
    attempts = {row["unit_id"]: (row["attempt"], row["lost"]) for row in await mill.work(job)}
    assert [attempts.get(unit) for unit in units] == [(1, 0), None, (2, 1), (1, 0), (2, 1)]

    puppet.holds |= {units[2], units[4]}
    await puppet.does(units[0], units[2], units[3], units[4])
    assert await mill.ended(job) == [JobCompleted()]
    assert len(puppet.packs) == 2
    assert len(await mill.said(EntriesGenerated, job)) == 5


async def test_what_is_named_is_left_alone_through_a_change_of_leaders(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(2)
    await puppet.heard(1)
    puppet.holds = set(units_of(job, 2))
    await mill.stop_ledger()
    await mill.ledger()
    deadline = mill.settings("ledger").deadline
    began = monotonic()
    # Were it issued again, that would be at the new leader's first look, a deadline after its start.
    await mill.until(lambda: monotonic() - began > 2 * deadline)
    assert puppet.units() == [(1, [0, 1])]
    await puppet.does(*puppet.holds)
    assert await mill.ended(job) == [JobCompleted()]


async def test_a_unit_that_is_put_off_comes_back_when_it_is_due(mill: Mill, puppet: Puppet) -> None:
    job = await mill.generate_from(3)
    await puppet.heard(1)
    units = units_of(job, 3)
    puppet.holds = set(units)
    await puppet.does(units[0])
    await puppet.puts_off(units[1], 0.0)
    await puppet.heard(2)
    assert puppet.units()[1] == (2, [1])
    # Another unit of the same command: with the id of the second attempt the bus would swallow the third.
    await puppet.puts_off(units[2], 0.0)
    await puppet.heard(3)
    assert puppet.units()[2] == (3, [2])
    assert {row["lost"] for row in await mill.work(job)} == {0}
    await puppet.does(units[1], units[2])
    assert await mill.ended(job) == [JobCompleted()]


async def test_a_unit_that_is_put_off_gives_its_place_in_the_windows_back(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(1)
    await puppet.heard(1)
    await puppet.puts_off(seed_unit(job, 0), 3600.0)

    async def put_off() -> bool:
        [row] = await mill.work(job, service="generate", outcome=None)
        return row["due_at"] is not None

    await mill.until(put_off)
    state = await mill.state(job)
    assert (state["waiting_for"], state["counts"]["in_flight"]) == ("x/y", 1)
    [waiting] = await mill.said(JobWaiting, job)
    assert (waiting.waiting_for, waiting.reason) == ("x/y", "Slowly.")


async def test_while_a_job_waits_nothing_new_is_started_and_all_of_it_when_it_goes_on(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(40, concurrency=8)
    await puppet.heard(2)
    units = units_of(job, 40)
    puppet.holds = set(units)
    await puppet.puts_off(units[0], 0.0)
    await puppet.heard(3)
    assert sum(len(pack.units) for _, pack in puppet.packs) == 17
    await puppet.does(*units[:8])
    await puppet.heard(4)
    assert puppet.units()[3][0] == 1
    assert puppet.units()[3][1][0] == 16
    assert len(await mill.said(JobResumed, job)) == 1


async def test_a_job_that_waits_goes_on_when_what_it_waited_for_failed(
    mill: Mill, puppet: Puppet
) -> None:
    """Nothing else is in flight that could answer."""
    job = await mill.generate_from(3, entries=1, concurrency=1)
    await puppet.heard(1)
    puppet.holds = set(units_of(job, 3))
    [first] = puppet.packs[0][1].units[:1]
    issued = [unit for _, pack in puppet.packs for unit in pack.units]
    await puppet.puts_off(first, 0.0)
    await puppet.heard(2)
    for unit in issued:
        await puppet.fails(unit)
    await mill.until(lambda: len({u for _, p in puppet.packs for u in p.units}) > len(issued))


async def test_a_unit_whose_workers_fall_silent_again_and_again_is_given_up(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(2)
    await puppet.heard(1)
    units = units_of(job, 2)
    puppet.holds = {units[1]}
    await mill.pool.execute(
        "update ledger.work set lost = $2 where unit_id = $1", units[0], MOST_LOST
    )

    async def given_up() -> bool:
        return bool(await mill.said(UnitFailed, job))

    await mill.until(given_up)
    [failure] = await mill.said(UnitFailed, job)
    assert (failure.unit_id, failure.code, failure.fatal) == (units[0], "worker_lost", False)
    assert failure.command == wire_type(GenerateEntries)
    await puppet.does(units[1])
    assert await mill.ended(job) == [JobCompleted()]
    assert len(puppet.packs) == 1


async def test_a_unit_that_alone_is_put_off_again_and_again_is_given_up(
    mill: Mill, puppet: Puppet
) -> None:
    """While others are answered, it is not the model that is away."""
    job = await mill.generate_from(2)
    await puppet.heard(1)
    units = units_of(job, 2)
    puppet.holds = set(units)
    await mill.pool.execute(
        "update ledger.work set deferred = $2 where unit_id = $1", units[0], MOST_DEFERRED - 1
    )
    await puppet.does(units[1])
    await puppet.puts_off(units[0], 0.0)
    assert await mill.ended(job) == [JobCompleted()]
    [failure] = await mill.said(UnitFailed, job)
    assert (failure.unit_id, failure.code) == (units[0], "unavailable")


async def test_a_long_silence_of_the_model_uses_up_no_attempt(mill: Mill, puppet: Puppet) -> None:
    """Neither while nobody is answered nor afterwards, when one unit is put off once more."""
    job = await mill.generate_from(3)
    await puppet.heard(1)
    units = units_of(job, 3)
    puppet.holds = set(units)
    for n in range(2 * MOST_DEFERRED):
        for unit in units:
            await puppet.puts_off(unit, 0.0 if unit == units[0] else 3600.0)
        await mill.until(lambda n=n: any(attempt == n + 2 for attempt, _ in puppet.packs))
        await mill.pool.execute(
            "update ledger.work set due_at = null, attempt = $2 where unit_id = any($1)",
            units,
            n + 2,
        )
        puppet.packs.append((n + 2, puppet.packs[0][1]))
    [waiting] = await mill.said(JobWaiting, job)
    assert (waiting.waiting_for, waiting.reason) == ("x/y", "Slowly.")
    await puppet.does(units[0])
    await puppet.puts_off(units[1], 0.0)
    await mill.until(
        lambda: any(
            units[1] in pack.units
            for attempt, pack in puppet.packs
            if attempt > 2 * MOST_DEFERRED + 1
        )
    )
    await puppet.does(units[1], units[2])
    assert await mill.ended(job) == [JobCompleted()]
    assert await mill.said(UnitFailed, job) == []


async def test_what_is_put_off_does_not_keep_a_job_from_being_cancelled(
    mill: Mill, puppet: Puppet
) -> None:
    """Neither the model nor a worker that heard of the cancellation is needed for it."""
    job = await mill.generate_from(3)
    await puppet.heard(1)
    for unit in units_of(job, 3):
        await puppet.puts_off(unit, 3600.0)

    async def all_put_off() -> bool:
        open_ = await mill.work(job, service="generate", outcome=None)
        return all(row["due_at"] is not None for row in open_)

    await mill.until(all_put_off)
    assert (await mill.ask(JobCancelRequested(target=job))).code is None
    assert await mill.ended(job) == [JobCancelled()]
    assert [each.code for each in await mill.said(UnitFailed, job)] == ["cancelled"] * 3
    assert len(puppet.packs) == 1


async def test_units_of_a_cancelled_job_whose_worker_died_are_not_issued_again(
    mill: Mill, puppet: Puppet
) -> None:
    job = await mill.generate_from(3)
    await puppet.heard(1)
    await mill.ask(JobCancelRequested(target=job))
    assert await mill.ended(job) == [JobCancelled()]
    assert len(puppet.packs) == 1


@pytest.mark.parametrize("crashes", [1, 2])
async def test_a_crash_of_curation_in_the_middle_does_not_stop_generation(
    mill: Mill, puppet: Puppet, crashes: int
) -> None:
    left = [None] * crashes
    await mill.stop_workers()
    mill.documents()

    async def curate(task: Task[CurateEntries]) -> Done:
        if left:
            left.pop()
            raise KeyError("x")
        return await mill.curate(task)

    mill.curation(curate)
    job = await mill.generate_from(30, concurrency=8)
    done: set[UUID] = set()

    async def all_done() -> bool:
        issued = {unit for _, pack in puppet.packs for unit in pack.units}
        puppet.holds = issued
        await puppet.does(*(issued - done))
        done.update(issued)
        return len(done) == 30

    await mill.until(all_done)
    assert await mill.ended(job) == [JobCompleted()]
    assert await mill.said(JobWaiting, job) == []


async def test_a_plan_that_had_to_wait_does_not_keep_the_job_waiting(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    left = [None]

    async def waits_once(task: Task[PlanGeneration]) -> Done:
        if left:
            left.pop()
            raise Unavailable("blobs", "Away.", waiting_for="the blobs", retry_after=0.0)
        return await plan(task)

    mill.worker("generate", Work(PlanGeneration, waits_once), Work(GenerateEntries, mill.generate))
    mill.curation()
    job = await mill.generate_from(2)
    assert await mill.ended(job) == [JobCompleted()]
    assert [each.waiting_for for each in await mill.said(JobWaiting, job)] == ["the blobs"]
    assert len(await mill.said(JobResumed, job)) == 1
