"""Jobs: how far they are, at once, when it changes, or live; and stopping them, for good or for a while."""

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contracts.identity import dataset_id
from contracts.job import (
    JobCancelRequested,
    JobForkRequested,
    JobKind,
    JobPauseRequested,
    JobRestartRequested,
    JobResumeRequested,
)
from contracts.message import Request as Asked
from services.gateway import ids, looking, overview, positions, progress, queueing
from services.gateway.accepting import begin, known_job
from services.gateway.asking import IdempotencyKey, ask, request_id
from services.gateway.deps import Deps, Here, deps_of
from services.gateway.job_shapes import Cancelling, Forked, ForkOptions, Pausing, Restarted, Resumed
from services.gateway.overview_shapes import Overview
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Jobs, JobStatus, QueueStats
from shared.clock import monotonic
from shared.errors import Refused

router = APIRouter(prefix="/jobs", tags=["jobs"])
of_datasets = APIRouter(prefix="/datasets", tags=["datasets"])

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
JSON = "application/json"


@router.get("/status/{id}", response_model=JobStatus)
async def job_status(request: Request, id: str) -> Response:
    # Asked most of all, and to have FastAPI resolve one more dependency takes a twentieth of the time.
    deps = await deps_of(request)
    return said(looking.status(deps, await looking.state_of(deps, id)))


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
    states, total = await deps.store.jobs.page(
        status=status,
        kind=kind,
        project=project.project_id if project else None,
        limit=per_page,
        offset=offset(page, per_page),
    )
    return Jobs(
        jobs=[looking.status(deps, state, full=False) for state in states],
        total=total,
        page=page,
        per_page=per_page,
    )


@router.get("/queue/stats")
async def queue_stats(deps: Here) -> QueueStats:
    """How many jobs there are of each status, and what the machine and the workers have to do."""
    return await queueing.stats(deps)


@router.get("/overview")
async def overview_of_all(deps: Here) -> Overview:
    """The whole at a glance: jobs, rates of the last minute, lags, work in flight, disk."""
    return await overview.overview(deps)


@router.get("/status/{id}/poll", response_model=JobStatus)
@router.get("/{id}/poll", response_model=JobStatus)
async def poll_job(
    deps: Here,
    id: str,
    patience: Annotated[
        int,
        Query(alias="timeout", ge=1, le=300, description="Seconds that the answer waits at most."),
    ] = 30,
    current_status: Annotated[
        Status | None, Query(description="The status that is known; none: that of this moment.")
    ] = None,
) -> Response:
    """The job as soon as its status is another than ``current_status``; at once when it has ended, and as it is when
    the time is up.
    """
    state = await looking.state_of(deps, id)
    known = current_status or state.job.status
    if state.job.status == known and known not in progress.ENDED:
        await _other_status(deps, state.job.job_id, known, patience)
        state = await looking.state_of(deps, id)
    return said(looking.status(deps, state))


async def _other_status(deps: Deps, job: UUID, known: str, patience: float) -> None:
    """Wait until the job's status is another, for so many seconds at most."""
    deps.broadcasts.admit()
    until, number = monotonic() + patience, 0
    async with deps.broadcasts.of(job) as channel:
        while (left := until - monotonic()) > 0 and await channel.moved(number, left):
            number = channel.number
            if channel.closed or (channel.look is not None and channel.look.status != known):
                return


@of_datasets.get("/generate/{job}/status", response_model=JobStatus)
async def generation_status(deps: Here, job: str) -> Response:
    """The job with its batch files; after its end, with all that the dataset holds."""
    state = await looking.state_of(deps, job, kind="dataset_generation")
    return said(looking.status(deps, state))


@router.post("/cancel/{id}")
async def cancel_job(deps: Here, id: str, idempotency_key: IdempotencyKey = None) -> Cancelling:
    """Start nothing more for the job; what is in flight finishes and is recorded."""
    job = await _asked(
        deps, id, "cancelled", lambda target: JobCancelRequested(target=target), idempotency_key
    )
    return Cancelling(job_id=job, message=f"Job {job} is being cancelled")


@router.post("/pause/{id}")
async def pause_job(deps: Here, id: str, idempotency_key: IdempotencyKey = None) -> Pausing:
    """Start nothing more for a job that generates until it is resumed; what is in flight finishes and is recorded."""
    job = await _asked(
        deps, id, "paused", lambda target: JobPauseRequested(target=target), idempotency_key
    )
    return Pausing(job_id=job, message=f"Job {job} is being paused")


@router.post("/resume/{id}")
async def resume_job(deps: Here, id: str, idempotency_key: IdempotencyKey = None) -> Resumed:
    """Let a paused job go on from where it is. What was not started is asked under its own ids; nothing is lost."""
    job = await _asked(
        deps, id, "resumed", lambda target: JobResumeRequested(target=target), idempotency_key
    )
    return Resumed(job_id=job, message=f"Job {job} goes on")


async def _asked(
    deps: Deps,
    id: str,
    become: str,
    said: Callable[[UUID], Asked],
    key: str | None,
) -> UUID:
    """Ask something of a job that has not ended. Raise ``Refused`` (404) where there is none."""
    unknown = Refused("job_not_found", f"Job {id[:64]} not found or cannot be {become}", status=404)
    name = ids.uuid_of(id)
    row = await deps.views.job(name) if name else None
    if row is None or row.status in progress.ENDED:
        raise unknown
    try:
        await ask(deps, said(row.job_id), request_id(key))
    except Refused as problem:
        if problem.status != 404:
            raise
        raise unknown from None
    return row.job_id


@router.post("/fork/{id}", responses={202: {"model": Forked}})
async def fork_job(
    deps: Here,
    response: Response,
    id: str,
    options: ForkOptions | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Forked:
    """A new job that goes on from what a job that generates has now, or had at a position. What was in flight there, or
    had failed, is asked by the new job; nothing else is asked or paid again.
    """
    unknown = Refused("job_not_found", f"Job {id[:64]} not found or cannot be forked", status=404)
    name, asked = ids.uuid_of(id), options or ForkOptions()
    if name is None or not await known_job(deps, name):
        raise unknown
    at = positions.parse(asked.position, "position") if asked.position else None
    request = JobForkRequested(target=name, position=str(at) if at else None, name=asked.name)
    begun = await begin(deps, request, request_id(idempotency_key))
    response.status_code = begun.status
    job = begun.job_id
    return Forked(
        job_id=job,
        dataset_id=dataset_id(job),
        message=f"Job {job} goes on from job {name}",
        state=begun.state,
    )


@router.post("/restart/{id}", responses={202: {"model": Restarted}})
async def restart_job(
    deps: Here, response: Response, id: str, idempotency_key: IdempotencyKey = None
) -> Restarted:
    """Go on with a job that failed or was cancelled, under its own id. What was done stays done and is not paid again;
    what has no outcome is asked again.
    """
    unknown = Refused(
        "job_not_found", f"Job {id[:64]} not found or cannot be restarted", status=404
    )
    name = ids.uuid_of(id)
    if name is None or not await known_job(deps, name):
        raise unknown
    try:
        begun = await begin(deps, JobRestartRequested(target=name), request_id(idempotency_key))
    except Refused as problem:
        if problem.code != "job_not_found":
            raise
        raise unknown from None
    response.status_code = begun.status
    return Restarted(job_id=name, message=f"Job {name} goes on", state=begun.state)


def said(status: JobStatus) -> Response:
    """A status as an answer. It is a shape already, so that it is not looked at once more on its way out."""
    return Response(status.model_dump_json(), media_type=JSON)
