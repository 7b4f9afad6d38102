"""The runtime of a service: hear a command, do its units, say each outcome, acknowledge.

Read beside it: ``hearing`` (commands), ``holding`` (what is kept alive, what may start), ``saying`` (outcomes). A
redelivered command is not done: what was said of it is known to the ledger only, which issues again the units that
lack an outcome, and no others.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts.message import Command, wire_type
from contracts.unit import UnitDeferred, UnitFinished
from shared.blobs import Blobs
from shared.burying import bury
from shared.bus import bus_away, connect
from shared.doubting import Doubts
from shared.draining import heed
from shared.errors import GristmillError, Unavailable
from shared.failpoints import failpoint
from shared.health import Health
from shared.hearing import Away, Heard, declared, guard, hearing, read
from shared.holding import Holding
from shared.journal import Journal
from shared.saying import Saying
from shared.settings import Settings
from shared.stops import CONTROL
from shared.task import (
    NO_JOURNAL,
    Done,
    Gate,
    Handler,
    Stopped,
    Task,
    Work,
    deferred,
    failed,
    finished,
)
from shared.telemetry.metrics import sampled
from shared.unread import MOST_CRASHES, told, unread
from shared.watching import begun, held, watched

__all__ = ["Done", "Handler", "Stopped", "Task", "Work", "Worker"]

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that a stopping worker gives the units that are under way; less than whoever stops it waits."""
DRAINING = 600.0
"""The same where it was told to finish what it holds, and nobody waits with a kill."""


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
        self._held = Holding(service, settings)
        self._gates: dict[tuple[str, UUID], Gate] = {}
        self._stopping = False
        self._grace = GRACE
        self._client: Client | None = None
        self._voice: Saying | None = None
        self._journal: Journal | None = None
        self._doubts: Doubts | None = None

    @property
    def client(self) -> Client:
        if self._client is None:
            raise LookupError("the worker is not connected yet")
        return self._client

    @property
    def held(self) -> Holding:
        return self._held

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then finish what can be finished soon and give the rest back."""
        self._client = await connect(self._settings, self._service)
        self._voice = Saying(self._service, self._client, self._blobs)
        self._health.watch(partial(bus_away, self._client))
        self._journal = Journal(self._service, self._client, self._blobs, self._voice)
        self._doubts = Doubts(self._client, self._settings)
        controls = await self._client.subscribe(f"{CONTROL}.*", cb=self._held.control)
        broker, ear = hearing(self._service, self._settings, self._take)
        beating = asyncio.create_task(self._held.beat(self._client))
        stopped = asyncio.create_task(stop.wait())
        ends: set[asyncio.Task[Any]] = {beating, stopped}
        asked = await heed(
            self._client,
            self._service,
            str(self._held.incarnation),
            lambda: self._drain(stop),
            lambda: len(self._held.units),
        )
        try:
            await declared(self._client, self._settings, self._service, self._health, stop)
            if not stop.is_set():
                await broker.start()
                self._health.ready("hearing")
                watch = guard(self._client, self._settings, self._service, self._health, ear)
                ends.add(asyncio.create_task(watch))
                with sampled(held(self._held.units, self._gates)):
                    # A worker that does not beat is dead to the ledger, so it must not live on.
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            self._health.unready("stopping")
            for end in ends - {beating}:
                end.cancel()
            # The broker's connection is needed on to hold and acknowledge what was heard on it.
            with contextlib.suppress(*Away):
                await ear.stop()
            await self._finish()
            with contextlib.suppress(*Away):
                await broker.stop()
            beating.cancel()
            with contextlib.suppress(*Away):
                await controls.unsubscribe()
                await asked.unsubscribe()
            await self._client.close()
        for end in ends:
            if end.done() and not end.cancelled():
                end.result()

    def _drain(self, stop: asyncio.Event) -> None:
        self._grace = DRAINING
        stop.set()

    # -- hearing -----------------------------------------------------------------------------------

    def _take(self, message: Msg) -> None:
        pack = asyncio.create_task(self._do_pack(message))
        self._held.packs[pack] = message
        pack.add_done_callback(self._let_go)

    def _let_go(self, pack: "asyncio.Task[None]") -> None:
        self._held.packs.pop(pack, None)
        if not pack.cancelled() and (problem := pack.exception()) is not None:
            # What was not said is issued again by the ledger, which misses it in the beats.
            log.error("a pack was dropped: %r", problem)

    async def _do_pack(self, message: Msg) -> None:
        failpoint("worker.received")
        if message.metadata.num_delivered > 1:
            await message.ack()
            return
        try:
            heard = await read(message, self._service, self._work, self._blobs)
        except Unavailable as away:
            # The command's body lies where it cannot be fetched now. No beat names its units, so they come again.
            log.warning("a command is left: %s", away.message)
            await message.ack()
            return
        except (GristmillError, ValidationError) as problem:
            await self._refuse(message, problem)
            return
        command, work = heard.command, heard.work
        begun(command, heard.trace)
        key = wire_type(work.command), command.job_id
        gate = self._gates.setdefault(key, Gate(work.share(command)))
        gate.widen(work.share(command))
        gate.packs += 1
        try:
            wanted = await self._wanted(heard)
            tasks = [
                self._hold(self._task(heard, index), work, gate, message)
                for index, unit in enumerate(command.units)
                if unit in wanted and unit not in self._held.units
            ]
            await asyncio.gather(*tasks)
        finally:
            gate.packs -= 1
            if not gate.packs:
                self._gates.pop(key, None)
        failpoint("worker.said")
        await message.ack()
        failpoint("worker.acked")

    async def _wanted(self, heard: Heard) -> Collection[UUID]:
        """Of a command's units, those to be done: all, unless the bus may say what was said before."""
        if self._stopping:
            return ()
        if self._doubts is None or not self._doubts.any():
            return heard.command.units
        return await self._doubts.still(heard.command, heard.attempt)

    def _task(self, heard: Heard, index: int) -> Task[Command]:
        return Task(
            heard.command,
            index,
            heard.tenant,
            heard.attempt,
            self._held.incarnation,
            lambda: self._held.may_start(heard.command),
            heard.crashes,
            journal=self._journal or NO_JOURNAL,
        )

    async def _refuse(self, message: Msg, problem: GristmillError | ValidationError) -> None:
        """Bury a command that cannot be read, unless a worker of another version may still do so."""
        found = unread(message, problem, self._service, self._held.incarnation)
        code, reason = told(problem)
        log.warning("a command on %s cannot be read: %s", message.subject, code)
        if found.is_final:
            await bury(self.client, self._service, message, reason, code=code)
        for report in found.reports:
            await self._say(found.tenant, report)
        await message.ack()

    def _hold(
        self, task: Task[Command], work: Work, gate: Gate, message: Msg
    ) -> "asyncio.Task[None]":
        doing = asyncio.create_task(self._do_unit(task, work, gate, message))
        self._held.units[task.unit] = doing
        doing.add_done_callback(lambda _: self._let_unit_go(task.unit))
        return doing

    def _let_unit_go(self, unit: UUID) -> None:
        self._held.units.pop(unit, None)
        self._held.started.discard(unit)

    async def _do_unit(self, task: Task[Command], work: Work, gate: Gate, message: Msg) -> None:
        await self._held.stops.known(task.command)
        await gate.enter()
        self._held.started.add(task.unit)
        try:
            with watched(task) as seen:
                report = seen.report = await self._outcome(task, work, message)
            # The next unit begins when the bus has this one: whatever a kill makes the ledger issue again, calls under
            # way and answers that nobody kept, is never more than the share.
            if report is not None:
                await self._say(task.tenant, report)
        finally:
            gate.leave()

    async def _outcome(
        self, task: Task[Command], work: Work, message: Msg
    ) -> UnitFinished | UnitDeferred | None:
        """Do a unit and turn whatever comes of it into a report; None: leave it to the ledger."""
        if self._stopping or self._held.is_silent():
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
            return await self._crashed(task, message, problem)
        return finished(task, self._service, done)

    async def _crashed(
        self, task: Task[Command], message: Msg, problem: Exception
    ) -> UnitFinished | UnitDeferred:
        reason = f"{type(problem).__name__} in {self._service}"
        if task.crashes + 1 < MOST_CRASHES:
            pause = 2.0**task.crashes
            again = Unavailable(
                "internal_error", reason, waiting_for=self._service, retry_after=pause
            )
            return deferred(task, self._service, again, crashed=True)
        told = f"{reason}: {problem}"
        await bury(self.client, self._service, message, told, code="internal_error")
        return failed(task, self._service, "internal_error", reason)

    async def _say(self, tenant: str, report: UnitFinished | UnitDeferred) -> None:
        if self._voice is None:
            raise LookupError("the worker is not connected yet")
        await self._voice.say(tenant, report)

    async def _finish(self) -> None:
        """Give back what is not started, give the rest a while to finish, and then give that back too."""
        await self._give_back(unit for unit in self._held.units if unit not in self._held.started)
        for gate in self._gates.values():
            # Whoever waited sees that the worker stops, and lets go.
            gate.widen(len(self._held.units))
        if self._held.packs:
            await asyncio.wait(list(self._held.packs), timeout=self._grace)
        for pack, message in list(self._held.packs.items()):
            pack.cancel()
            with contextlib.suppress(*Away):
                await message.ack()
        for unit in list(self._held.units.values()):
            unit.cancel()
        if self._voice is not None:
            self._voice.close()
        await self._give_back(list(self._held.units))
        if self._client is not None:
            with contextlib.suppress(*Away):
                await self._client.flush(timeout=1)

    async def _give_back(self, units: Iterable[UUID]) -> None:
        if self._client is not None:
            await self._held.leave(self._client, units)
