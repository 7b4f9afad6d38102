"""Jobs: how far they are, and stopping them."""

from typing import Any, Literal

from fastapi import APIRouter

from contracts.job import JobCancelRequested, JobKind
from services.gateway import ids, progress, showing
from services.gateway.asking import IdempotencyKey, ask, request_id
from services.gateway.deps import Deps, Here
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Cancelling, Jobs, JobStatus
from services.gateway.views.rows import DatasetRow, DocumentCounts, JobRow
from shared.errors import Refused

router = APIRouter(prefix="/jobs", tags=["jobs"])

MOST_SHOWN = 1000
"""Documents named in the result of a job."""

Status = Literal["pending", "running", "completed", "failed", "cancelled"]


@router.get("")
async def list_jobs(
    deps: Here,
    status: Status | None = None,
    kind: JobKind | None = None,
    project_id: str | None = None,
    page: Page = 1,
    per_page: PerPage = 20,
) -> Jobs:
    """Newest first."""
    project = await ids.project(deps.views, project_id) if project_id else None
    rows, total = await deps.views.jobs(
        status=status,
        kind=kind,
        project=project.project_id if project else None,
        limit=per_page,
        offset=offset(page, per_page),
    )
    return Jobs(
        jobs=[await status_of(deps, row, full=False) for row in rows],
        total=total,
        page=page,
        per_page=per_page,
    )


@router.get("/status/{id}")
async def job_status(deps: Here, id: str) -> JobStatus:
    return await status_of(deps, await ids.job(deps.views, id))


@router.post("/cancel/{id}")
async def cancel_job(deps: Here, id: str, idempotency_key: IdempotencyKey = None) -> Cancelling:
    """Start nothing more for the job; what is in flight finishes and is recorded."""
    unknown = Refused(
        "job_not_found", f"Job {id[:64]} not found or cannot be cancelled", status=404
    )
    name = ids.uuid_of(id)
    row = await deps.views.job(name) if name else None
    if row is None or row.status in progress.ENDED:
        raise unknown
    try:
        await ask(deps, JobCancelRequested(target=row.job_id), request_id(idempotency_key))
    except Refused as problem:
        if problem.status != 404:
            raise
        raise unknown from None
    return Cancelling(job_id=row.job_id, message=f"Job {row.job_id} is being cancelled")


async def status_of(deps: Deps, row: JobRow, *, full: bool = True) -> JobStatus:
    """The state of a job. ``full``: with its result, as far as there is one."""
    made = None
    if row.kind == "dataset_generation" and row.dataset_id is not None:
        made = await deps.views.dataset(row.dataset_id)
    documents = DocumentCounts(0, 0, 0)
    waits = row.status == "pending" or row.kind == "document_processing"
    if waits and row.status not in progress.ENDED:
        documents = await deps.views.document_counts(row.job_id)
    result = await _result(deps, row, made) if full else None
    return showing.job(row, made, documents, result)


async def _result(deps: Deps, row: JobRow, made: DatasetRow | None) -> dict[str, Any] | None:
    if made is not None:
        exports = await deps.views.exports([made.dataset_id]) if made.closing else []
        rejected = await deps.views.rejected_documents(row.job_id, MOST_SHOWN)
        return showing.generation_result(row, made, exports, rejected)
    if row.kind in ("document_upload", "document_processing"):
        return showing.documents_result(await deps.views.documents_of_job(row.job_id, MOST_SHOWN))
    if row.dataset_id is None or row.format is None:
        return None
    exports = await deps.views.exports([row.dataset_id])
    mine = [file for each in exports if each.job_id == row.job_id for file in showing.files(each)]
    return {
        "dataset_id": str(row.dataset_id),
        "format": row.format,
        "files": [file.model_dump(mode="json") for file in mine],
        "download": showing.download(row.dataset_id, row.format) if mine else None,
    }
