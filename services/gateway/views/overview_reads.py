"""What an operator wants to know of the store at a glance: how fast, how far behind, how much is in flight, how large.

Raises ``Unavailable`` where the store is away. Never writes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.store import LOG, Position

if TYPE_CHECKING:
    from services.gateway.views.reads import Queries

MOST = 60_000
"""Positions that the rates look back over at most: a minute of a thousand events a second."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Of the last minute."""

    events: int
    calls: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Lags:
    head: Position
    relay: int
    """Positions that the bus has not been told of yet."""
    views: int
    """Positions that the views do not show yet,"""
    views_seconds: float
    """and how long ago the first of them was recorded."""


@dataclass(frozen=True, slots=True)
class InFlight:
    service: str
    units: int
    oldest_seconds: float


class OverviewReads:
    """Of one tenant, except what belongs to the store as a whole: its lags and its size."""

    def __init__(self, queries: "Queries", tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def pace(self) -> Pace:
        row = await self._queries.row(
            """
            select count(*) as events,
                count(*) filter (where type = 'gristmill.call.settled.v1') as calls,
                coalesce(sum(jsonb_array_length(data -> 'accepted'))
                    filter (where type = 'gristmill.entries.admitted.v1'), 0) as accepted
            from ledger.events
            where log_id = $1 and tenant = $2
              and pos > (select head - $3 from ledger.logs where log_id = $1)
              and recorded_at > clock_timestamp() - interval '1 minute'
            """,
            LOG,
            self._tenant,
            MOST,
        )
        return (
            Pace(int(row["events"]), int(row["calls"]), int(row["accepted"]))
            if row
            else Pace(0, 0, 0)
        )

    async def lags(self, folded: int) -> Lags:
        """``folded``: the position that the views have come to."""
        row = await self._queries.row(
            """
            select l.era, l.head, l.head - c.pos as relay, l.head - $2 as views,
                extract(epoch from clock_timestamp() - e.recorded_at)::float8 as age
            from ledger.logs l
            join ledger.checkpoints c on c.name = 'relay'
            left join ledger.events e on e.log_id = l.log_id and e.pos = $2 + 1
            where l.log_id = $1
            """,
            LOG,
            folded,
        )
        if row is None:
            return Lags(Position(1, 0), 0, 0, 0.0)
        return Lags(
            Position(row["era"], row["head"]),
            max(0, row["relay"]),
            max(0, row["views"]),
            max(0.0, row["age"] or 0.0),
        )

    async def in_flight(self) -> list[InFlight]:
        """Units without an outcome, by the service that is to do them."""
        rows = await self._queries.rows(
            """
            select service, count(*) as units,
                extract(epoch from clock_timestamp() - min(issued_at))::float8 as oldest
            from ledger.work where outcome is null and tenant = $1 group by service order by service
            """,
            self._tenant,
        )
        return [InFlight(row["service"], int(row["units"]), row["oldest"]) for row in rows]

    async def size(self) -> int:
        """Bytes of the database, with its indexes."""
        return int(await self._queries.value("select pg_database_size(current_database())"))
