"""Folds the log once more, into a schema beside the live views, compares row by row, and swaps where they differ.

The live views serve and follow the log meanwhile; only for the comparison they stand still, at the same position.
Never changes the log.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from services.gateway.views.away import AWAY
from services.gateway.views.projector import fold
from services.gateway.views.tables import TABLES
from services.gateway.views.versions import FINGERPRINT, SCHEMA, TEXT
from services.gateway.views.writing import checkpoint
from shared.errors import GristmillError, Refused
from shared.store import Position, PostgresReader, open_pool

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]

log = logging.getLogger(__name__)

BESIDE = "replayed"
"""The schema that is folded into; whatever an earlier replay left there is dropped."""
PAGE = 5000
"""Positions that are folded in one transaction at most."""
CLOSE = 500
"""Positions behind the live views at which those are asked to stand still."""
_LOCK = 7304


@dataclass(slots=True)
class Replay:
    """How far a replay has come, and what it found."""

    running: bool = True
    folded: int = 0
    head: int = 0
    rows: int = 0
    """Rows of the live views, in all their tables."""
    differences: dict[str, int] = field(default_factory=dict)
    """Rows that are in one of the two only, by table; tables without any are not named."""
    swapped: bool = False
    problem: str | None = None


async def replay(url: str, state: Replay) -> None:
    """Do it, telling ``state`` how far it is, and what kept it from its end."""
    try:
        await _replay(url, state)
    except GristmillError as problem:
        state.problem = problem.message
    except (*AWAY, asyncpg.PostgresError) as problem:
        log.warning("the replay ended: %r", problem)
        state.problem = f"The event store ended it ({type(problem).__name__}); nothing was changed."
    finally:
        state.running = False


async def _replay(url: str, state: Replay) -> None:
    pool = await open_pool(url, most=1, schema=BESIDE)
    try:
        async with pool.acquire() as connection:
            await connection.execute("set statement_timeout = 0")
            await connection.execute("set idle_in_transaction_session_timeout = 0")
            await connection.execute("set synchronous_commit = off")
            if not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                raise Refused("replay_running", "The views are being replayed already.", status=409)
            indexes = await _begin(connection)
            at = await _catch_up(connection, state)
            for index in indexes:
                await connection.execute(index)
            await _settle(connection, at, state)
            connection.terminate()
    finally:
        await pool.close()


async def _begin(connection: "Connection") -> list[str]:
    """Make the schema; return what makes its indexes, which are made when all rows are there."""
    await connection.execute(f"drop schema if exists {BESIDE} cascade")
    await connection.execute(f"create schema {BESIDE}")
    await connection.execute(TEXT)
    await connection.execute("insert into made (fingerprint) values ($1)", FINGERPRINT)
    rows = await connection.fetch(
        """
        select indexname, indexdef from pg_indexes i where schemaname = $1 and not exists (
            select from pg_constraint c
            where c.conname = i.indexname and c.connamespace = $1::regnamespace
        )
        """,
        BESIDE,
    )
    for row in rows:
        await connection.execute(f'drop index {BESIDE}."{row["indexname"]}"')
    return [row["indexdef"] for row in rows]


async def _catch_up(connection: "Connection", state: Replay) -> Position:
    """Fold until the log's head is near."""
    reader = PostgresReader(connection)
    head = await reader.head()
    await connection.execute("update checkpoint set era = $1", head.era)
    at = Position(head.era, 0)
    while True:
        head = await reader.head()
        state.head = head.n
        if head.n - at.n <= CLOSE:
            return at
        at = await _fold(connection, at, min(head.n, at.n + PAGE))
        state.folded = at.n


async def _fold(connection: "Connection", at: Position, through: int) -> Position:
    after = Position(at.era, through)
    await fold(connection, at, after)
    await asyncio.sleep(0)  # others of this process have a turn
    return after


async def _settle(connection: "Connection", at: Position, state: Replay) -> None:
    """Come to where the live views are while they stand still, compare, and take their place where they are wrong."""
    async with connection.transaction():
        live = await connection.fetchrow(
            f"select era, pos from {SCHEMA}.checkpoint for update"  # noqa: S608 - a name of ours
        )
        if live is None or live["era"] != at.era:
            raise Refused("view_behind", "The views are being made anew already.", status=503)
        while at.n < live["pos"]:
            at = await _fold(connection, at, min(live["pos"], at.n + PAGE))
        if (await checkpoint(connection)).n != live["pos"]:
            raise Refused("view_behind", "The views are behind the replay; try again.", status=503)
        state.folded = at.n
        for table in TABLES:
            await _compare(connection, table, state)
        if state.differences:
            await connection.execute("update made set built_at = clock_timestamp()")
            await connection.execute(f"drop schema {SCHEMA} cascade")
            await connection.execute(f"alter schema {BESIDE} rename to {SCHEMA}")
            state.swapped = True
        else:
            await connection.execute(f"drop schema {BESIDE} cascade")


async def _compare(connection: "Connection", table: str, state: Replay) -> None:
    counts = await connection.fetchrow(
        f"""
        select (select count(*) from {SCHEMA}.{table}) as rows,
            (select count(*) from (select * from {SCHEMA}.{table} except all select * from {BESIDE}.{table}) a)
            + (select count(*) from (select * from {BESIDE}.{table} except all select * from {SCHEMA}.{table}) b)
            as differing
        """  # noqa: S608 - names of ours
    )
    if counts is None:
        raise LookupError(f"nothing was counted of {table}")
    state.rows += counts["rows"]
    if counts["differing"]:
        state.differences[table] = counts["differing"]
