"""Asks the ledger which units of a command are still to be done, where the bus may have been set back.

Whether it was, a worker cannot see: what is done long since comes again as if it were new. So for a deadline after each
connection was made, nothing is begun before the ledger has said that it lacks an outcome. Does no unit.
"""

import asyncio
import logging
from collections.abc import Collection
from uuid import UUID

import nats.errors
import orjson
from nats.aio.client import Client

from contracts.message import Command
from shared.bus import STILL
from shared.clock import monotonic
from shared.settings import Settings

log = logging.getLogger(__name__)

PATIENCE = 1.0
PAUSE = 0.2


class Doubts:
    """Of one worker about what it hears. ``client`` is its connection to the bus."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._deadline = settings.deadline
        self._connections = 0
        self._since = monotonic()

    def any(self) -> bool:
        """Whether the bus was connected to so lately that it may say what was said before."""
        connections = int(self._client.stats["reconnects"])
        if connections != self._connections:
            self._connections = connections
            self._since = monotonic()
        return not self._client.is_connected or monotonic() - self._since < self._deadline

    async def still(self, command: Command, attempt: int) -> Collection[UUID]:
        """The units of this attempt that have no outcome.

        A process that began just now does all where nobody leads who could tell; one that lost its connection leaves
        them, since the ledger issues again what it misses.
        """
        asked = orjson.dumps({"units": [str(unit) for unit in command.units], "attempt": attempt})
        until = monotonic() + self._deadline
        while True:
            try:
                answer = await self._client.request(STILL, asked, timeout=PATIENCE)
                return frozenset(UUID(unit) for unit in orjson.loads(answer.data)["units"])
            except (nats.errors.Error, TimeoutError) as problem:
                if not self._connections:
                    return command.units
                if monotonic() > until:
                    log.warning("a command is left, since no ledger answers: %r", problem)
                    return ()
                await asyncio.sleep(PAUSE)
