"""Queries over the datasets of a project. Never writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.gateway.views.reads import DATASET, Queries
from services.gateway.views.rows import DatasetRow

_WHERE = """
    s.tenant = $1 and s.project_id = $2
    and ($3::text is null
         or position(lower($3) in lower(coalesce(s.name, 'dataset_' || s.dataset_id::text))) > 0)
    and ($4::text is null or s.format = $4)
    and ($5::timestamptz is null or s.created_at >= $5)
    and ($6::timestamptz is null or s.created_at <= $6)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which datasets; None: whichever."""

    project: UUID
    name: str | None
    """Held by the dataset's name, whatever its case."""
    format: str | None
    since: datetime | None
    until: datetime | None


class Datasets:
    def __init__(self, queries: Queries, tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def found(self, wanted: Wanted, limit: int, offset: int) -> tuple[list[DatasetRow], int]:
        """A page of them, newest first, and how many there are in all."""
        which = (wanted.project, wanted.name, wanted.format, wanted.since, wanted.until)
        total = await self._queries.value(
            f"select count(*) from datasets s where {_WHERE}",  # noqa: S608 - constants
            self._tenant,
            *which,
        )
        rows = await self._queries.rows(
            f"select {DATASET} from datasets s where {_WHERE}"  # noqa: S608 - constants
            " order by s.pos desc limit $7 offset $8",
            self._tenant,
            *which,
            limit,
            offset,
        )
        return [DatasetRow(**row) for row in rows], total
