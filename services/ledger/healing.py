"""Keeps the work going while a ledger leads: declares a lost bus anew, and issues again what nobody works on.

The bus is disposable for everything that is recorded: what it loses is found here by what the database holds. What was
said and is not recorded yet is waited for, by its place in INBOX, so a busy ledger issues nothing that is done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from nats.aio.client import Client

from services.ledger import reconciler
from services.ledger.intake import is_recorded, newest
from services.ledger.leadership import Lease
from services.ledger.recorder import Recorder
from services.ledger.rows import House
from services.ledger.turn import Turn
from shared.blobs import Blobs
from shared.cancellation import heed_cancellation
from shared.clock import monotonic
from shared.settings import Settings
from shared.telemetry.metrics import REISSUED

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suspects:
    """Units that nobody seems to work on, and how far INBOX must be recorded before that is believed."""

    units: frozenset[UUID]
    said: int


class Healing:
    """One leader's. ``declare`` makes the bus what it must be."""

    def __init__(
        self,
        pool: "Pool",
        client: Client,
        settings: Settings,
        recorder: Recorder,
        beats: reconciler.Beats,
        house: House,
        lease: Lease,
        blobs: Blobs,
        declare: Callable[[], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._client = client
        self._settings = settings
        self._recorder = recorder
        self._beats = beats
        self._house = house
        self._lease = lease
        self._blobs = blobs
        self._declare = declare
        self._suspects: Suspects | None = None

    async def run(self) -> None:
        """Until cancelled."""
        started = declared = monotonic()
        connections = self._connections()
        pause = min(1.0, self._settings.beat / 2)
        while True:
            heed_cancellation()
            await asyncio.sleep(pause)
            now = monotonic()
            await self._count_workers(now)
            if not self._client.is_connected:
                started = now
                continue
            if self._connections() != connections:
                # Whoever fell silent meanwhile may only not have been heard.
                started, connections = now, self._connections()
                declared = float("-inf")
            if now - declared > self._settings.deadline:
                # A bus that came back empty, or lost a consumer, would otherwise stay so until something fails.
                await self._declare()
                declared = now
            settled = now - started >= self._settings.deadline
            if settled or self._beats.left:
                await self._look(now)

    def _connections(self) -> int:
        return int(self._client.stats["reconnects"])

    async def _count_workers(self, now: float) -> None:
        before = self._house.workers.get("generate", 0)
        self._house.workers["generate"] = self._beats.alive("generate", now)
        if self._house.workers["generate"] > before and self._house.hungry:
            await self._recorder.turn(_nothing)
        self._beats.forget_old(now)

    async def _look(self, now: float) -> None:
        """Find who is overdue, wait until what was said by then is recorded, and issue again who still is."""
        found = await reconciler.overdue(
            self._pool, self._beats, self._settings.deadline, now, self._house.stopped
        )
        suspects = self._suspects
        if suspects is None:
            if not found:
                return
            said = await newest(self._client)
            suspects = self._suspects = Suspects(frozenset(found), said)
        if not await is_recorded(self._client, suspects.said):
            return
        self._suspects = None
        # Asked before the inbox had come so far: the turn itself sees which have an outcome by now.
        units = [unit for unit in found if unit in suspects.units]
        if units:
            self._lease.check()
            await reconciler.give_up_hopeless(
                self._pool, self._recorder, self._client, self._blobs, units
            )
            log.info("issuing %d units again", len(units))
            REISSUED.add(by=len(units))
            left = frozenset(self._beats.left)
            await self._recorder.turn(partial(reconciler.reissue, units=units, left=left))
            self._beats.taken_back(units)


async def _nothing(_: Turn) -> None:
    """A turn that only asks hungry jobs."""
