"""The runtime of a service against a real NATS: what is done, said, held, given back and buried.

Handlers are small; the commands are those of the main job. Times are short: an unheld message is delivered again after
0.6 s, which is what the tests of holding would see.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
import pytest
from nats.aio.client import DEFAULT_MAX_RECONNECT_ATTEMPTS, Client
from nats.aio.msg import Msg

from contracts.blob import BlobRef
from contracts.call import CallSettled
from contracts.entries import CurateEntries, GenerateEntries
from contracts.generation import GenerationSettings
from contracts.identity import call_id, dataset_id, seed_unit
from contracts.job import JobStarted
from contracts.message import Command, wire_type
from contracts.unit import Body, UnitDeferred, UnitFailed, UnitFinished
from shared.blobs import FolderBlobs
from shared.bundle import envelopes
from shared.bus import (
    ATTEMPT,
    BLOB,
    CRASHES,
    Envelope,
    claim_check,
    claimed,
    connect,
    dump,
)
from shared.clock import fresh_id
from shared.errors import GristmillError, Unavailable
from shared.health import Health
from shared.hearing import Away
from shared.settings import Settings
from shared.stack import Nats, Running
from shared.stack.child import Child
from shared.stops import CONTROL, Stops, answer, hint
from shared.topology import declare
from shared.unread import MOST_CRASHES
from shared.worker import Done, Handler, Task, Work, Worker

Until = Callable[..., Awaitable[None]]
PLAN = BlobRef(kind="plan", sha256="0" * 64, size=1)
ACK_WAIT, BEAT = 0.6, 0.1


def pack(units: int, *, job: UUID | None = None, share: int = 8, first: int = 0) -> GenerateEntries:
    job = job or fresh_id()
    seeds = tuple(range(first, first + units))
    return GenerateEntries(
        job_id=job,
        units=tuple(seed_unit(job, seed) for seed in seeds),
        dataset_id=dataset_id(job),
        plan=PLAN,
        seeds=seeds,
        settings=GenerationSettings(),
        share=share,
    )


def generating(handler: Handler) -> Work:
    return Work(GenerateEntries, handler, share=lambda command: command.share)


async def echo(task: Task[Command]) -> Done:
    return Done((JobStarted(documents=task.index),))


def must_not_run(task: Task[Command]) -> Awaitable[Done]:
    raise AssertionError(f"unit {task.unit} was started")


class Held:
    """A handler whose units end when they are told to."""

    def __init__(self) -> None:
        self.started: list[UUID] = []
        self._may_end: dict[UUID, asyncio.Event] = {}
        self.busy = 0
        self.most = 0

    def end(self, *units: UUID) -> None:
        for unit in units:
            self._may_end.setdefault(unit, asyncio.Event()).set()

    async def __call__(self, task: Task[Command]) -> Done:
        self.started.append(task.unit)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self._may_end.setdefault(task.unit, asyncio.Event()).wait()
        finally:
            self.busy -= 1
        return await echo(task)


class Bench:
    """The ledger's side of the bus: says commands, hears outcomes, beats and burials."""

    def __init__(self, client: Client, settings: Settings, until: Until) -> None:
        self.client = client
        self.settings = settings
        self.until = until
        self.blobs = FolderBlobs(settings.data / "blobs")
        self.said: list[UnitFinished | UnitDeferred] = []
        self.messages: list[Msg] = []
        self.envelopes: list[Envelope] = []
        self.dead: list[Msg] = []
        self.beats: list[set[UUID]] = []
        self.workers: list[tuple[asyncio.Event, asyncio.Task[None]]] = []
        self.stopped: dict[UUID, tuple[str, int]] = {}
        """What every beat is answered with, as long as the ledger"""
        self.tells = True

    async def open(self) -> None:
        await declare(self.client, self.settings)
        for stream in ("COMMANDS", "INBOX", "DEAD"):
            await self.client.jetstream().purge_stream(stream)
        await self.client.subscribe("gristmill.results.*", cb=self._hear)
        await self.client.subscribe("gristmill.dead.*", cb=self._mourn)
        await self.client.subscribe("gristmill.beat.*", cb=self._feel)
        await self.client.flush()

    async def close(self) -> None:
        for stop, _ in self.workers:
            stop.set()
        await asyncio.gather(*(task for _, task in self.workers))
        await self.client.close()

    async def tell(self, done: Sequence[UUID]) -> None:
        """Answer workers that ask: a killed bus hands out what it had handed out as if it were new."""

        async def tell(message: Msg) -> None:
            asked = orjson.loads(message.data)["units"]
            left = [unit for unit in asked if UUID(unit) not in done]
            await message.respond(orjson.dumps({"units": left}))

        await self.client.subscribe("gristmill.ask.still", cb=tell)

    async def _hear(self, message: Msg) -> None:
        self.messages.append(message)
        for envelope in envelopes(message):
            body = await claimed(self.blobs, "default", envelope)
            kind = UnitFinished if "finished" in envelope.type else UnitDeferred
            self.envelopes.append(envelope)
            self.said.append(kind.model_validate_json(body))

    async def _mourn(self, message: Msg) -> None:
        self.dead.append(message)

    async def _feel(self, message: Msg) -> None:
        beat = orjson.loads(message.data)
        self.beats.append({UUID(unit) for unit in beat["units"]})
        if self.tells:
            await self.client.publish(f"{CONTROL}.{beat['incarnation']}", answer(self.stopped))

    def worker(self, *work: Work, health: Health | None = None, **others: object) -> Worker:
        """Start a worker; it stops with the test, or by ``stop``."""
        changed = self.settings.model_copy(update=others)
        self.health = health or Health("generate")
        worker = Worker("generate", work, self.blobs, changed, self.health)
        stop = asyncio.Event()
        self.workers.append((stop, asyncio.create_task(worker.run(stop))))
        return worker

    async def stop(self) -> None:
        """Stop the newest worker as a signal would."""
        stop, task = self.workers.pop()
        stop.set()
        await task

    async def say(
        self,
        command: Command,
        *,
        attempt: int = 1,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``headers`` replace those of the envelope; an empty one leaves it out."""
        data, blob = await claim_check(self.blobs, "default", dump(command))
        envelope = Envelope(
            type=wire_type(type(command)),
            id=str(command.units[0]),
            source="ledger",
            subject="gristmill.commands.generate",
            body=data if body is None else body,
            headers=blob | {"gristmill-tenant": "default", ATTEMPT: str(attempt)},
        )
        spoken = envelope.all_headers() | dict(headers)
        await self.client.jetstream().publish(
            envelope.subject,
            envelope.body,
            headers={name: value for name, value in spoken.items() if value},
        )

    async def unacked(self) -> int:
        """Commands that are not acknowledged, heard or not."""
        info = await self.client.jetstream().stream_info("COMMANDS")
        messages: int = info.state.messages
        return messages

    async def all_acknowledged(self) -> bool:
        return await self.unacked() == 0

    async def deliveries(self) -> int:
        info = await self.client.jetstream().consumer_info("COMMANDS", "generate")
        assert info.delivered is not None
        sequence: int = info.delivered.consumer_seq
        return sequence

    async def units_kept(self) -> list[UUID]:
        """Units whose outcomes the bus has, also those that it took while this end was not connected."""
        stream = self.client.jetstream()
        try:
            info = await stream.stream_info("INBOX")
            found: list[UUID] = []
            for sequence in range(info.state.first_seq, info.state.last_seq + 1):
                kept = await stream.get_msg("INBOX", sequence)
                message = Msg(self.client, kept.subject or "", "", kept.data or b"", kept.headers)
                said = [UnitFinished.model_validate_json(each.body) for each in envelopes(message)]
                found += [each.unit_id for each in said]
        except Away:
            return []
        return found

    def units_said(self) -> list[UUID]:
        return [report.unit_id for report in self.said]


@pytest.fixture
async def bench(
    nats_server: Nats, make_settings: Callable[..., Settings], until: Until, tmp_path: Path
) -> AsyncIterator[Bench]:
    """Worker and ledger share the settings but for the user in the URL."""
    settings = make_settings(
        "generate", nats=nats_server, ack_wait=ACK_WAIT, beat=BEAT, deadline=30.0
    )
    client = await connect(make_settings("ledger", nats=nats_server), "ledger")
    bench = Bench(client, settings, until)
    await bench.open()
    yield bench
    await bench.close()


def failure(report: UnitFinished | UnitDeferred) -> UnitFailed:
    assert isinstance(report, UnitFinished)
    assert report.events[0].type == wire_type(UnitFailed)
    return UnitFailed.model_validate(report.events[0].data)


# -- saying ----------------------------------------------------------------------------------------


async def test_each_outcome_is_said_as_it_finishes_and_the_pack_acknowledged_after_the_last(
    bench: Bench,
) -> None:
    held, command = Held(), pack(4)
    bench.worker(generating(held))
    await bench.say(command)
    await bench.until(lambda: len(held.started) == 4)

    held.end(command.units[2])
    await bench.until(lambda: bench.units_said() == [command.units[2]])
    held.end(command.units[0], command.units[1])
    await bench.until(lambda: len(bench.said) == 3)
    assert await bench.unacked() == 1

    held.end(command.units[3])
    await bench.until(bench.all_acknowledged)
    assert sorted(bench.units_said()) == sorted(command.units)


async def test_an_outcome_names_its_unit_attempt_and_worker_and_its_message_id_follows_from_them(
    bench: Bench,
) -> None:
    command = pack(1)
    worker = bench.worker(generating(echo))
    await bench.say(command, attempt=3)
    await bench.until(lambda: bench.said)
    report, envelope = bench.said[0], bench.envelopes[0]
    assert (report.attempt, report.incarnation) == (3, worker.held.incarnation)
    assert (report.unit_id, report.job_id) == (command.units[0], command.job_id)
    task = Task(command, 0, "default", 3, worker.held.incarnation, lambda: None)
    assert envelope.id == envelope.headers["nats-msg-id"] == str(task.outcome)
    assert (envelope.source, envelope.headers["gristmill-tenant"]) == ("generate", "default")


async def test_what_ends_while_the_bus_takes_an_earlier_outcome_travels_together(
    bench: Bench,
) -> None:
    """An outcome that is large by itself travels alone; the share holds until the bus has what was answered."""
    sizes: dict[int, int] = {3: 300_000, 10: 200_000, 11: 200_000}

    async def says(task: Task[GenerateEntries]) -> Done:
        text = "x" * sizes.get(task.index, 1000)
        body = Body(body_id=task.event_id(0), kind="entries", text=text, documents=())
        return Done((JobStarted(documents=1),), (body,))

    command = pack(60, share=60)
    bench.worker(generating(says))
    await bench.say(command)
    await bench.until(bench.all_acknowledged)
    assert sorted(bench.units_said()) == sorted(command.units)
    assert len({each.id for each in bench.envelopes}) == 60
    assert len(bench.messages) < 20
    assert max(len(each.data) for each in bench.messages) < 256 * 1024
    [large] = [each for each in bench.envelopes if BLOB in each.headers]
    assert large.id == next(e.id for e in bench.envelopes if e.body == b"{}")


async def test_no_unit_begins_in_the_place_of_one_whose_outcome_the_bus_does_not_have(
    fresh_nats: Nats, make_settings: Callable[..., Settings], until: Until
) -> None:
    """So a kill repeats no more calls than may be under way: those that are, and those that nobody kept."""
    settings = make_settings("generate", nats=fresh_nats, deadline=30.0)
    client = await connect(make_settings("ledger", nats=fresh_nats), "ledger")
    bench = Bench(client, settings, until)
    await bench.open()
    held, command = Held(), pack(6, share=2)
    await bench.tell(held.started)
    worker = bench.worker(generating(held))
    await bench.say(command)
    await until(lambda: len(held.started) == 2)

    os.kill(fresh_nats.pid, signal.SIGKILL)
    await until(lambda: worker.client.stats["reconnects"] or not worker.client.is_connected)
    held.end(*command.units)
    await until(lambda: held.busy == 0)
    assert len(held.started) == 2

    async def kept() -> bool:
        return sorted(await bench.units_kept()) == sorted(command.units)

    await until(kept, within=20)
    await until(bench.all_acknowledged)
    await bench.close()


async def test_what_was_paid_is_said_however_the_unit_ends(bench: Bench) -> None:
    async def pays(task: Task[Command]) -> Done:
        task.calls.append(
            CallSettled(
                call_id=call_id(task.unit, task.attempt, task.incarnation, 0),
                unit_id=task.unit,
                attempt=task.attempt,
                number=0,
                model="x/y",
                outcome="ok",
                latency_ms=1.0,
                prompt_tokens=1,
                completion_tokens=1,
                cached_tokens=0,
            )
        )
        if task.index == 1:
            raise GristmillError("malformed", "Not to be read.")
        if task.index == 2:
            raise Unavailable("rate_limited", "Slowly.", waiting_for="x/y", retry_after=1)
        return await echo(task)

    bench.worker(generating(pays))
    await bench.say(pack(3))
    await bench.until(lambda: len(bench.said) == 3)
    assert [len(report.calls) for report in bench.said] == [1, 1, 1]


async def test_bodies_over_the_inline_size_travel_by_blob_both_ways(bench: Bench) -> None:
    job = fresh_id()
    command = CurateEntries(
        job_id=job,
        units=(seed_unit(job, 0),),
        dataset_id=dataset_id(job),
        project_id=job,
        plan=(PLAN,) * 3000,
        after=0,
        through=1,
        settings=GenerationSettings(),
    )
    text = "ä" * 300_000

    async def large(task: Task[CurateEntries]) -> Done:
        assert task.command == command
        body = Body(body_id=task.event_id(0), kind="entries", text=text, documents=())
        return Done((JobStarted(documents=1),), (body,))

    bench.worker(Work(CurateEntries, large))
    await bench.say(command)
    await bench.until(lambda: bench.said)
    assert BLOB in bench.envelopes[0].headers
    assert bench.envelopes[0].body == b"{}"
    report = bench.said[0]
    assert isinstance(report, UnitFinished)
    assert report.bodies[0].text == text


async def test_an_outcome_that_the_bus_cannot_take_is_said_when_it_is_back(
    fresh_nats: Nats, make_settings: Callable[..., Settings], until: Until
) -> None:
    settings = make_settings("generate", nats=fresh_nats, deadline=30.0)
    client = await connect(make_settings("ledger", nats=fresh_nats), "ledger")
    bench = Bench(client, settings, until)
    await bench.open()
    held, command = Held(), pack(1)
    await bench.tell(held.started)
    worker = bench.worker(generating(held))
    await bench.say(command)
    await until(lambda: held.started)

    os.kill(fresh_nats.pid, signal.SIGKILL)
    await until(lambda: worker.client.stats["reconnects"] or not worker.client.is_connected)
    held.end(command.units[0])
    await until(lambda: held.busy == 0)

    async def kept() -> bool:
        return await bench.units_kept() == [command.units[0]]

    await until(kept, within=20)
    await until(bench.all_acknowledged)
    await bench.close()


async def test_a_cut_longer_than_a_client_usually_waits_starves_no_loop_and_loses_nothing(
    stack: Running, fresh_nats: Nats, make_settings: Callable[..., Settings], until: Until
) -> None:
    """A closed connection would make the fetching spin, and no other task of the process would have its turn."""
    settings = make_settings("generate", nats=fresh_nats, deadline=60.0)
    client = await connect(make_settings("ledger", nats=fresh_nats), "ledger")
    bench = Bench(client, settings, until)
    await bench.open()
    held, command = Held(), pack(1)
    health = Health("generate")
    await bench.tell(held.started)
    worker = bench.worker(generating(held), health=health)
    await bench.say(command)
    await until(lambda: held.started)
    assert health.answer("/readyz")[0] == 200
    program = fresh_nats._child.program
    await fresh_nats.stop()
    for each in (worker.client, client):
        each.options["reconnect_time_wait"] = 0.001
    tried, tries = worker.client._server_pool, 3 * DEFAULT_MAX_RECONNECT_ATTEMPTS
    turns = 0
    await until(lambda: not worker.client.is_connected)
    held.end(command.units[0])
    while max(server.reconnects for server in tried) < tries:
        await asyncio.sleep(0.001)
        turns += 1
    status, body = health.answer("/readyz")
    assert (status, orjson.loads(body)["detail"]) == (503, "the event bus is away")
    assert health.answer("/healthz")[0] == 200
    assert turns > tries // 4
    fresh_nats._child = Child(program, stack.logs, stack.guard)
    await fresh_nats._child.spawn()
    fresh_nats._child.keep()

    async def kept() -> bool:
        return await bench.units_kept() == [command.units[0]]

    await until(kept, within=20)
    await until(bench.all_acknowledged)
    assert health.answer("/readyz")[0] == 200
    await bench.close()


async def test_a_full_inbox_is_waited_for_and_no_outcome_is_dropped(bench: Bench) -> None:
    inbox = (await bench.client.jetstream().stream_info("INBOX")).config
    await bench.client.jetstream().update_stream(inbox.evolve(max_msgs=1))
    command = pack(4)
    bench.worker(generating(echo))
    await bench.say(command)
    kept = await bench.client.jetstream().pull_subscribe_bind("ledger", "INBOX")
    recorded: list[str] = []
    while len(recorded) < len(command.units):
        [message] = await kept.fetch(1, timeout=10)
        recorded += [orjson.loads(each.body)["unit_id"] for each in envelopes(message)]
        if len(recorded) < len(command.units):
            assert await bench.unacked() == 1
        await message.ack_sync()
    await bench.until(bench.all_acknowledged)
    assert sorted(recorded) == sorted(map(str, command.units))
    await bench.client.jetstream().update_stream(inbox)


# -- holding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("packs", [1, 50])
async def test_a_pack_whose_units_take_long_is_delivered_once_however_many_there_are(
    bench: Bench, packs: int
) -> None:
    """FastStream holds one message more than it has workers for, and does not keep that one alive."""
    before = await bench.deliveries()
    runs: list[UUID] = []

    async def slow(task: Task[Command]) -> Done:
        runs.append(task.unit)
        await asyncio.sleep(3 * ACK_WAIT)
        return await echo(task)

    bench.worker(generating(slow))
    commands = [pack(1) for _ in range(packs)]
    for command in commands:
        await bench.say(command)
    await bench.until(bench.all_acknowledged)
    units = sorted(command.units[0] for command in commands)
    assert sorted(runs) == units
    assert sorted(bench.units_said()) == units
    assert await bench.deliveries() - before == packs


async def test_a_handler_that_blocks_a_thread_keeps_its_message(bench: Bench) -> None:
    before = await bench.deliveries()

    def blocks() -> None:
        end = time.monotonic() + 3 * ACK_WAIT
        while time.monotonic() < end:
            pass

    async def busy(task: Task[Command]) -> Done:
        await asyncio.to_thread(blocks)
        return await echo(task)

    bench.worker(generating(busy))
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    assert len(bench.said) == 1
    assert await bench.deliveries() - before == 1


async def test_a_handler_that_blocks_the_whole_process_is_not_run_twice(bench: Bench) -> None:
    """Nobody keeps its message alive meanwhile, so it is delivered again; what was heard before is not done."""
    before, runs = await bench.deliveries(), 0

    async def rude(task: Task[Command]) -> Done:
        nonlocal runs
        runs += 1
        end = time.monotonic() + 2.5 * ACK_WAIT
        while time.monotonic() < end:
            pass
        return await echo(task)

    bench.worker(generating(rude))
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    assert (runs, len(bench.said)) == (1, 1)
    assert await bench.deliveries() > before


async def test_the_beat_names_the_units_held_started_or_not(bench: Bench) -> None:
    held, command = Held(), pack(6, share=2)
    bench.worker(generating(held))
    await bench.say(command)
    await bench.until(lambda: bench.beats and bench.beats[-1] == set(command.units))
    assert len(held.started) == 2
    held.end(*command.units)
    await bench.until(lambda: bench.beats[-1] == set())


async def test_no_more_units_of_a_job_are_under_way_than_its_newest_command_allows(
    bench: Bench,
) -> None:
    held, first = Held(), pack(6, share=2)
    other, second = pack(3, share=3), pack(2, job=first.job_id, share=4, first=6)
    bench.worker(generating(held))
    await bench.say(first)
    await bench.until(lambda: len(held.started) == 2)
    await bench.say(other)
    await bench.until(lambda: len(held.started) == 5)
    assert set(other.units) <= set(held.started)

    await bench.say(second)
    await bench.until(lambda: len(held.started) == 7)
    held.end(*first.units, *second.units, *other.units)
    await bench.until(bench.all_acknowledged)
    assert sorted(held.started) == sorted(first.units + second.units + other.units)
    assert held.most == 7


async def test_the_share_holds_over_packs_that_come_and_go(bench: Bench) -> None:
    job, busy, most = fresh_id(), 0, 0

    async def short(task: Task[Command]) -> Done:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        return await echo(task)

    bench.worker(generating(short))
    for n in range(60):
        await bench.say(pack(2, job=job, share=2, first=2 * n))
    await bench.until(lambda: len(bench.said) == 120)
    assert most == 2


async def test_a_redelivered_command_is_acknowledged_and_not_done(
    bench: Bench, nats_server: Nats, make_settings: Callable[..., Settings]
) -> None:
    """What was said of it is known to the ledger only, which issues again what has no outcome."""
    await bench.say(pack(2))
    dying = await connect(make_settings("generate", nats=nats_server), "generate")
    pull = await dying.jetstream().pull_subscribe_bind("generate", "COMMANDS")
    for message in await pull.fetch(1, timeout=2):
        await message.nak()
    await dying.close()

    bench.worker(generating(must_not_run))
    await bench.until(bench.all_acknowledged)
    assert bench.said == []


async def test_a_command_that_was_given_back_more_often_than_anybody_counts_leaves_no_residue(
    bench: Bench, nats_server: Nats, make_settings: Callable[..., Settings]
) -> None:
    """A limit of deliveries would leave it in the queue for ever, where no lag shows it."""
    await bench.say(pack(1))
    dying = await connect(make_settings("generate", nats=nats_server), "generate")
    pull = await dying.jetstream().pull_subscribe_bind("generate", "COMMANDS")
    for _ in range(30):
        for message in await pull.fetch(1, timeout=2):
            await message.nak()
    await dying.close()

    bench.worker(generating(must_not_run))
    await bench.until(bench.all_acknowledged)


async def test_a_unit_that_is_issued_again_while_it_is_held_is_done_once(bench: Bench) -> None:
    held, command = Held(), pack(2)
    bench.worker(generating(held))
    await bench.say(command)
    await bench.until(lambda: len(held.started) == 2)
    await bench.say(command, attempt=2)
    await bench.until(lambda: _is(bench.unacked(), 1))
    held.end(*command.units)
    await bench.until(bench.all_acknowledged)
    assert len(held.started) == 2
    assert [report.attempt for report in bench.said] == [1, 1]


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted


# -- failing ---------------------------------------------------------------------------------------


async def test_a_unit_that_waits_for_something_outside_is_deferred(bench: Bench) -> None:
    async def away(task: Task[Command]) -> Done:
        raise Unavailable("no_answer", "Connection refused.", waiting_for="x/y", retry_after=7.5)

    bench.worker(generating(away))
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    report = bench.said[0]
    assert isinstance(report, UnitDeferred)
    assert (report.waiting_for, report.reason) == ("x/y", "Connection refused.")
    assert report.retry_after == 7.5


@pytest.mark.parametrize("fatal", [False, True])
async def test_an_expected_failure_is_an_outcome_with_its_code(
    bench: Bench, *, fatal: bool
) -> None:
    async def refuses(task: Task[Command]) -> Done:
        problem = GristmillError("invalid_api_key", "The key was refused.")
        problem.fatal = fatal  # type: ignore[attr-defined]
        raise problem

    bench.worker(generating(refuses))
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    found = failure(bench.said[0])
    assert (found.code, found.message, found.fatal) == (
        "invalid_api_key",
        "The key was refused.",
        fatal,
    )
    assert found.command == "gristmill.entries.generate.v1"


@pytest.mark.parametrize(("crashes", "pause"), [(0, 1.0), (1, 2.0), (2, 4.0)])
async def test_a_crash_is_put_off_for_longer_each_time(
    bench: Bench, crashes: int, pause: float
) -> None:
    """However often it had to wait before: only what raised is counted."""

    async def raises(task: Task[Command]) -> Done:
        raise KeyError("a secret of the handler")

    bench.worker(generating(raises))
    await bench.say(pack(1), attempt=9, headers={CRASHES: str(crashes)})
    await bench.until(bench.all_acknowledged)
    report = bench.said[0]
    assert isinstance(report, UnitDeferred)
    assert (report.waiting_for, report.reason) == ("generate", "KeyError in generate")
    assert (report.retry_after, report.crashed) == (pause, True)
    assert bench.dead == []


async def test_a_unit_that_crashes_again_and_again_fails_and_its_command_is_buried(
    bench: Bench,
) -> None:
    async def crashes(task: Task[Command]) -> Done:
        if task.index == 0:
            raise KeyError("x")
        return await echo(task)

    command = pack(2)
    bench.worker(generating(crashes))
    await bench.say(command, attempt=4, headers={CRASHES: "3"})
    await bench.until(bench.all_acknowledged)
    [found] = [failure(each) for each in bench.said if each.unit_id == command.units[0]]
    assert (found.code, found.fatal) == ("internal_error", False)
    await bench.until(lambda: bench.dead)
    headers = bench.dead[0].headers
    assert headers is not None
    assert headers["gristmill-reason"] == "KeyError in generate: 'x'"
    assert headers["gristmill-subject"] == "gristmill.commands.generate"
    assert headers["gristmill-code"] == "internal_error"
    assert bench.dead[0].data == dump(command)


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"{", {}, "Invalid JSON"),
        (b"\xff\xfe", {}, "Invalid JSON"),
        (b'{"job_id": 3}', {}, "job_id"),
        (None, {"ce-type": ""}, "ce-type is missing"),
        (None, {"ce-id": ""}, "ce-id is missing"),
        (None, {"ce-source": ""}, "ce-source is missing"),
        (None, {"ce-specversion": "0.3"}, "ce-specversion"),
        (None, {"ce-type": "gristmill.nothing.do.v1"}, "gristmill.nothing.do.v1 is no command"),
        (None, {"ce-type": wire_type(CurateEntries)}, "no command that generate does"),
        (None, {"gristmill-attempt": "soon"}, "not a number"),
        (None, {"gristmill-attempt": "0"}, "not a number"),
        (None, {"gristmill-blob": "x"}, "gristmill-blob"),
        (None, {"gristmill-blob": f"{'1' * 64}/12"}, "does not hold"),
    ],
)
async def test_what_is_no_command_of_this_service_is_buried_with_its_reason_and_others_go_on(
    bench: Bench, body: bytes | None, headers: dict[str, str], reason: str
) -> None:
    bench.worker(generating(echo))
    await bench.say(pack(1), body=body, headers={CRASHES: "3", **headers})
    sound = pack(1)
    await bench.say(sound)
    await bench.until(bench.all_acknowledged)
    await bench.until(lambda: bench.dead and sound.units[0] in bench.units_said())
    assert bench.dead[0].subject == "gristmill.dead.generate"
    assert reason in (bench.dead[0].headers or {})["gristmill-reason"]


async def test_the_units_of_a_command_of_another_version_wait_for_a_worker_that_reads_it(
    bench: Bench,
) -> None:
    """In the end they fail, each with the reason, and their command is kept among the dead."""
    bench.worker(generating(echo))
    newer = pack(2)
    body = orjson.dumps(newer.model_dump(mode="json") | {"manner": "of the next version"})
    for crashes in range(MOST_CRASHES):
        await bench.say(newer, body=body, attempt=crashes + 1, headers={CRASHES: str(crashes)})
        await bench.until(bench.all_acknowledged)
    put_off = [each for each in bench.said if isinstance(each, UnitDeferred)]
    assert [each.retry_after for each in put_off] == [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]
    assert all(each.crashed and "manner" in each.reason for each in put_off)
    failures = [failure(each) for each in bench.said if isinstance(each, UnitFinished)]
    assert [each.unit_id for each in failures] == list(newer.units)
    assert {(each.code, each.command) for each in failures} == {
        ("invalid_message", wire_type(GenerateEntries))
    }
    [dead] = bench.dead
    assert (dead.headers or {})["gristmill-code"] == "invalid_message"


async def test_what_no_encoder_takes_is_taken_out_of_an_outcome(bench: Bench) -> None:
    """Were it not, the unit would be done, and paid, again and again."""

    async def garbles(task: Task[Command]) -> Done:
        call = task.event_id(2)
        settled = CallSettled(
            call_id=call, unit_id=task.unit, attempt=1, number=0, model="m", outcome="ok",
            latency_ms=1.0, prompt_tokens=1, completion_tokens=1, cached_tokens=0,
        )  # fmt: skip
        task.calls.append(settled.model_copy(update={"model": "m\ud800"}))
        body = Body(body_id=task.event_id(1), kind="x", text="a\x00b\udfffc", documents=())
        return Done((JobStarted(documents=1),), (body,))

    bench.worker(generating(garbles))
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    [report] = bench.said
    assert isinstance(report, UnitFinished)
    assert [each.text for each in report.bodies] == ["ab\ufffdc"]
    assert [each.model for each in report.calls] == ["m\ufffd"]


# -- stopping --------------------------------------------------------------------------------------


async def test_a_cancelled_job_starts_no_further_call_and_other_jobs_go_on(bench: Bench) -> None:
    held, command, other = Held(), pack(4, share=1), pack(1)

    async def calls(task: Task[Command]) -> Done:
        task.may_start()
        return await held(task)

    worker = bench.worker(generating(calls))
    await bench.say(command)
    await bench.until(lambda: held.started == [command.units[0]])
    await bench.client.publish(f"gristmill.control.{command.job_id}", b"cancel")
    await bench.until(lambda: worker.held.stops.cancelled)
    held.end(command.units[0])
    await bench.until(bench.all_acknowledged)
    ended = {report.unit_id: report for report in bench.said}
    assert held.started == [command.units[0]]
    assert [failure(ended[unit]).code for unit in command.units[1:]] == ["cancelled"] * 3

    held.end(*other.units)
    await bench.say(other)
    await bench.until(lambda: other.units[0] in held.started)


async def test_work_without_model_calls_is_done_for_a_cancelled_job_too(bench: Bench) -> None:
    """What a cancelled job has generated is still curated, admitted and closed."""
    worker, command = bench.worker(generating(echo)), pack(1)
    await bench.until(lambda: bench.beats)
    await bench.client.publish(f"gristmill.control.{command.job_id}", b"cancel")
    await bench.until(lambda: command.job_id in worker.held.stops.cancelled)
    await bench.say(command)
    await bench.until(lambda: bench.said)
    report = bench.said[0]
    assert isinstance(report, UnitFinished)
    assert report.events[0].type == wire_type(JobStarted)


async def test_a_hint_that_names_no_job_is_overheard(bench: Bench) -> None:
    worker = bench.worker(generating(echo))
    await bench.until(lambda: bench.beats)
    await bench.client.publish("gristmill.control.everything", b"cancel")
    await bench.say(pack(1))
    await bench.until(lambda: bench.said)
    assert not worker.held.stops.cancelled


@pytest.mark.parametrize(
    "words", [b"", b'{"stream":"REQUESTS","seq":5}', b"cancel/", b"cancel/-1", b"-/9"]
)
async def test_only_the_ledgers_own_words_cancel_a_job(bench: Bench, words: bytes) -> None:
    """A publisher may name any subject to be answered on, so the server's own answers can come here."""
    worker, command = bench.worker(generating(echo)), pack(1)
    await bench.until(lambda: bench.beats)
    await bench.client.publish(f"gristmill.control.{command.job_id}", words)
    await bench.say(command)
    await bench.until(lambda: bench.said)
    assert not worker.held.stops.cancelled


async def test_a_worker_whose_beat_is_stale_starts_nothing_and_says_nothing(bench: Bench) -> None:
    """The ledger may have given its units to another."""
    worker = bench.worker(generating(must_not_run), beat=3600.0, deadline=0.2)
    await bench.until(lambda: bench.beats)
    await bench.until(worker.held.is_silent)
    await bench.say(pack(3))
    await bench.until(bench.all_acknowledged)
    assert bench.said == []


async def test_a_worker_whose_beat_goes_stale_in_the_middle_makes_no_further_call(
    bench: Bench,
) -> None:
    calls: list[int] = []

    async def calls_twice(task: Task[Command]) -> Done:
        for call in range(2):
            task.may_start()
            calls.append(call)
            await bench.until(worker.held.is_silent)
        return await echo(task)

    worker = bench.worker(generating(calls_twice), beat=3600.0, deadline=1.0)
    await bench.say(pack(1))
    await bench.until(bench.all_acknowledged)
    assert calls == [0]
    assert bench.said == []


async def test_a_worker_that_is_stopped_finishes_what_is_under_way_and_gives_the_rest_back(
    bench: Bench,
) -> None:
    held, command = Held(), pack(4, share=2)
    bench.worker(generating(held))
    await bench.say(command)
    await bench.until(lambda: len(held.started) == 2)
    stopping = asyncio.create_task(bench.stop())
    await bench.until(lambda: bench.workers == [])
    held.end(*command.units)
    await stopping
    await bench.until(lambda: sorted(bench.units_said()) == sorted(held.started))
    assert len(held.started) == 2
    assert await bench.all_acknowledged()


async def test_what_a_worker_had_not_started_is_given_back_at_once_and_what_it_had_is_finished(
    bench: Bench,
) -> None:
    """Told to drain, it says so with the units it gives back, and goes on until the others are done."""
    held, command = Held(), pack(5, share=2)
    worker = bench.worker(generating(held))
    words: list[dict[str, Any]] = []

    async def hear(beat: Msg) -> None:
        words.append(orjson.loads(beat.data))

    await bench.client.subscribe("gristmill.beat.generate", cb=hear)
    await bench.say(command)
    await bench.until(lambda: len(held.started) == 2)
    incarnation = str(worker.held.incarnation)
    for said in (b"drain/" + str(fresh_id()).encode(), b"drained", b"drain now", b"{}"):
        await bench.client.publish("gristmill.drain.generate", said)
    told = await bench.client.request("gristmill.drain.generate", b"who", timeout=5)
    assert orjson.loads(told.data) == {"incarnation": incarnation, "holds": 5, "leaving": False}
    told = await bench.client.request("gristmill.drain.generate", b"drain", timeout=5)
    assert orjson.loads(told.data)["leaving"] is True

    await bench.until(lambda: any(each.get("left") for each in words))
    leaving = next(each for each in words if each.get("left"))
    assert set(leaving["left"]) == {str(unit) for unit in command.units} - set(
        map(str, held.started)
    )
    assert set(leaving["units"]) == set(map(str, held.started))
    assert leaving["leaving"] is True
    # For longer than a stop would wait, it is still there.
    [(_, running)] = bench.workers
    assert not running.done()
    held.end(*command.units)
    await running
    assert sorted(bench.units_said()) == sorted(held.started)
    assert len(held.started) == 2
    assert await bench.all_acknowledged()


async def test_a_worker_stops_asking_for_a_consumer_that_was_deleted_and_goes_on_when_it_is_back(
    bench: Bench, nats_server: Nats, make_settings: Callable[..., Settings]
) -> None:
    """FastStream would ask thousands of times a second, and say nothing."""
    bench.worker(generating(echo))
    await bench.say(pack(1))
    await bench.until(lambda: bench.said)
    await bench.client.jetstream().delete_consumer("COMMANDS", "generate")
    await bench.until(lambda: bench.health.answer("/readyz")[0] == 503)
    assert b"its consumer is not there" in bench.health.answer("/readyz")[1]
    asked: list[Msg] = []

    async def count(message: Msg) -> None:
        asked.append(message)

    operator = await connect(make_settings("operator", nats=nats_server), "operator")
    await operator.subscribe("$JS.API.CONSUMER.MSG.NEXT.COMMANDS.generate", cb=count)
    await operator.flush()
    await bench.until(lambda: b"waiting for the ledger" in bench.health.answer("/readyz")[1])
    await asyncio.sleep(5 * BEAT)
    assert asked == []
    await operator.close()
    await declare(bench.client, bench.settings)
    await bench.until(lambda: bench.health.answer("/readyz")[0] == 200)
    await bench.say(pack(1))
    await bench.until(lambda: len(bench.said) == 2)


async def test_what_is_done_is_not_done_again_when_the_bus_says_it_once_more(bench: Bench) -> None:
    """After a connection was made, the ledger is asked what lacks an outcome."""
    command, done = pack(3), []

    async def note(task: Task[Command]) -> Done:
        done.append(task.unit)
        return await echo(task)

    async def tell(message: Msg) -> None:
        asked = orjson.loads(message.data)
        assert asked == {"units": [str(unit) for unit in command.units], "attempt": 1}
        await message.respond(orjson.dumps({"units": [str(command.units[1])]}))

    await bench.client.subscribe("gristmill.ask.still", cb=tell)
    bench.worker(generating(note), deadline=60.0)
    await bench.say(command)
    await bench.until(bench.all_acknowledged)
    assert done == [command.units[1]]


async def test_a_worker_waits_until_the_ledger_has_declared_the_bus(
    fresh_nats: Nats, make_settings: Callable[..., Settings], until: Until
) -> None:
    settings = make_settings("generate", nats=fresh_nats)
    health, stop = Health("generate"), asyncio.Event()
    worker = Worker("generate", [generating(echo)], FolderBlobs(settings.data), settings, health)
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: b"waiting for the ledger" in health.answer("/readyz")[1])
    client = await connect(make_settings("ledger", nats=fresh_nats), "ledger")
    await declare(client, settings)
    await until(lambda: health.answer("/readyz")[0] == 200)
    stop.set()
    await running
    assert health.answer("/readyz")[0] == 503
    await client.close()


