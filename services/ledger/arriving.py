"""Requests that bring documents in by a job, and those that give a rejected one another try."""

from collections.abc import Collection
from pathlib import PurePath
from uuid import UUID, uuid5

from contracts.document import DocumentFetchRequested, DocumentReopened, DocumentSplitRequested
from services.ledger.adding import is_gone
from services.ledger.asked import Asked, project_row, room_for_a_job, say
from services.ledger.processes import arrivals, ingestion
from services.ledger.processes.arrivals import ArrivalState, Asking
from services.ledger.processes.ingestion import DocumentState
from services.ledger.rows import Row
from services.ledger.turn import Turn
from shared.errors import Refused


async def fetch(turn: Turn, asked: Asked, request: DocumentFetchRequested) -> UUID:
    await room_for_a_job(turn, asked.tenant)
    await project_row(turn, asked.tenant, request.project_id)
    return await _arrive(turn, asked, request, arrivals.start(request))


async def split(turn: Turn, asked: Asked, request: DocumentSplitRequested) -> UUID:
    await room_for_a_job(turn, asked.tenant)
    await project_row(turn, asked.tenant, request.project_id)
    row = await turn.row(request.document_id)
    if (
        row is None
        or row.project_id != request.project_id
        or not isinstance(row.state, DocumentState)
        or is_gone(row)
    ):
        raise Refused(
            "document_not_found",
            f"Document {request.document_id} not found or doesn't belong to project {request.project_id}",
            status=404,
            field="pdf_path",
        )
    if PurePath(row.state.name).suffix.lower() != ".pdf":
        raise Refused("not_a_pdf", "File must be a PDF", field="pdf_path")
    state = arrivals.start(request, (row.state.name, row.state.blob))
    return await _arrive(turn, asked, request, state)


async def _arrive(turn: Turn, asked: Asked, request: Asking, state: ArrivalState) -> UUID:
    job = asked.job
    await turn.row(job)
    row = turn.new_row(job, asked.tenant, "arrival", project=request.project_id)
    turn.remember(job, request)
    await say(turn, asked, row, job, request)
    row.become(state)
    turn.touch(job)
    return job


async def reopen(
    turn: Turn, asked: Asked, documents: Collection[tuple[Row, DocumentState]]
) -> None:
    """Give another try to those that were rejected for what may be the machine's fault."""
    for row, state in documents:
        if not ingestion.may_be_reopened(state):
            continue
        event = DocumentReopened(document_id=row.stream, project_id=state.project_id)
        id = uuid5(asked.message, f"reopened/{row.stream}")
        recorded = turn.record(row, event, id=id, job=asked.job, cause=asked.message)
        if recorded is not None:
            await turn.fold(row, recorded)
