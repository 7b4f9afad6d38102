"""What the events of jobs mean for the views: how they begin, wait, and end. What their calls cost is folded by
``many.sql``.
"""

from collections.abc import Iterator
from typing import Any

from contracts.export import ExportRequested
from contracts.generation import GenerationRequested
from contracts.identity import dataset_id
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCancelRequested,
    JobCompleted,
    JobContinued,
    JobFailed,
    JobForked,
    JobPaused,
    JobPausing,
    JobRestarted,
    JobResumed,
    JobStarted,
    JobWaiting,
)
from contracts.message import Event, Recorded
from contracts.processing import ProcessingRequested
from services.gateway.views.batch import Change, Inherit, Operation, Put
from services.gateway.views.operations import Rule, dataset, job, job_of, new_job, place, plain
from shared.store import Position


def _processing_requested(recorded: Recorded[ProcessingRequested]) -> Iterator[Operation]:
    event, this = recorded.event, job_of(recorded)
    chunking = event.chunking.key() if event.chunking else None
    yield new_job(
        recorded, this, "document_processing", project_id=event.project_id, chunking=chunking
    )
    for document in event.document_ids:
        yield Put("job_documents", (this, document), {}, fresh=False)


def _export_requested(recorded: Recorded[ExportRequested]) -> Iterator[Operation]:
    event = recorded.event
    yield new_job(
        recorded,
        job_of(recorded),
        "dataset_export",
        dataset_id=event.dataset_id,
        format=event.format,
    )


def _generation_requested(recorded: Recorded[GenerationRequested]) -> Iterator[Operation]:
    yield from _generates(recorded, recorded.event)


def _job_forked(recorded: Recorded[JobForked]) -> Iterator[Operation]:
    event, this, had = recorded.event, job_of(recorded), recorded.event.progress
    if had is None:
        yield from _generates(recorded, event.request)
        return
    counts = {
        "rounds": len(had.rounds),
        "seeds": sum(made.seeds for made in had.rounds),
        "rejected": sum(had.rejected.values()),
        "skipped": had.skipped,
    }
    same = "chunks asked done generated accepted surplus"
    counts |= {name: getattr(had, name) for name in same.split()}
    yield from _generates(recorded, event.request, **counts)
    yield job(
        recorded, status="running", started_at=recorded.recorded_at, documents=event.documents
    )
    for n, made in enumerate(had.rounds, 1):
        values = {"seeds": made.seeds, "round": n, "plan": plain(made.plan)}
        yield Put("plans", (this, made.first), values, fresh=False)
    through = Position.parse(event.at).n
    yield Inherit(dataset_id(this), dataset_id(event.parent), through)


def _generates(
    recorded: Recorded[Any], event: GenerationRequested, **made: Any
) -> Iterator[Operation]:
    """A job that generates, with its dataset. ``made``: what it begins with."""
    this, settings = job_of(recorded), event.settings
    yield new_job(
        recorded,
        this,
        "dataset_generation",
        project_id=event.project_id,
        dataset_id=dataset_id(this),
        all_documents=event.document_ids is None,
        chunking=settings.chunking.key(),
        format=settings.format,
    )
    for document in event.document_ids or ():
        yield Put("job_documents", (this, document), {}, fresh=False)
    counters = "rounds chunks seeds asked done failed generated accepted rejected surplus"
    yield Put(
        "datasets",
        (dataset_id(this),),
        {
            "tenant": recorded.tenant,
            "project_id": event.project_id,
            "job_id": this,
            "pos": place(recorded),
            "name": event.name,
            "mode": settings.mode,
            "model": settings.model,
            "format": settings.format,
            "batch_size": settings.batch_size,
            "wanted": settings.entries,
            "settings": plain(settings),
            "skipped": {},
            "created_at": recorded.recorded_at,
            "updated_at": recorded.recorded_at,
            **dict.fromkeys(counters.split(), 0),
            **made,
        },
    )


def _job_started(recorded: Recorded[JobStarted]) -> Iterator[Operation]:
    yield job(
        recorded,
        status="running",
        started_at=recorded.recorded_at,
        documents=recorded.event.documents,
    )


def _job_waiting(recorded: Recorded[JobWaiting]) -> Iterator[Operation]:
    event = recorded.event
    yield job(recorded, waiting_for=event.waiting_for, waiting_reason=event.reason)


def _job_resumed(recorded: Recorded[JobResumed]) -> Iterator[Operation]:
    yield job(recorded, waiting_for=None, waiting_reason=None)


def _job_cancel_requested(recorded: Recorded[JobCancelRequested]) -> Iterator[Operation]:
    yield Change("jobs", (recorded.event.target,), {"cancelling": True})


def _job_cancelling(recorded: Recorded[JobCancelling]) -> Iterator[Operation]:
    yield job(recorded, cancelling=True, pausing=False)


def _job_pausing(recorded: Recorded[JobPausing]) -> Iterator[Operation]:
    yield job(recorded, pausing=True)


def _job_paused(recorded: Recorded[JobPaused]) -> Iterator[Operation]:
    yield job(recorded, status="paused", pausing=False)


def _job_continued(recorded: Recorded[JobContinued]) -> Iterator[Operation]:
    status = "running" if recorded.event.started else "pending"
    yield job(recorded, status=status, pausing=False, waiting_for=None, waiting_reason=None)


def _ended(recorded: Recorded[Any], status: str, **sets: Any) -> Change:
    ended = {"completed_at": recorded.recorded_at, "waiting_for": None, "waiting_reason": None}
    return job(recorded, status=status, pausing=False, **ended, **sets)


def _job_completed(recorded: Recorded[JobCompleted]) -> Iterator[Operation]:
    yield _ended(recorded, "completed")


def _job_cancelled(recorded: Recorded[JobCancelled]) -> Iterator[Operation]:
    yield _ended(recorded, "cancelled")


def _job_restarted(recorded: Recorded[JobRestarted]) -> Iterator[Operation]:
    """The job is as if it had not ended; seeds that had failed are asked again, and its dataset is open again."""
    event, this = recorded.event, job_of(recorded)
    anew = {"completed_at": None, "cancelling": False, "code": None, "message": None}
    status = "running" if event.planned else "pending"
    yield job(recorded, status=status, restarted=place(recorded), **anew)
    yield dataset(
        recorded,
        dataset_id(this),
        {"failed": -event.failed},
        closing=None,
        reopened_at=recorded.recorded_at,
    )


def _job_failed(recorded: Recorded[JobFailed]) -> Iterator[Operation]:
    yield _ended(recorded, "failed", code=recorded.event.code, message=recorded.event.message)


RULES: dict[type[Event], Rule] = {
    ProcessingRequested: _processing_requested,
    ExportRequested: _export_requested,
    GenerationRequested: _generation_requested,
    JobForked: _job_forked,
    JobStarted: _job_started,
    JobWaiting: _job_waiting,
    JobResumed: _job_resumed,
    JobCancelRequested: _job_cancel_requested,
    JobCancelling: _job_cancelling,
    JobPausing: _job_pausing,
    JobPaused: _job_paused,
    JobContinued: _job_continued,
    JobCompleted: _job_completed,
    JobCancelled: _job_cancelled,
    JobFailed: _job_failed,
    JobRestarted: _job_restarted,
}
