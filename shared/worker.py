"""The runtime of a service: hear a command, do its units, say each outcome, acknowledge. Alone imports FastStream.

A message is handed from FastStream to this module's own pool the moment it is fetched, so none waits unheld in a queue
where nobody keeps it alive (measured: FastStream with N workers holds an N + 1st message without heartbeat, and a
saturated worker then does it twice). A redelivered command is not done: what was said of it is known to the ledger
only, which issues again the units that lack an outcome, and no others.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import nats.errors
import nats.js.errors
import orjson
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import COMMANDS
from contracts.call import CallSettled
from contracts.identity import event_id, outcome_id
from contracts.message import Command, Event, wire_type
from contracts.unit import Body, Said, UnitDeferred, UnitFailed, UnitFinished
from shared.blobs import Blobs
from shared.bus import (
    ATTEMPT,
    Envelope,
    bury,
    claim_check,
    claimed,
    connect,
    dump,
    envelope_from,
    headers_of,
)
from shared.clock import fresh_id, monotonic
from shared.errors import GristmillError, Unavailable
from shared.health import Health
from shared.settings import Settings

log = logging.getLogger(__name__)

C_co = TypeVar("C_co", bound=Command, covariant=True)
MOST_CRASHES = 4
"""Attempts at a unit whose handler raised what nobody expected, before it is given up and its command buried."""
GRACE = 10.0
"""Seconds that a stopping worker gives the units that it holds."""


@dataclass(frozen=True, slots=True)
class Task(Generic[C_co]):
    """One unit of a command, as a handler gets it."""

    command: C_co
    index: int
    tenant: str
    attempt: int
    incarnation: UUID
    may_start: Callable[[], None]
    """Raises ``Stopped`` where no further call may start; to be asked before each."""
    calls: list[CallSettled] = field(default_factory=list)
    """What was paid so far: filled as calls settle, so that it is said also when the unit fails."""

    @property
    def unit(self) -> UUID:
        return self.command.units[self.index]

    @property
    def outcome(self) -> UUID:
        return outcome_id(self.unit, self.attempt, self.incarnation)

    def event_id(self, n: int) -> UUID:
        """The id that the n-th event of this outcome will have, for the bodies that it names."""
        return event_id(self.outcome, n)


@dataclass(frozen=True, slots=True)
class Done:
    """A unit's outcome: what happened, and the texts that came with it."""

    events: tuple[Event, ...]
    bodies: tuple[Body, ...] = ()


class Stopped(GristmillError):
    """No further call may start: the job was cancelled, or the ledger may think that this worker is dead."""


