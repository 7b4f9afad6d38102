"""The runtime of a service: hear a command, do its units, say each outcome, acknowledge. Alone imports FastStream.

A message is handed from FastStream to this module's own pool the moment it is fetched, so none waits unheld in a queue
where nobody keeps it alive (measured: FastStream with N workers holds an N + 1st message without heartbeat, and a
saturated worker then does it twice). A redelivered command is not done: what was said of it is known to the ledger
only, which issues again the units that lack an outcome, and no others.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterable
from uuid import UUID

import nats.errors
import orjson
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.subscriber.usecases import PullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import COMMANDS
from contracts.message import Command, wire_type
from contracts.unit import UnitDeferred, UnitFinished
from shared.blobs import Blobs
from shared.bus import (
    ATTEMPT,
    TENANT,
    Envelope,
    Undecodable,
    bury,
    claim_check,
    claimed,
    connect,
    dump,
    envelope_from,
    headers_of,
    traced,
)
from shared.cancellation import heed_cancellation
from shared.clock import fresh_id, monotonic
from shared.errors import GristmillError, Unavailable
from shared.health import Health
from shared.settings import Settings
from shared.task import Done, Gate, Handler, Stopped, Task, Work, deferred, failed, finished
from shared.telemetry import traces
from shared.telemetry.metrics import sampled
from shared.watching import begun, held, watched

__all__ = ["Done", "Handler", "Stopped", "Task", "Work", "Worker"]

log = logging.getLogger(__name__)

MOST_CRASHES = 4
"""Attempts at a unit whose handler raised what nobody expected, before it is given up and its command buried."""
GRACE = 5.0
"""Seconds that a stopping worker gives the units that are under way; less than whoever stops it waits."""
_CANCEL = re.compile(rb"cancel(?:/([0-9]{1,9}))?")
Away = (nats.errors.Error, OSError, TimeoutError)
"""The bus cannot be reached for the moment."""


async def _undecoded(message: NatsMessage) -> bytes:
    """FastStream would drop a body that is not JSON before anybody saw it."""
    return message.body


class Worker:
    """A service's process on the bus."""

    def __init__(
        self, service: str, work: Iterable[Work], blobs: Blobs, settings: Settings, health: Health
    ) -> None:
        self._service = service
        self._work = {wire_type(each.command): each for each in work}
        self._blobs = blobs
        self._settings = settings
        self._health = health
        self._incarnation = fresh_id()
        self._gates: dict[tuple[str, UUID], Gate] = {}
        self._held: dict[UUID, asyncio.Task[None]] = {}
        self._packs: dict[asyncio.Task[None], Msg] = {}
        self._cancelled: dict[UUID, int] = {}
        """Jobs that were cancelled, with how often each had been restarted by then."""
        self._last_beat = monotonic()
        self._stopping = False
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        if self._client is None:
            raise LookupError("the worker is not connected yet")
        return self._client

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then finish what can be finished soon and give the rest back."""
        self._client = await connect(self._settings, self._service)
        controls = await self._client.subscribe("gristmill.control.*", cb=self._control)
        broker, hearing = self._broker()
        beating = asyncio.create_task(self._beat())
        stopped = asyncio.create_task(stop.wait())
        try:
            await self._wait_for_consumer(stop)
            if not stop.is_set():
                await broker.start()
                self._health.ready("hearing")
                with sampled(held(self._held, self._gates)):
                    # A worker that does not beat is dead to the ledger, so it must not live on.
                    await asyncio.wait({beating, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            self._health.unready("stopping")
            # The broker's connection is needed on to hold and acknowledge what was heard on it.
            with contextlib.suppress(*Away):
                await hearing.stop()
            await self._finish()
            with contextlib.suppress(*Away):
                await broker.stop()
            beating.cancel()
            stopped.cancel()
            with contextlib.suppress(*Away):
                await controls.unsubscribe()
            await self._client.close()
        if beating.done() and not beating.cancelled():
            beating.result()

    def _broker(self) -> tuple[NatsBroker, PullStreamSubscriber]:
        url = self._settings.nats_url.get_secret_value()
        broker = NatsBroker(
            [url],
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            inbox_prefix=self._inbox_prefix(),
        )

        hearing = broker.subscriber(
            f"gristmill.commands.{self._service}",
            stream=JStream("COMMANDS", declare=False),
            durable=self._service,
            pull_sub=PullSub(batch_size=1, timeout=0.5),
            ack_policy=AckPolicy.MANUAL,
            decoder=_undecoded,
            inbox_prefix=f"{self._inbox_prefix()}.".encode(),
        )

        @hearing
        async def hear(message: NatsMessage) -> None:
            raw = message.raw_message
            if isinstance(raw, Msg):
                self._take(raw)

        return broker, hearing

    def _inbox_prefix(self) -> str:
        url = self._settings.nats_url.get_secret_value()
        user = url.split("//", 1)[-1].split(":", 1)[0] if "@" in url else self._service
        return f"_INBOX.{user}"

    async def _wait_for_consumer(self, stop: asyncio.Event) -> None:
        """The ledger declares the bus; a worker that is up before it waits, and says so."""
        while not stop.is_set():
            try:
                await self.client.jetstream().consumer_info("COMMANDS", self._service)
            except Away:
                self._health.unready("waiting for the ledger to declare the bus")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await stop.wait()
            else:
                return

    # -- hearing -----------------------------------------------------------------------------------

    def _take(self, message: Msg) -> None:
        pack = asyncio.create_task(self._do_pack(message))
        self._packs[pack] = message
        pack.add_done_callback(self._let_go)

    def _let_go(self, pack: "asyncio.Task[None]") -> None:
        self._packs.pop(pack, None)
        if not pack.cancelled() and (problem := pack.exception()) is not None:
            # What was not said is issued again by the ledger, which misses it in the beats.
            log.error("a pack was dropped: %r", problem)

    async def _do_pack(self, message: Msg) -> None:
        if message.metadata.num_delivered > 1:
            await message.ack()
            return
        try:
            command, work, tenant, attempt, trace = await self._read(message)
        except Unavailable as away:
            # The command's body lies where it cannot be fetched now. No beat names its units, so they come again.
            log.warning("a command is left: %s", away.message)
            await message.ack()
            return
        except (GristmillError, ValidationError) as problem:
            reason = problem.message if isinstance(problem, GristmillError) else str(problem)
            code = problem.code if isinstance(problem, GristmillError) else "invalid_message"
            log.warning("a command on %s is buried: %s", message.subject, code)
            await bury(self.client, self._service, message, reason)
            await message.ack()
            return
        begun(command, trace)
        key = wire_type(work.command), command.job_id
        gate = self._gates.setdefault(key, Gate(work.share(command)))
        gate.widen(work.share(command))
        gate.packs += 1
        tasks = [
            self._hold(
                Task(
                    command,
                    index,
                    tenant,
                    attempt,
                    self._incarnation,
                    lambda: self._may_start(command),
                ),
                work,
                gate,
                message,
            )
            for index, unit in enumerate(command.units)
            if unit not in self._held
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            gate.packs -= 1
            if not gate.packs:
                self._gates.pop(key, None)
        await message.ack()

    async def _read(self, message: Msg) -> tuple[Command, Work, str, int, traces.Context | None]:
        """A command, how it is done, its tenant, attempt and trace. Raise what makes it useless for good."""
        envelope = envelope_from(message.subject, headers_of(message), message.data)
        tenant = envelope.headers.get(TENANT, "default")
        work = self._work.get(envelope.type)
        if work is None:
            raise Undecodable(f"{envelope.type} is no command that {self._service} does")
        attempt = envelope.headers.get(ATTEMPT.lower(), "1")
        if not attempt.isdecimal() or int(attempt) < 1:
            raise Undecodable(f"the attempt {attempt!r} is not a number from 1")
        body = await claimed(self._blobs, tenant, envelope)
        command = COMMANDS[envelope.type].model_validate_json(body)
        trace = traces.context_from(envelope.headers.get(traces.HEADER))
        return command, work, tenant, int(attempt), trace

    def _hold(
        self, task: Task[Command], work: Work, gate: Gate, message: Msg
    ) -> "asyncio.Task[None]":
        held = asyncio.create_task(self._do_unit(task, work, gate, message))
        self._held[task.unit] = held
        held.add_done_callback(lambda _: self._held.pop(task.unit, None))
        return held

    async def _do_unit(self, task: Task[Command], work: Work, gate: Gate, message: Msg) -> None:
        await gate.enter()
        try:
            with watched(task) as seen:
                report = seen.report = await self._outcome(task, work, message)
        finally:
            gate.leave()
        if report is not None:
            await self._say(task, report)

    async def _outcome(
        self, task: Task[Command], work: Work, message: Msg
    ) -> UnitFinished | UnitDeferred | None:
        """Do a unit and turn whatever comes of it into a report; None: leave it to the ledger."""
        if self._stopping or self._is_silent():
            return None
        try:
            done = await work.handler(task)
        except Stopped as stopped:
            if stopped.code == "silent":
                return None
            return failed(task, self._service, "cancelled", stopped.message)
        except Unavailable as away:
            return deferred(task, self._service, away)
        except GristmillError as problem:
            fatal = bool(getattr(problem, "fatal", False))
            return failed(task, self._service, problem.code, problem.message, fatal=fatal)
        except Exception as problem:
            # The one broad except: whatever a handler did not foresee is tried again a few times, then buried with
            # its command, and the unit fails with a reason instead of vanishing.
            log.exception("unit %s, attempt %d", task.unit, task.attempt)
            reason = f"{type(problem).__name__} in {self._service}"
            if task.attempt < MOST_CRASHES:
                pause = 2.0 ** (task.attempt - 1)
                again = Unavailable(
                    "internal_error", reason, waiting_for=self._service, retry_after=pause
                )
                return deferred(task, self._service, again)
            await bury(self.client, self._service, message, f"{reason}: {problem}")
            return failed(task, self._service, "internal_error", reason)
        return finished(task, self._service, done)

    def _is_silent(self) -> bool:
        """No beat went out for so long that the ledger may have given this worker's units to another."""
        return monotonic() - self._last_beat > self._settings.deadline

    def _may_start(self, command: Command) -> None:
        """Asked before each model call. (Units without one are done to the end: a cancelled job keeps what it has.)"""
        if self._cancelled.get(command.job_id, -1) >= getattr(command, "restart", 0):
            raise Stopped("cancelled", "The job was cancelled.")
        if self._is_silent():
            raise Stopped("silent", "No beat went out for too long.")

    # -- saying ------------------------------------------------------------------------------------

    async def _say(self, task: Task[Command], report: UnitFinished | UnitDeferred) -> None:
        """Say an outcome until the bus has it; the same id each time, so that it has one effect."""
        pause = 0.1
        while True:
            try:
                envelope = await self._envelope(task, report)
                await self.client.jetstream().publish(
                    envelope.subject, envelope.body, timeout=5, headers=envelope.all_headers()
                )
            except (*Away, Unavailable) as problem:
                log.info("an outcome could not be said yet: %r", problem)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                return

    async def _envelope(self, task: Task[Command], report: UnitFinished | UnitDeferred) -> Envelope:
        body, headers = await claim_check(self._blobs, task.tenant, dump(report))
        return Envelope(
            type=wire_type(type(report)),
            id=str(task.outcome),
            source=self._service,
            subject=f"gristmill.results.{self._service}",
            body=body,
            headers=headers
            | {TENANT: task.tenant, "Nats-Msg-Id": str(task.outcome)}
            | traced(traces.current()),
        )

    async def _beat(self) -> None:
        """Name the units held, and hold their messages; what is named here is not given to another."""
        while True:
            heed_cancellation()
            try:
                await self._beat_once()
            except Away as problem:
                log.info("no beat went out: %r", problem)
            await asyncio.sleep(self._settings.beat)

    async def _beat_once(self) -> None:
        began = monotonic()
        beat = {
            "incarnation": str(self._incarnation),
            "units": [str(unit) for unit in self._held],
        }
        await self.client.publish(f"gristmill.beat.{self._service}", orjson.dumps(beat))
        await self.client.flush(timeout=2)
        if self.client.is_connected:
            self._last_beat = began
        for message in list(self._packs.values()):
            with contextlib.suppress(nats.errors.MsgAlreadyAckdError):
                await message.in_progress()

    async def _control(self, message: Msg) -> None:
        """A job was cancelled: what it has not started here is not started.

        The words must be the ledger's own. Whoever may speak on the bus at all can name this subject to be answered on,
        and then the server itself says here that it has stored a message, or that it has none.
        """
        said = _CANCEL.fullmatch(message.data)
        if said is None:
            return
        with contextlib.suppress(ValueError):
            self._cancelled[UUID(message.subject.rsplit(".", 1)[-1])] = int(said[1] or 0)

    async def _finish(self) -> None:
        """Give what is held a while to finish, then give the rest back."""
        if self._packs:
            await asyncio.wait(list(self._packs), timeout=GRACE)
        for pack, message in list(self._packs.items()):
            pack.cancel()
            with contextlib.suppress(*Away):
                await message.ack()
        for unit in list(self._held.values()):
            unit.cancel()
        if self._client is not None:
            with contextlib.suppress(*Away):
                await self._client.flush(timeout=1)
