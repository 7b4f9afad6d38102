"""The recorded log as one tenant may read it: what was said, without any text, by position.

Raises ``Unavailable`` where the store is away. Never writes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.message import Event, Recorded
from shared.store import LOG, Eras, Position, recorded_from

if TYPE_CHECKING:
    from services.gateway.views.reads import Queries

WINDOW = 20_000
"""Positions that one look goes through at most, so that a filter that matches next to nothing stays cheap."""


@dataclass(frozen=True, slots=True)
class LogPage:
    events: list[Recorded[Event]]
    next: Position
    """Read on from here. Everything of this tenant up to it was looked at, whether or not the filter let it through."""
    head: Position


class LogReads:
    """The log of one tenant."""

    def __init__(self, queries: "Queries", tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def head(self) -> Position:
        """The newest position. What is at or before it is committed and stays as it is."""
        row = await self._queries.row("select era, head from ledger.logs where log_id = $1", LOG)
        return Position(row["era"], row["head"]) if row else Position(1, 0)

    async def eras(self) -> Eras:
        """Which positions of earlier eras still hold."""
        rows = await self._queries.rows("select era, after from ledger.eras order by era")
        return Eras(tuple((row["era"], row["after"]) for row in rows))

    async def page(
        self, after: int, limit: int, types: Collection[str] = (), stream: UUID | None = None
    ) -> LogPage:
        """Up to ``limit`` events that follow ``after``, in order, skipping none that the filters let through."""
        head = await self.head()
        through = min(head.n, after + WINDOW)
        rows = await self._queries.rows(
            """
            select * from ledger.events
            where log_id = $1 and pos > $2 and pos <= $3 and tenant = $4
              and ($5::text[] is null or type = any($5)) and ($6::uuid is null or stream_id = $6)
            order by pos limit $7
            """,
            LOG,
            after,
            through,
            self._tenant,
            list(types) or None,
            stream,
            limit,
        )
        full = len(rows) == limit
        reached = rows[-1]["pos"] if full else max(after, through)
        return LogPage(
            [recorded_from(dict(row)) for row in rows], Position(head.era, reached), head
        )