Handler = Callable[[Task[Any]], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Work:
    """How one kind of command is done.

    ``share`` says how many units of one job may be under way at once in this process.
    """

    command: type[Command]
    handler: Handler
    share: Callable[[Any], int] = lambda _: 1


@dataclass(slots=True)
class _Gate:
    """Units of one job under way; widened or narrowed by what the newest command says."""

    share: int
    busy: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def enter(self) -> None:
        while self.busy >= self.share:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
        self.busy += 1

    def leave(self) -> None:
        self.busy -= 1
        self.wake()

    def wake(self) -> None:
        free = self.share - self.busy
        for turn in self.waiting[: max(0, free)]:
            if not turn.done():
                turn.set_result(None)
        del self.waiting[: max(0, free)]


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
        self._gates: dict[tuple[str, UUID], _Gate] = {}
        self._held: dict[UUID, asyncio.Task[None]] = {}
        self._packs: dict[asyncio.Task[None], Msg] = {}
        self._cancelled: set[UUID] = set()
        self._last_beat = monotonic()
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
        broker = self._broker()
        beating = asyncio.create_task(self._beat())
        try:
            await self._wait_for_consumer(stop)
            if not stop.is_set():
                await broker.start()
                self._health.ready("hearing")
                await stop.wait()
        finally:
            self._health.unready("stopping")
            await broker.stop()
            await self._finish()
            beating.cancel()
            with contextlib.suppress(nats.errors.Error):
                await controls.unsubscribe()
            await self._client.close()

    def _broker(self) -> NatsBroker:
        url = self._settings.nats_url.get_secret_value()
        broker = NatsBroker(
            [url],
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            inbox_prefix=self._inbox_prefix(),
        )

        @broker.subscriber(
            f"gristmill.commands.{self._service}",
            stream=JStream("COMMANDS", declare=False),
            durable=self._service,
            pull_sub=PullSub(batch_size=1, timeout=0.5),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=f"{self._inbox_prefix()}.".encode(),
        )
        async def hear(message: NatsMessage) -> None:
            raw = message.raw_message
            if isinstance(raw, Msg):
                self._take(raw)

        return broker

    def _inbox_prefix(self) -> str:
        url = self._settings.nats_url.get_secret_value()
        user = url.split("//", 1)[-1].split(":", 1)[0] if "@" in url else self._service
        return f"_INBOX.{user}"

    async def _wait_for_consumer(self, stop: asyncio.Event) -> None:
        """The ledger declares the bus; a worker that is up before it waits, and says so."""
        while not stop.is_set():
            try:
                await self.client.jetstream().consumer_info("COMMANDS", self._service)
            except (nats.errors.Error, TimeoutError):
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
        pack.add_done_callback(lambda done: self._packs.pop(done, None))

    async def _do_pack(self, message: Msg) -> None:
        if message.metadata.num_delivered > 1:
            await message.ack()
            return
        try:
            envelope = envelope_from(message.subject, headers_of(message), message.data)
            tenant = envelope.headers.get("gristmill-tenant", "default")
            attempt = int(envelope.headers.get(ATTEMPT.lower(), "1"))
            body = await claimed(self._blobs, tenant, envelope)
            command = COMMANDS[envelope.type].model_validate_json(body)
            work = self._work[envelope.type]
        except (GristmillError, ValidationError, ValueError, LookupError) as problem:
            reason = problem.message if isinstance(problem, GristmillError) else str(problem)
            await bury(self.client, self._service, message, reason)
            await message.ack()
            return
        gate = self._gates.setdefault((envelope.type, command.job_id), _Gate(work.share(command)))
        gate.share = work.share(command)
        gate.wake()
        tasks = [
            self._hold(
                Task(
                    command,
                    index,
                    tenant,
                    attempt,
                    self._incarnation,
                    lambda: self._may_start(command.job_id),
                ),
                work,
                gate,
                message,
            )
            for index, unit in enumerate(command.units)
            if unit not in self._held
        ]
        await asyncio.gather(*tasks)
        if not gate.busy and not gate.waiting:
            self._gates.pop((envelope.type, command.job_id), None)
        await message.ack()

    def _hold(
        self, task: Task[Command], work: Work, gate: _Gate, message: Msg
    ) -> "asyncio.Task[None]":
        held = asyncio.create_task(self._do_unit(task, work, gate, message))
        self._held[task.unit] = held
        held.add_done_callback(lambda _: self._held.pop(task.unit, None))
        return held

    async def _do_unit(self, task: Task[Command], work: Work, gate: _Gate, message: Msg) -> None:
        await gate.enter()
        try:
            report = await self._outcome(task, work, message)
        finally:
            gate.leave()
        if report is not None:
            await self._say(task, report)

    async def _outcome(
        self, task: Task[Command], work: Work, message: Msg
    ) -> UnitFinished | UnitDeferred | None:
        """Do a unit and turn whatever comes of it into a report; None: leave it to the ledger."""
        try:
            self._may_start(task.command.job_id)
            done = await work.handler(task)
        except Stopped as stopped:
            if stopped.code == "silent":
                return None
            return self._failed(task, "cancelled", stopped.message, fatal=False)
        except Unavailable as away:
            return self._deferred(task, away.waiting_for, away.message, away.retry_after)
        except GristmillError as problem:
            return self._failed(
                task, problem.code, problem.message, fatal=bool(getattr(problem, "fatal", False))
            )
        except Exception as problem:
            # The one broad except: whatever a handler did not foresee is tried again a few times, then buried with
            # its command, and the unit fails with a reason instead of vanishing.
            log.exception("unit %s, attempt %d", task.unit, task.attempt)
            reason = f"{type(problem).__name__} in {self._service}"
            if task.attempt < MOST_CRASHES:
                return self._deferred(task, self._service, reason, 2.0 ** (task.attempt - 1))
            await bury(self.client, self._service, message, f"{reason}: {problem}")
            return self._failed(task, "internal_error", reason, fatal=False)
        return UnitFinished(
            unit_id=task.unit,
            job_id=task.command.job_id,
            service=self._service,
            attempt=task.attempt,
            incarnation=task.incarnation,
            events=tuple(
                Said(type=wire_type(type(event)), data=event.model_dump(mode="json"))
                for event in done.events
            ),
            bodies=done.bodies,
            calls=tuple(task.calls),
        )

    def _failed(self, task: Task[Command], code: str, message: str, *, fatal: bool) -> UnitFinished:
        failed = UnitFailed(
            unit_id=task.unit,
            command=wire_type(type(task.command)),
            code=code,
            message=message[:2000],
            fatal=fatal,
        )
        said = Said(type=wire_type(UnitFailed), data=failed.model_dump(mode="json"))
        return UnitFinished(
            unit_id=task.unit,
            job_id=task.command.job_id,
            service=self._service,
            attempt=task.attempt,
            incarnation=task.incarnation,
            events=(said,),
            calls=tuple(task.calls),
        )

    def _deferred(
        self, task: Task[Command], waiting_for: str, reason: str, retry_after: float
    ) -> UnitDeferred:
        return UnitDeferred(
            unit_id=task.unit,
            job_id=task.command.job_id,
            service=self._service,
            attempt=task.attempt,
            incarnation=task.incarnation,
            waiting_for=waiting_for,
            reason=reason[:500],
            retry_after=retry_after,
            calls=tuple(task.calls),
        )

    def _may_start(self, job: UUID) -> None:
        if job in self._cancelled:
            raise Stopped("cancelled", "The job was cancelled.")
        if monotonic() - self._last_beat > self._settings.deadline:
            raise Stopped("silent", "No beat went out for too long.")

    # -- saying ------------------------------------------------------------------------------------

    async def _say(self, task: Task[Command], report: UnitFinished | UnitDeferred) -> None:
        """Say an outcome until the bus has it; the same id each time, so that it has one effect."""
        body, headers = await claim_check(self._blobs, task.tenant, dump(report))
        envelope = Envelope(
            type=wire_type(type(report)),
            id=str(task.outcome),
            source=self._service,
            subject=f"gristmill.results.{self._service}",
            body=body,
            headers=headers | {"gristmill-tenant": task.tenant, "Nats-Msg-Id": str(task.outcome)},
        )
        pause = 0.1
        while True:
            try:
                await self.client.jetstream().publish(
                    envelope.subject, envelope.body, timeout=5, headers=envelope.all_headers()
                )
            except (nats.errors.Error, TimeoutError) as problem:
                log.info("an outcome could not be said yet: %r", problem)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                return

    async def _beat(self) -> None:
        """Name the units held, and hold their messages; what is named here is not given to another."""
        while True:
            beat = {
                "incarnation": str(self._incarnation),
                "units": [str(unit) for unit in self._held],
            }
            try:
                await self.client.publish(f"gristmill.beat.{self._service}", orjson.dumps(beat))
                await self.client.flush(timeout=2)
                if self.client.is_connected:
                    self._last_beat = monotonic()
                for message in list(self._packs.values()):
                    await message.in_progress()
            except (nats.errors.Error, TimeoutError) as problem:
                log.info("no beat went out: %r", problem)
            await asyncio.sleep(self._settings.beat)

    async def _control(self, message: Msg) -> None:
        """A job was cancelled: what it has not started here is not started."""
        with contextlib.suppress(ValueError):
            self._cancelled.add(UUID(message.subject.rsplit(".", 1)[-1]))

    async def _finish(self) -> None:
        """Give what is held a while to finish, then give the rest back."""
        if self._packs:
            await asyncio.wait(list(self._packs), timeout=GRACE)
        for pack, message in list(self._packs.items()):
            pack.cancel()
            with contextlib.suppress(nats.errors.Error):
                await message.ack()
        for held in list(self._held.values()):
            held.cancel()
        if self._client is not None:
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                await self._client.flush(timeout=1)