async def test_a_worker_that_begins_after_a_pause_calls_nothing_of_the_job_until_it_goes_on(
    bench: Bench,
) -> None:
    """Its command was published before; the ledger's answer to its first beat comes before its first call."""
    command, other, held = pack(3), pack(1), Held()

    async def calls(task: Task[Command]) -> Done:
        task.may_start()
        return await held(task)

    bench.tells, bench.stopped = False, {command.job_id: ("pause", 0)}
    await bench.say(command)
    await bench.say(other)
    bench.worker(generating(calls))
    await bench.until(lambda: any(len(beat) == 4 for beat in bench.beats))
    assert held.started == []
    bench.tells = True
    held.end(*other.units)
    await bench.until(lambda: len(bench.said) == 4)
    assert held.started == [*other.units]
    stopped = [each for each in bench.said if each.unit_id in command.units]
    assert {failure(each).message for each in stopped} == {"The job was paused."}

    bench.stopped = {}
    worker = bench.workers and bench.beats
    assert worker
    told = len(bench.beats) + 2
    await bench.until(lambda: len(bench.beats) > told)
    await bench.say(command, attempt=2, headers={"Nats-Msg-Id": str(fresh_id())})
    held.end(*command.units)
    await bench.until(lambda: len(held.started) == 4)


@pytest.mark.parametrize("word", ["pause", "cancel"])
async def test_a_job_that_goes_on_is_called_for_again_at_once(bench: Bench, word: str) -> None:
    worker, command = bench.worker(generating(must_not_run)), pack(1)
    bench.stopped = {command.job_id: (word, 0)}
    stops = worker.held.stops
    await bench.until(lambda: stops.word(command) is not None)
    bench.tells = False
    await bench.client.publish(f"{CONTROL}.{command.job_id}", hint("go", 0))
    await bench.until(lambda: stops.word(command) is None)


async def test_a_stop_holds_for_what_was_issued_before_the_restart_and_no_later(
    bench: Bench,
) -> None:
    stops, command = Stops(fresh_id()), pack(1)
    stops.hear(f"{CONTROL}.{command.job_id}", hint("cancel", 0))
    assert stops.word(command) == "cancelled"
    assert stops.word(command.model_copy(update={"restart": 1})) is None
    stops.hear(f"{CONTROL}.{fresh_id()}", answer({}))
    assert stops.word(command) == "cancelled"
