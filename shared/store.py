"""The event store as it is read: a stream, the tail of the log, bodies. `appending` is how it is written.

Positions are drawn while the log's row is locked, so their order is the order of commits and a reader that has seen
position n will never find an earlier one appear later. (A sequence alone does not give that: measured, some 15 % of
rows are skipped by a tailing reader under twelve writers.)
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import zstandard

from contracts import EVENTS
from contracts.message import Event, Recorded, wire_type
from shared.migrations import NEEDED, check

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]
    Pool = asyncpg.Pool[Any]

LOG = 1
PAGE = 500


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log. Outside, it is the opaque text ``"<era>.<n>"``."""

    era: int
    n: int

    def __str__(self) -> str:
        return f"{self.era}.{self.n}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        era, _, n = text.partition(".")
        return cls(int(era), int(n))


@dataclass(frozen=True, slots=True)
class Fact:
    """An event as the log holds it, in plain JSON values: for whoever reads many and looks at a few fields of each."""

    version: int
    id: UUID
    type: str
    data: dict[str, Any]
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """That an event is there, without what it says."""

    version: int
    id: UUID
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Eras:
    """Where each era of a log took over from the one before: ``(era, newest position that it took over)``."""

    began: tuple[tuple[int, int], ...] = ((1, 0),)

    @property
    def newest(self) -> int:
        return max(era for era, _ in self.began)

    def holds(self, position: Position) -> bool:
        """Whether what stood at ``position`` when somebody was told still does: it was not lost with a restore."""
        return position.era <= self.newest and all(
            position.n <= after for era, after in self.began if era > position.era
        )


async def eras(connection: "Pool | Connection") -> Eras:
    rows = await connection.fetch("select era, after from ledger.eras order by era")
    return Eras(tuple((row["era"], row["after"]) for row in rows))


