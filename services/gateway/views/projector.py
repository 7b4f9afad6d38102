"""The edge of the fold: follows the log, writes what the fold says, and tells readers how far it has come.

One gateway leads at a time: it holds an advisory lock, and moves the checkpoint only from the value it saw last. The
others watch the checkpoint and take over when the lock is free.
"""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import asyncpg

from services.gateway.views.away import AWAY
from services.gateway.views.batch import merged
from services.gateway.views.fold import NAMES, parts, rows_for
from services.gateway.views.versions import built, lead, mark_built, prepare, tend
from services.gateway.views.writing import (
    Overtaken,
    advance,
    apply,
    apply_many,
    begin_again,
    checkpoint,
)
from shared.clock import monotonic
from shared.failpoints import failpoint
from shared.store import LOG, Eras, Position, PostgresReader, eras, recorded_from

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]
    Pool = asyncpg.Pool[Any]

log = logging.getLogger(__name__)

PAGE = 2000
"""Positions that are folded in one transaction at most."""
BUSY = 0.04
IDLE = 0.1
"""Seconds between looks at the log: after news, and when there was none."""
RETRY = 0.5
STALLED = "10s"
"""A leader that says nothing for so long has stopped; Postgres ends its session, which frees the lock."""
TEND = 60.0
"""Seconds between two looks at the schemas of other versions."""


class Reached:
    """How far the views are known to have come, for those who wait for a position."""

    def __init__(self) -> None:
        self.position = Position(0, 0)
        self.head = Position(0, 0)
        """Of the log, when it was last looked at."""
        self.eras = Eras()
        """Of the log, which tell whether a position of an earlier one still means what it did."""
        self.built = False
        """Whether the views have come to the head of the log once; until then they are not to be shown."""
        self._moved = asyncio.Event()
        self.wanted = asyncio.Event()
        """Set by whoever waits, so that the log is looked at right away."""

    def move(self, position: Position) -> None:
        if position != self.position:
            self.position = position
            self.wake()

    def wake(self) -> None:
        """Have everybody who waits look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    def covers(self, position: Position) -> bool:
        """Of a position that still holds (``eras``)."""
        return (self.position.era, self.position.n) >= (position.era, position.n)

    async def wait(self, position: Position, patience: float) -> bool:
        """Whether the views hold ``position`` within ``patience`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self.covers(position):
                    self.wanted.set()
                    await self._moved.wait()
        return self.covers(position)

    async def next(self, patience: float) -> None:
        """Return when the views have moved, or after ``patience`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._moved.wait()


class Projector:
    """Folds the log into the views for as long as ``run`` runs, through every loss of the store."""

    def __init__(self, pool: "Pool", reached: Reached) -> None:
        self._pool = pool
        self._reached = reached
        self.leads = False
        self.problem: str | None = "not started"
        """Why the views do not follow the log at present; None: they do."""

    async def run(self) -> None:
        while True:
            try:
                async with self._pool.acquire(timeout=5) as connection:
                    await self._follow(connection)
            except (*AWAY, asyncpg.PostgresError, Overtaken) as problem:
                self.problem = f"{type(problem).__name__}"
                log.warning("the views do not follow the log: %s", problem)
                await self._pool.expire_connections()
            finally:
                self.leads = False
            await asyncio.sleep(RETRY)

    async def _follow(self, connection: "Connection") -> None:
        """In a session of its own, which ends with it and gives back the lock."""
        try:
            await connection.execute(f"set idle_session_timeout = '{STALLED}'")
            # Rows and checkpoint are lost together or not at all, and are folded again from the log.
            await connection.execute("set synchronous_commit = off")
            await prepare(connection)
            self._reached.eras = await eras(connection)
            await self._take_turns(connection)
        finally:
            connection.terminate()

    async def _take_turns(self, connection: "Connection") -> None:
        """Watch until the lock is free, then lead."""
        while not await lead(connection):
            self.problem = None
            at = await checkpoint(connection)
            if at.era > self._reached.eras.newest:
                self._reached.eras = await eras(connection)
            self._reached.move(at)
            self._reached.built = await built(connection)
            if not self._reached.built:
                self._reached.head = await PostgresReader(connection).head()
            await self._nap(BUSY)
        self.leads = True
        await self._lead(connection)

    async def _lead(self, connection: "Connection") -> None:
        # Over its own connection: whoever waits for the views must not wait for those who read them.
        reader = PostgresReader(connection)
        at = await checkpoint(connection)
        # First: who is let in by `built` sends the position on, and none may be told that of a gateway that just began.
        self._reached.move(at)
        self._reached.built = await built(connection)
        tended = monotonic() - TEND
        while True:
            self._reached.head = head = await reader.head()
            if head.era != at.era:
                self._reached.eras = await eras(connection)
                at = await begin_again(connection, at, head.era)
                self._reached.built = False
            # Events keep the era that they were recorded in; the views count in that of the log.
            after = Position(at.era, min(head.n, at.n + PAGE))
            news = after.n - at.n
            if news:
                failpoint("projector.read")
                await fold(connection, at, after)
                failpoint("projector.committed")
                at = after
            self.problem = None
            self._reached.move(at)
            if not self._reached.built and news < PAGE:
                await mark_built(connection)
                self._reached.built = True
            if monotonic() - tended > TEND:
                await self._tend(connection)
                tended = monotonic()
            if news < PAGE:
                await self._nap(BUSY if news else IDLE)

    async def _tend(self, connection: "Connection") -> None:
        for schema in await tend(connection):
            log.info(
                "views of another version, which nobody used any more, were dropped: %s", schema
            )

    async def _nap(self, seconds: float) -> None:
        """Rest, unless somebody waits for news; even then a moment, so that waiting never becomes a busy loop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._reached.wanted.wait()
                self._reached.wanted.clear()
                return
        self._reached.wanted.clear()


async def fold(connection: "Connection", before: Position, after: Position) -> None:
    """Write what the events of ``(before, after]`` mean, as one transaction that moves the checkpoint."""
    rows = await connection.fetch(
        "select * from ledger.events where log_id = $1 and pos > $2 and pos <= $3 and type = any($4)"
        " order by pos",
        LOG,
        before.n,
        after.n,
        NAMES,
    )
    async with connection.transaction():
        await advance(connection, before, after)
        for part in parts([recorded_from(row) for row in rows], before.n, after.n):
            if isinstance(part, range):
                await apply_many(connection, part.start, part.stop)
            else:
                await apply(connection, merged(rows_for(part)))
        failpoint("projector.folded")
