"""Whether the store answers at all: asked all the time on a connection of its own, so that nobody who asks for rows has
to find out by waiting.

A stopped server and a network that swallows everything end no connection. A slow query is waited for as long as the
store goes on answering something simple; as soon as it does not, everybody who waits is told.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import asyncpg

from services.gateway.views.away import AWAY

if TYPE_CHECKING:
    Pool = asyncpg.Pool[Any]

EVERY = 0.5
SILENT = 1.3
"""Seconds without an answer after which the store counts as away; with ``EVERY``, some 2 s after it stopped."""


class Pulse:
    """Of one store. Until it is asked it is taken to be there."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._waiting: set[asyncio.Timeout] = set()
        self._connection: Any = None
        self.is_silent = False

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                self._is(silent=not await self._answers())
                await asyncio.sleep(EVERY)
        finally:
            await self._let_go()

    @contextlib.asynccontextmanager
    async def bounded(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """Raise ``TimeoutError`` after so many seconds, or as soon as the store is known not to answer."""
        async with asyncio.timeout(0 if self.is_silent else seconds) as limit:
            self._waiting.add(limit)
            try:
                yield limit
            finally:
                self._waiting.discard(limit)

    def _is(self, *, silent: bool) -> None:
        self.is_silent = silent
        if silent:
            for limit in self._waiting:
                if not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time())

    async def _answers(self) -> bool:
        """Whether it does in time. A loop that was held up itself looks once more before it says no."""
        asking = asyncio.create_task(self._ask())
        for seconds in (SILENT, 0.2):
            await asyncio.wait({asking}, timeout=seconds)
            if asking.done():
                return asking.result()
        asking.cancel()
        await asyncio.wait({asking}, timeout=EVERY)
        return False

    async def _ask(self) -> bool:
        """On a connection that is kept, so that it waits for nobody; where it was lost, on a new one."""
        return await self._ask_once() or await self._ask_once()

    async def _ask_once(self) -> bool:
        try:
            if self._connection is None:
                self._connection = await self._pool.acquire()
            await self._connection.execute("select 1")
        except AWAY:
            await self._let_go()
            return False
        except asyncio.CancelledError:
            await self._let_go()
            raise
        return True

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # One that was lost is the pool's again by itself.
            with contextlib.suppress(asyncpg.InterfaceError):
                connection.terminate()
            await self._pool.release(connection)
