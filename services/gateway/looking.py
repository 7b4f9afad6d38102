"""A job's status as the API says it, made from one look at the views; and the same for those who listen to it."""

from typing import Any
from uuid import UUID

import orjson

from services.gateway import progress, showing
from services.gateway.deps import Deps
from services.gateway.following import Look
from services.gateway.ids import uuid_of
from services.gateway.shapes import JobStatus
from services.gateway.views.job_reads import JobState
from shared.errors import Refused

MOST_SHOWN = 1000
"""Documents named in the result of a job."""


async def state_of(deps: Deps, id: str, *, kind: str | None = None) -> JobState:
    """Raise ``Refused`` (404) where there is no such job."""
    name = uuid_of(id)
    found = await deps.store.jobs.state(name, MOST_SHOWN) if name else None
    if found is None or (kind is not None and found.job.kind != kind):
        raise Refused("job_not_found", f"Job {id[:64]} not found", status=404)
    return found


def status(deps: Deps, state: JobState, *, full: bool = True) -> JobStatus:
    """``full``: with its result, as far as there is one."""
    done = deps.rates.estimate(state.job, state.made, state.counts, state.seen_at)
    return showing.job(
        state.job,
        state.made,
        state.counts,
        _result(state) if full else None,
        estimated_completion=done,
    )


def _result(state: JobState) -> dict[str, Any] | None:
    row = state.job
    if state.made is not None:
        return showing.generation_result(row, state.made, state.exports, state.documents)
    if row.kind in ("document_upload", "document_processing"):
        return showing.documents_result(state.documents)
    if row.kind in ("document_fetch", "document_split"):
        return showing.arrivals_result(state.documents, state.reasons, state.split)
    if row.dataset_id is None or row.format is None:
        return None
    mine = [x for each in state.exports if each.job_id == row.job_id for x in showing.files(each)]
    return {
        "dataset_id": str(row.dataset_id),
        "format": row.format,
        "files": [file.model_dump(mode="json") for file in mine],
        "download": showing.download(row.dataset_id, row.format) if mine else None,
    }


async def look(deps: Deps, job: UUID) -> Look | None:
    """What a listener is sent: the status, and when it was so."""
    state = await deps.store.jobs.state(job, MOST_SHOWN)
    if state is None:
        return None
    shown = status(deps, state).model_dump(mode="json")
    matters = {key: value for key, value in shown.items() if key != "estimated_completion"}
    return Look(
        status=state.job.status,
        ended=state.job.status in progress.ENDED,
        state=orjson.dumps(matters),
        shown=orjson.dumps(shown | {"timestamp": state.seen_at.isoformat()}),
    )
