"""What the gateway's answers are made from: queries over the views. Every one is bounded to one tenant.

Raises ``Unavailable`` where the store is away. Never writes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg

from services.gateway.views.away import steady
from services.gateway.views.pulse import Pulse
from services.gateway.views.rows import (
    DatasetRow,
    DocumentRow,
    ExportRow,
    JobRow,
    PlanRow,
    ProjectRow,
    columns,
)

if TYPE_CHECKING:
    Pool = asyncpg.Pool[Any]
    Record = asyncpg.Record
    Connection = Any

T = TypeVar("T")

DOCUMENT = columns(DocumentRow, "d")
JOB = columns(JobRow, "j")
DATASET = columns(DatasetRow, "s")
EXPORT = columns(ExportRow, "x")
PROJECT = """
    p.project_id, p.alias, p.name, p.description, p.created_at, p.updated_at,
    (select count(*) from documents d where d.project_id = p.project_id) as documents,
    (select count(*) from datasets s where s.project_id = p.project_id) as datasets
"""
PATIENCE = 15.0
"""Seconds of one query of a store that answers others."""


class Queries:
    """A pool, asked for rows; a lost connection is met once more before the store counts as away."""

    def __init__(self, pool: "Pool", pulse: Pulse) -> None:
        self._pool = pool
        self._pulse = pulse

    async def rows(self, sql: str, *args: object) -> "list[Record]":
        return await self.on_connection(lambda connection: connection.fetch(sql, *args))

    async def on_connection(self, work: "Callable[[Connection], Awaitable[T]]") -> T:
        """What ``work`` returns, which is given a connection; it may be called twice."""

        async def ask() -> T:
            # Around it, since a timeout of the pool's own makes a task of each acquisition.
            async with self._pulse.bounded(PATIENCE) as limit:
                connection = await self._pool.acquire()
                try:
                    return await work(connection)
                except asyncio.CancelledError:
                    if limit.expired():
                        # Else its end would be waited for, and whoever is away answers that no more than the rest.
                        with contextlib.suppress(asyncpg.InterfaceError):
                            connection.terminate()
                    raise
                finally:
                    await self._pool.release(connection)

        return await steady(self._pool, ask)

    async def row(self, sql: str, *args: object) -> "Record | None":
        found = await self.rows(sql, *args)
        return found[0] if found else None

    async def value(self, sql: str, *args: object) -> Any:
        found = await self.row(sql, *args)
        return found[0] if found else None


class Views:
    """The read model of one tenant. Lists come newest last, except jobs and datasets, newest first."""

    def __init__(self, queries: Queries, tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def ping(self) -> None:
        await self._queries.value("select 1")

    async def projects(self, limit: int, offset: int) -> tuple[list[ProjectRow], int]:
        total = await self._queries.value(
            "select count(*) from projects where tenant = $1", self._tenant
        )
        rows = await self._queries.rows(
            f"select {PROJECT} from projects p where p.tenant = $1"  # noqa: S608 - constants
            " order by p.alias limit $2 offset $3",
            self._tenant,
            limit,
            offset,
        )
        return [ProjectRow(**row) for row in rows], total

    async def project(self, id: UUID | int) -> ProjectRow | None:
        """By its id or its alias."""
        column = "project_id" if isinstance(id, UUID) else "alias"
        row = await self._queries.row(
            f"select {PROJECT} from projects p where p.tenant = $1 and p.{column} = $2",  # noqa: S608 - constants
            self._tenant,
            id,
        )
        return ProjectRow(**row) if row else None

    async def named(self, id: UUID | int) -> tuple[UUID, int] | None:
        """Id and alias of a project, by either."""
        column = "project_id" if isinstance(id, UUID) else "alias"
        row = await self._queries.row(
            f"select project_id, alias from projects where tenant = $1 and {column} = $2",  # noqa: S608 - constants
            self._tenant,
            id,
        )
        return (row["project_id"], row["alias"]) if row else None

    async def documents(
        self, project: UUID | None, limit: int, offset: int
    ) -> tuple[list[DocumentRow], int]:
        where = "d.tenant = $1 and ($2::uuid is null or d.project_id = $2)"
        total = await self._queries.value(
            f"select count(*) from documents d where {where}",  # noqa: S608 - constants
            self._tenant,
            project,
        )
        rows = await self._queries.rows(
            f"select {DOCUMENT} from documents d where {where}"  # noqa: S608 - constants
            " order by d.pos limit $3 offset $4",
            self._tenant,
            project,
            limit,
            offset,
        )
        return [DocumentRow(**row) for row in rows], total

    async def document(self, id: UUID) -> DocumentRow | None:
        found = await self.some_documents([id])
        return found.get(id)

    async def some_documents(self, ids: Collection[UUID]) -> dict[UUID, DocumentRow]:
        rows = await self._queries.rows(
            f"select {DOCUMENT} from documents d"  # noqa: S608 - constants
            " where d.tenant = $1 and d.document_id = any($2::uuid[])",
            self._tenant,
            list(ids),
        )
        return {row["document_id"]: DocumentRow(**row) for row in rows}

    async def unprocessed(self, ids: Collection[UUID]) -> tuple[set[UUID], int]:
        """Which of these documents are there, and the bytes of all that were not parsed yet."""
        row = await self._queries.row(
            """
            select array(select document_id from documents
                         where tenant = $1 and document_id = any($2::uuid[])) as known,
                (select coalesce(sum((blob->>'size')::bigint), 0)::bigint from documents
                 where tenant = $1 and status = 'uploaded') as bytes
            """,
            self._tenant,
            list(ids),
        )
        return (set(row["known"]), row["bytes"]) if row else (set(), 0)

    async def document_names(self, id: UUID) -> list[str]:
        """Further names of a document that was submitted under several."""
        found = await self.names_of([id])
        return found.get(id, [])

    async def names_of(self, ids: Collection[UUID]) -> dict[UUID, list[str]]:
        """Further names of each document that was submitted under several."""
        rows = await self._queries.rows(
            "select document_id, name from document_names"
            " where document_id = any($1::uuid[]) order by name",
            list(ids),
        )
        found: dict[UUID, list[str]] = {}
        for row in rows:
            found.setdefault(row["document_id"], []).append(row["name"])
        return found

    async def documents_called(self, name: str, project: UUID | None) -> list[DocumentRow]:
        """Documents with this file name, or whose bytes have this content address; at most two."""
        rows = await self._queries.rows(
            f"select {DOCUMENT} from documents d"  # noqa: S608 - constants
            " where d.tenant = $1 and ($2::uuid is null or d.project_id = $2)"
            " and (d.name = $3 or d.blob->>'kind' || '/' || (d.blob->>'sha256') = $3)"
            " order by d.pos limit 2",
            self._tenant,
            project,
            name,
        )
        return [DocumentRow(**row) for row in rows]

    async def job(self, id: UUID) -> JobRow | None:
        found = await self.some_jobs([id])
        return found.get(id)

    async def some_jobs(self, ids: Collection[UUID]) -> dict[UUID, JobRow]:
        rows = await self._queries.rows(
            f"select {JOB} from jobs j where j.tenant = $1 and j.job_id = any($2::uuid[])",  # noqa: S608 - constants
            self._tenant,
            list(ids),
        )
        return {row["job_id"]: JobRow(**row) for row in rows}

    async def open_export(self, dataset: UUID, format: str) -> UUID | None:
        """The job that is writing the dataset in that format, if one is."""
        found: UUID | None = await self._queries.value(
            """
            select job_id from jobs
            where tenant = $1 and dataset_id = $2 and kind = 'dataset_export' and format = $3
              and status in ('pending', 'running')
            limit 1
            """,
            self._tenant,
            dataset,
            format,
        )
        return found

    async def dataset(self, id: UUID) -> DatasetRow | None:
        row = await self._queries.row(
            f"select {DATASET} from datasets s where s.tenant = $1 and s.dataset_id = $2",  # noqa: S608 - constants
            self._tenant,
            id,
        )
        return DatasetRow(**row) if row else None

    async def datasets(self, project: UUID) -> list[DatasetRow]:
        rows = await self._queries.rows(
            f"select {DATASET} from datasets s"  # noqa: S608 - constants
            " where s.tenant = $1 and s.project_id = $2 order by s.pos desc",
            self._tenant,
            project,
        )
        return [DatasetRow(**row) for row in rows]

    async def exports(self, datasets: Collection[UUID]) -> list[ExportRow]:
        """Oldest first."""
        rows = await self._queries.rows(
            f"select {EXPORT} from exports x"  # noqa: S608 - constants
            " left join datasets s using (dataset_id)"
            " where x.dataset_id = any($1::uuid[])"
            " and (s.reopened_at is null or x.created_at > s.reopened_at)"
            " order by x.created_at, x.format, x.batch_size",
            list(datasets),
        )
        return [ExportRow(**row) for row in rows]

    async def export_with(self, file: str) -> ExportRow | None:
        """The newest export with a file of this name."""
        row = await self._queries.row(
            f"select {EXPORT} from exports x join datasets s using (dataset_id)"  # noqa: S608 - constants
            " where s.tenant = $1 and x.files @> $2 order by x.created_at desc limit 1",
            self._tenant,
            [{"name": file}],
        )
        return ExportRow(**row) if row else None

    async def plans(self, job: UUID) -> list[PlanRow]:
        rows = await self._queries.rows(
            "select first, seeds, round, plan from plans where job_id = $1 order by first",
            job,
        )
        return [PlanRow(**row) for row in rows]

    async def failures(self, job: UUID) -> dict[str, int]:
        """Failed units of a job, by code; neither those that were asked again after a restart nor those not needed."""
        rows = await self._queries.rows(
            """
            select f.code, count(*) from failures f left join jobs j using (job_id)
            where f.job_id = $1 and f.code <> 'cancelled' and (j.restarted is null or f.pos > j.restarted)
            group by f.code order by 2 desc
            """,
            job,
        )
        return {row["code"]: row["count"] for row in rows}
