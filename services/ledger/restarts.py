"""A job that failed or was cancelled goes on from where it ended, under its own id.

What has an outcome keeps it. What the process cannot know from its counters (which stretches were judged, which seeds
are done) is read in the log, and what is decided from it is part of the event.
"""

from uuid import UUID

from contracts.generation import GenerationRequested
from contracts.identity import dataset_id
from contracts.job import JobCancelled, JobCompleted, JobFailed, JobRestarted, JobRestartRequested
from contracts.message import wire_type
from contracts.processing import ProcessingRequested
from services.ledger import arriving, requests, writing
from services.ledger.asked import Asked, project_row, room_for_a_job, say
from services.ledger.processes import generation_state, ingestion
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState, ProcessingState
from services.ledger.rows import Row
from services.ledger.turn import Turn
from shared.errors import Refused

AGAIN = (wire_type(JobFailed), wire_type(JobCancelled))
RESTARTED = ("processing", "generation", "export")
"""Kinds of jobs; one that only fetches or splits a document is as quickly asked for anew."""
ENDS = (*AGAIN, wire_type(JobCompleted))


async def restart(turn: Turn, asked: Asked, request: JobRestartRequested) -> UUID:
    """Record that a job goes on. Raise ``Refused``."""
    job = request.target
    row = await turn.row(job)
    if row is None or row.tenant != asked.tenant or row.kind not in RESTARTED or row.open:
        raise _unknown(job)
    before = await turn.connection.fetchrow(
        """
        select (array_agg(type order by version desc) filter (where type = any($2)))[1] as ending,
            count(*) filter (where type = $3) as restarts
        from ledger.events where stream_id = $1
        """,
        job,
        ENDS,
        wire_type(JobRestarted),
    )
    if before is None or before["ending"] not in AGAIN:
        raise _unknown(job)
    if row.project_id is not None:
        await project_row(turn, asked.tenant, row.project_id)
    await room_for_a_job(turn, asked.tenant)
    rejected = await _reopen(turn, asked, row)
    restarted = await _facts(turn, row, before["restarts"] + 1)
    turn.reopen(row)
    await say(turn, asked, row, job, request, restarted)
    for each in rejected:
        if isinstance(row.state, ProcessingState):
            counted = ingestion.settled(row.state, each)
            row.become(counted.model_copy(update={"waiting": restarted.waiting}))
    return job


def _unknown(job: UUID) -> Refused:
    return Refused("job_not_found", f"Job {job} not found or cannot be restarted", status=404)


async def _facts(turn: Turn, row: Row, number: int) -> JobRestarted:
    match row.state, await turn.request_of(row.stream):
        case GenerationState() as state, GenerationRequested() if state.rounds:
            return await _planned(turn, row, state, number)
        case GenerationState(), GenerationRequested() as request:
            documents = await requests.usable(turn, request)
            chosen = request.settings
            waiting = await requests.want(
                turn, row.stream, documents, chosen.chunking, any_cut=not chosen.recut
            )
            return JobRestarted(restart=number, documents=len(documents), waiting=waiting)
        case _, ProcessingRequested() as request:
            found = await requests.documents(turn, request.project_id, request.document_ids)
            waiting = await requests.want(
                turn, row.stream, found, request.chunking, any_cut=False, whole=True
            )
            return JobRestarted(restart=number, documents=len(found), waiting=waiting)
        case _:
            return JobRestarted(restart=number)


async def _planned(turn: Turn, row: Row, state: GenerationState, number: int) -> JobRestarted:
    judged = await writing.judged(turn.connection, dataset_id(row.stream))
    return JobRestarted(
        restart=number,
        failed=state.counts.failed,
        documents=state.documents,
        planned=True,
        uncurated=generation_state.gaps(judged.curated, state.curated_to),
        admitted_to=max((through for _, through in judged.admitted), default=0),
    )


async def _reopen(turn: Turn, asked: Asked, row: Row) -> list[DocumentState]:
    """Give rejected documents of a job another try where it may help; the others count as before."""
    request = await turn.request_of(row.stream)
    if not isinstance(request, ProcessingRequested):
        return []
    found = await requests.documents(turn, request.project_id, request.document_ids)
    await arriving.reopen(turn, asked, found)
    found = await requests.documents(turn, request.project_id, request.document_ids)
    return [state for _, state in found if state.status == "rejected"]
