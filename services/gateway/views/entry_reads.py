"""Queries over entries: pages of them, one with its unit, and the figures of what a filter lets through."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.gateway.views.reads import Queries
from services.gateway.views.rows import EntryRow, EntryTotals, FailureRow, UnitRow, columns

ENTRY = columns(EntryRow, "e")
UNIT = columns(UnitRow, "u")
FAILURE = columns(FailureRow, "f")
HIGH, LOW = 0.8, 0.6

Order = Literal["quality", "category", "difficulty"]
ORDERS: dict[Order | None, str] = {
    None: "e.seed, e.n",
    "quality": "e.quality desc nulls last, e.seed, e.n",
    "category": "e.category nulls last, e.seed, e.n",
    "difficulty": "array_position(array['easy', 'intermediate', 'hard'], e.difficulty), e.seed, e.n",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries of a dataset; None: any."""

    status: str | None = None
    reason: str | None = None
    kind: str | None = None
    quality: float | None = None
    """The least."""


_WHERE = """e.dataset_id = $1 and ($2::text is null or e.status = $2)
    and ($3::text is null or e.reason = $3) and ($4::text is null or e.kind = $4)
    and ($5::float8 is null or e.quality >= $5)"""


class Entries:
    """The entries of datasets that the asker is known to own; only ``dataset_of`` asks for an entry of anybody."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def page(
        self, dataset: UUID, kept: Filter, order: Order | None, limit: int, offset: int
    ) -> list[EntryRow]:
        rows = await self._queries.rows(
            f"select {ENTRY} from entries e where {_WHERE}"  # noqa: S608 - constants
            f" order by {ORDERS[order]} limit $6 offset $7",
            *_args(dataset, kept),
            limit,
            offset,
        )
        return [EntryRow(**row) for row in rows]

    async def totals(self, dataset: UUID, kept: Filter) -> EntryTotals:
        row = await self._queries.row(
            f"""
            select count(*) as total, avg(e.quality) as average,
                count(*) filter (where e.quality >= {HIGH}) as high,
                count(*) filter (where e.quality >= {LOW} and e.quality < {HIGH}) as medium,
                count(*) filter (where e.quality < {LOW}) as low
            from entries e where {_WHERE}
            """,  # noqa: S608 - constants
            *_args(dataset, kept),
        )
        return EntryTotals(**row) if row else EntryTotals(0, None, 0, 0, 0)

    async def one(self, dataset: UUID, entry: UUID) -> EntryRow | None:
        row = await self._queries.row(
            f"select {ENTRY} from entries e where e.dataset_id = $1 and e.entry_id = $2",  # noqa: S608 - constants
            dataset,
            entry,
        )
        return EntryRow(**row) if row else None

    async def dataset_of(self, entry: UUID) -> UUID | None:
        """Whose it is: the dataset, of which the asker must still be known to be the owner; of a forked one, the first
        that is there.
        """
        row = await self._queries.row(
            "select dataset_id from entries join datasets using (dataset_id)"
            " where entry_id = $1 order by datasets.pos limit 1",
            entry,
        )
        return row["dataset_id"] if row else None

    async def units(self, ids: set[UUID]) -> dict[UUID, UnitRow]:
        rows = await self._queries.rows(
            f"select {UNIT} from units u where u.unit_id = any($1::uuid[])",  # noqa: S608 - constants
            list(ids),
        )
        return {row["unit_id"]: UnitRow(**row) for row in rows}

    async def of_seeds(self, dataset: UUID, seeds: Collection[int]) -> list[EntryRow]:
        rows = await self._queries.rows(
            f"select {ENTRY} from entries e where e.dataset_id = $1 and e.seed = any($2::int[])"  # noqa: S608 - constants
            " order by e.seed, e.n",
            dataset,
            list(seeds),
        )
        return [EntryRow(**row) for row in rows]

    async def failed(self, units: Collection[UUID]) -> dict[UUID, FailureRow]:
        """Those of the units that ended without a result."""
        rows = await self._queries.rows(
            f"select {FAILURE} from failures f where f.unit_id = any($1::uuid[])",  # noqa: S608 - constants
            list(units),
        )
        return {row["unit_id"]: FailureRow(**row) for row in rows}

    async def rejections(self, dataset: UUID) -> dict[str, int]:
        """Rejected entries by the reason that names each, most frequent first."""
        rows = await self._queries.rows(
            """
            select reason, count(*) from entries
            where dataset_id = $1 and status = 'rejected' and reason is not null
            group by reason order by 2 desc, 1
            """,
            dataset,
        )
        return {row["reason"]: row["count"] for row in rows}


def _args(dataset: UUID, kept: Filter) -> tuple[object, ...]:
    return (dataset, kept.status, kept.reason, kept.kind, kept.quality)
