"""What a worker holds: units and the messages they came in, kept alive by a beat; and what may still be started.

What a beat names is not given to another worker. Does no unit and says no outcome.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterable
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
from shared.stops import Stops
from shared.task import Stopped

log = logging.getLogger(__name__)


class Holding:
    """The units, the packs and the beat of one worker process."""

    def __init__(self, service: str, settings: Settings) -> None:
        self.incarnation = fresh_id()
        self.units: dict[UUID, asyncio.Task[None]] = {}
        self.packs: dict[asyncio.Task[None], Msg] = {}
        self.stops = Stops(self.incarnation)
        self.started: set[UUID] = set()
        """Of the units, those that wait for nobody of their job any more."""
        self.leaving = False
        """The process takes nothing more; the ledger gives to others what is not started here."""
        self._service = service
        self._settings = settings
        self._last_beat = monotonic()

    def is_silent(self) -> bool:
        """No beat went out for so long that the ledger may have given this worker's units to another."""
        return monotonic() - self._last_beat > self._settings.deadline

    def may_start(self, command: Command) -> None:
        """Asked before each model call. (Units without one are done to the end: a stopped job keeps what it has.)"""
        if (word := self.stops.word(command)) is not None:
            raise Stopped("cancelled", f"The job was {word}.")
        if self.is_silent():
            raise Stopped("silent", "No beat went out for too long.")

    async def control(self, message: Msg) -> None:
        """Jobs were stopped, or go on: what of them has not started here is not started as long."""
        self.stops.hear(message.subject, message.data)

    async def beat(self, client: Client) -> None:
        """Name the units held, and hold their messages, until cancelled."""
        while True:
            heed_cancellation()
            try:
                await self._beat_once(client)
            except Away as problem:
                log.info("no beat went out: %r", problem)
            await asyncio.sleep(self._settings.beat)

    async def leave(self, client: Client, left: Iterable[UUID]) -> None:
        """Tell the ledger, which issues ``left`` again at once; one that misses it misses their beats later."""
        self.leaving = True
        given = set(left)
        try:
            await self._beat_once(client, given)
        except Away as problem:
            log.info("nobody was told that %d units are given back: %r", len(given), problem)

    async def _beat_once(self, client: Client, left: Collection[UUID] = ()) -> None:
        began = monotonic()
        beat: dict[str, object] = {
            "incarnation": str(self.incarnation),
            "units": [str(unit) for unit in self.units if unit not in left],
        }
        if self.leaving:
            beat |= {"leaving": True, "left": [str(unit) for unit in left]}
        await client.publish(f"gristmill.beat.{self._service}", orjson.dumps(beat))
        await client.flush(timeout=2)
        if client.is_connected:
            self._last_beat = began
        for message in list(self.packs.values()):
            failpoint("worker.beat")
            with contextlib.suppress(nats.errors.MsgAlreadyAckdError):
                await message.in_progress()
