"""How far jobs are, read in one query for one job or a page of them, and how many there are of each status.

Raises ``Unavailable`` where the store is away. Never writes.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.gateway.views.rows import (
    DatasetRow,
    DocumentCounts,
    DocumentRow,
    ExportRow,
    JobRow,
    SplitRow,
    columns,
)

if TYPE_CHECKING:
    import asyncpg

    from services.gateway.views.reads import Queries

    Record = asyncpg.Record

OPEN = "('pending', 'running', 'paused')"
_JOB = len(fields(JobRow))
_DATASET = _JOB + len(fields(DatasetRow))

# How far the documents of a job are, as that job needs them.
_COUNTS = """
    select count(*) as total,
        count(*) filter (where d.status = 'rejected' or case
            when j.kind in ('document_upload', 'document_fetch', 'document_split') then true
            when j.kind = 'dataset_generation' then d.status = 'chunked'
            when j.chunking is null then d.status <> 'uploaded'
            else exists (select from document_chunkings c
                         where c.document_id = d.document_id and c.chunking = j.chunking)
            end) as settled,
        count(*) filter (where d.status = 'rejected') as rejected
    from documents_of_jobs o join documents d using (document_id)
    where o.job_id = j.job_id
"""
# A generation job names its unusable documents, a job of documents all that it worked on.
_DOCUMENTS = """
    case when j.kind <> 'dataset_export' then array(
        select d from documents_of_jobs o join documents d using (document_id)
        where o.job_id = j.job_id and (j.kind <> 'dataset_generation' or d.status = 'rejected')
        order by d.pos limit $3) end
"""
_EXPORTS = """
    case when s.closing is not null or j.kind = 'dataset_export' then array(
        select x from exports x
        left join datasets o using (dataset_id)
        where x.dataset_id = j.dataset_id and (o.reopened_at is null or x.created_at > o.reopened_at)
        order by x.created_at, x.format, x.batch_size) end
"""
_ARRIVAL = "j.kind in ('document_fetch', 'document_split')"
# Why units failed, of jobs whose units nobody counts elsewhere; and what a document was cut into.
_REASONS = f"""
    case when {_ARRIVAL} then array(
        select f from failures f where f.job_id = j.job_id order by f.pos limit $3) end
"""  # noqa: S608 - constants
_SPLIT = "case when j.kind = 'document_split' then array(select t from splits t where t.job_id = j.job_id) end"
_STATE = f"""
    {columns(JobRow, "j")}, {columns(DatasetRow, "s")},
    c.total, c.settled, c.rejected as unusable, clock_timestamp() as seen_at
"""
_BESIDE = f"""
    left join datasets s on s.dataset_id = j.dataset_id and j.kind = 'dataset_generation'
    left join lateral ({_COUNTS}) c
        on j.status in {OPEN}
        and (j.status = 'pending' or j.kind in ('document_processing', 'document_fetch'))
"""
_ONE = f"""
    select {_STATE}, {_DOCUMENTS} as documents_of, {_EXPORTS} as exports_of,
        {_REASONS} as reasons_of, {_SPLIT} as split_of
    from jobs j {_BESIDE} where j.tenant = $1 and j.job_id = $2
"""  # noqa: S608 - constants
_PAGE = f"""
    with found as materialized (
        select job_id, pos from jobs j
        where j.tenant = $1 and ($2::text is null or j.status = $2)
          and ($3::text is null or j.kind = $3) and ($4::uuid is null or j.project_id = $4)
    )
    select {_STATE}, t.total as of_all
    from (select count(*) as total from found) t
    left join (select job_id from found order by pos desc limit $5 offset $6) p on true
    left join jobs j using (job_id) {_BESIDE}
    order by j.pos desc
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class JobState:
    """A job with all that its status is made from."""

    job: JobRow
    made: DatasetRow | None
    """The dataset of a generation job."""
    counts: DocumentCounts
    seen_at: datetime
    """On the database's clock."""
    documents: tuple[DocumentRow, ...] = ()
    """Those that the job's result names, in the order in which they came."""
    exports: tuple[ExportRow, ...] = ()
    """Of its dataset, oldest first."""
    reasons: tuple[tuple[str, str], ...] = ()
    """Codes and messages of what a job that brings documents in could not bring."""
    split: SplitRow | None = None


class JobReads:
    """The jobs of one tenant."""

    def __init__(self, queries: "Queries", tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def state(self, job: UUID, most_documents: int) -> JobState | None:
        row = await self._queries.row(_ONE, self._tenant, job, most_documents)
        return _state(row, full=True) if row else None

    async def page(
        self,
        *,
        status: str | None,
        kind: str | None,
        project: UUID | None,
        limit: int,
        offset: int,
    ) -> tuple[list[JobState], int]:
        """Newest first, without what only results name; and how many there are in all."""
        rows = await self._queries.rows(_PAGE, self._tenant, status, kind, project, limit, offset)
        # By place, since the dataset's columns share names with the job's.
        jobs = [_state(row, full=False) for row in rows if row[0] is not None]
        return jobs, rows[0]["of_all"]

    async def totals(self) -> dict[str, int]:
        """How many jobs there are, by status; and of the running ones, how many wait for something outside."""
        rows = await self._queries.rows(
            """
            select status, count(*) as jobs, count(waiting_for) as waiting
            from jobs where tenant = $1 group by status
            """,
            self._tenant,
        )
        found = {row["status"]: int(row["jobs"]) for row in rows}
        return found | {"waiting": sum(int(row["waiting"]) for row in rows)}


def _state(row: "Record", *, full: bool) -> JobState:
    values = tuple(row)
    dataset = values[_JOB:_DATASET]
    counts = DocumentCounts(row["total"] or 0, row["settled"] or 0, row["unusable"] or 0)
    return JobState(
        job=JobRow(*values[:_JOB]),
        made=DatasetRow(*dataset) if dataset[0] is not None else None,
        counts=counts,
        seen_at=row["seen_at"],
        documents=_rows(DocumentRow, row["documents_of"]) if full else (),
        exports=_rows(ExportRow, row["exports_of"]) if full else (),
        reasons=_reasons(row["reasons_of"]) if full else (),
        split=next(iter(_rows(SplitRow, row["split_of"])), None) if full else None,
    )


def _reasons(found: "list[Record] | None") -> tuple[tuple[str, str], ...]:
    return tuple((each["code"], each["message"]) for each in found or ())


def _rows(kind: Any, found: "list[Record] | None") -> tuple[Any, ...]:
    names = [field.name for field in fields(kind)]
    return tuple(kind(*(each[name] for name in names)) for each in found or ())