class Reader(Protocol):
    """What may be read of the store. The in-memory twin passes the same conformance suite."""

    async def head(self) -> Position:
        """The newest position; ``n`` is 0 where nothing was ever appended."""
        ...

    async def tail(self, after: int, limit: int = PAGE) -> list[Recorded[Event]]:
        """Up to ``limit`` events that follow position ``after``, in order, skipping none."""
        ...

    def stream(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> AsyncIterator[Recorded[Event]]:
        """Events of versions ``(after, through]`` in order; of these types only, where any are named.

        Where the stream goes on from another one, those of the other come first, as they are recorded there.
        """
        ...

    def facts(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
        page: int = PAGE,
    ) -> AsyncIterator[Fact]:
        """The same events, not checked against their classes once more; ``page`` are in memory at a time."""
        ...

    async def marks(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> list[Mark]:
        """The same events, without what they say."""
        ...

    async def bodies(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The bodies that exist; an erased one is missing."""
        ...


async def open_pool(
    url: str, *, most: int = 4, needed: int = NEEDED, schema: str | None = None
) -> "Pool":
    """Connections whose sessions cannot hold a lock for ever; the schema's version is checked.

    Whoever changes a session (a setting, an advisory lock) must end it: sessions are handed on as they are.
    ``needed`` is the lowest version of the database that the service works with; ``schema`` is where names without
    one are looked up.
    """
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=most,
        init=_speak_json,
        reset=_as_it_is,
        server_settings={
            "lock_timeout": "10s",
            "statement_timeout": "60s",
            "idle_in_transaction_session_timeout": "15s",
        }
        | ({} if schema is None else {"search_path": schema}),
    )
    try:
        async with pool.acquire() as connection:
            await check(connection, needed)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _as_it_is(_: "asyncpg.Connection[Any]") -> None:
    """To clean a session that nobody changed costs a round trip after every query."""


async def _speak_json(connection: "asyncpg.Connection[Any]") -> None:
    """What is JSON already is sent as it is, when it comes as bytes."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: (
            b"\x01" + (value if isinstance(value, bytes) else orjson.dumps(value))
        ),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )


async def lineage(
    connection: "Pool | Connection", stream: UUID, through: int | None = None
) -> list[tuple[UUID, int | None]]:
    """The streams that a stream is made of, oldest first, each up to a version (None: to its end)."""
    rows = await connection.fetch(
        """
        with recursive line as (
            select stream_id, base_id, base_version, 1 as depth
            from ledger.lineage where stream_id = $1
            union all
            select l.stream_id, l.base_id, least(l.base_version, line.base_version), depth + 1
            from line join ledger.lineage l on l.stream_id = line.base_id
        )
        select base_id, base_version from line order by depth desc
        """,
        stream,
    )
    bases: list[tuple[UUID, int | None]] = [tuple(row.values()) for row in rows]
    if through is not None:
        bases = [(base, min(until or 0, through)) for base, until in bases]
    return [*bases, (stream, through)]


def recorded_from(row: Mapping[str, Any]) -> Recorded[Event]:
    """A row of ``ledger.events`` as the event it holds."""
    return Recorded[Event].model_construct(
        event=EVENTS[row["type"]].model_validate(row["data"], extra="ignore"),
        id=row["event_id"],
        stream=row["stream_id"],
        version=row["version"],
        position=f"{row['era']}.{row['pos']}",
        tenant=row["tenant"],
        job_id=row["job_id"],
        cause_id=row["cause_id"],
        traceparent=row["trace"],
        recorded_at=row["recorded_at"],
    )


class PostgresReader:
    """The store as the roles ``reader`` and ``gateway`` see it."""

    def __init__(self, pool: "Pool | Connection") -> None:
        self._pool = pool

    async def head(self) -> Position:
        row = await self._pool.fetchrow("select era, head from ledger.logs where log_id = $1", LOG)
        return Position(row["era"], row["head"]) if row else Position(1, 0)

    async def tail(self, after: int, limit: int = PAGE) -> list[Recorded[Event]]:
        rows = await self._pool.fetch(
            "select * from ledger.events where log_id = $1 and pos > $2 order by pos limit $3",
            LOG,
            after,
            limit,
        )
        return [recorded_from(row) for row in rows]

    async def stream(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> AsyncIterator[Recorded[Event]]:
        async for rows in self._pages("*", stream, after, through, types, PAGE):
            for row in rows:
                yield recorded_from(row)

    async def _pages(
        self,
        columns: str,
        stream: UUID,
        after: int,
        through: int | None,
        types: Collection[type[Event]],
        page: int,
    ) -> AsyncIterator[list[Any]]:
        names = [wire_type(each) for each in types] or None
        for own, until in await lineage(self._pool, stream, through):
            while True:
                rows = await self._pool.fetch(
                    f"""
                    select {columns} from ledger.events
                    where stream_id = $1 and version > $2 and ($3::int is null or version <= $3)
                      and ($4::text[] is null or type = any($4))
                    order by version limit $5
                    """,  # noqa: S608 - constants
                    own,
                    after,
                    until,
                    names,
                    page,
                )
                yield rows
                if len(rows) < page:
                    break
                after = rows[-1]["version"]

    async def facts(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
        page: int = PAGE,
    ) -> AsyncIterator[Fact]:
        columns = "version, event_id, type, data, trace"
        async for rows in self._pages(columns, stream, after, through, types, page):
            for row in rows:
                yield Fact(*row)

    async def marks(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> list[Mark]:
        columns = "version, event_id, trace"
        pages = self._pages(columns, stream, after, through, types, 100 * PAGE)
        return [Mark(*row) async for rows in pages for row in rows]

    async def bodies(self, ids: Collection[UUID]) -> dict[UUID, str]:
        rows = await self._pool.fetch(
            "select body_id, data from ledger.bodies where body_id = any($1::uuid[])", list(ids)
        )
        expand = zstandard.ZstdDecompressor().decompress
        return {row["body_id"]: expand(row["data"]).decode() for row in rows}
