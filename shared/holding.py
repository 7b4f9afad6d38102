"""What a worker holds: units and the messages they came in, kept alive by a beat; and what may still be started.

What a beat names is not given to another worker. Does no unit and says no outcome.
"""

import asyncio
import contextlib
import logging
import re
from uuid import UUID

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.message import Command
from shared.cancellation import heed_cancellation
from shared.clock import fresh_id, monotonic
from shared.failpoints import failpoint
from shared.hearing import Away
from shared.settings import Settings
from shared.task import Stopped

log = logging.getLogger(__name__)

_CANCEL = re.compile(rb"cancel(?:/([0-9]{1,9}))?")


class Holding:
    """The units, the packs and the beat of one worker process."""

    def __init__(self, service: str, settings: Settings) -> None:
        self.incarnation = fresh_id()
        self.units: dict[UUID, asyncio.Task[None]] = {}
        self.packs: dict[asyncio.Task[None], Msg] = {}
        self.cancelled: dict[UUID, int] = {}
        """Jobs that were cancelled, with how often each had been restarted by then."""
        self._service = service
        self._settings = settings
        self._last_beat = monotonic()

    def is_silent(self) -> bool:
        """No beat went out for so long that the ledger may have given this worker's units to another."""
        return monotonic() - self._last_beat > self._settings.deadline

    def may_start(self, command: Command) -> None:
        """Asked before each model call. (Units without one are done to the end: a cancelled job keeps what it has.)"""
        if self.cancelled.get(command.job_id, -1) >= getattr(command, "restart", 0):
            raise Stopped("cancelled", "The job was cancelled.")
        if self.is_silent():
            raise Stopped("silent", "No beat went out for too long.")

    async def control(self, message: Msg) -> None:
        """A job was cancelled: what it has not started here is not started.

        The words must be the ledger's own. Whoever may speak on the bus at all can name this subject to be answered on,
        and then the server itself says here that it has stored a message, or that it has none.
        """
        said = _CANCEL.fullmatch(message.data)
        if said is None:
            return
        with contextlib.suppress(ValueError):
            self.cancelled[UUID(message.subject.rsplit(".", 1)[-1])] = int(said[1] or 0)

    async def beat(self, client: Client) -> None:
        """Name the units held, and hold their messages, until cancelled."""
        while True:
            heed_cancellation()
            try:
                await self._beat_once(client)
            except Away as problem:
                log.info("no beat went out: %r", problem)
            await asyncio.sleep(self._settings.beat)

    async def _beat_once(self, client: Client) -> None:
        began = monotonic()
        beat = {"incarnation": str(self.incarnation), "units": [str(unit) for unit in self.units]}
        await client.publish(f"gristmill.beat.{self._service}", orjson.dumps(beat))
        await client.flush(timeout=2)
        if client.is_connected:
            self._last_beat = began
        for message in list(self.packs.values()):
            failpoint("worker.beat")
            with contextlib.suppress(nats.errors.MsgAlreadyAckdError):
                await message.in_progress()
