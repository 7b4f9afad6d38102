"""What each request becomes: refused with a code, or recorded as the beginning of something.

Everything is checked before anything is recorded, so a refusal leaves no trace in the log and does not use up its key.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from contracts.chunks import ChunksDeletionRequested
from contracts.dataset import DatasetDeletionRequested
from contracts.document import (
    Chunking,
    DocumentDeletionRequested,
    DocumentFetchRequested,
    DocumentSplitRequested,
    DocumentSubmitted,
)
from contracts.export import ExportRequested
from contracts.generation import GenerationRequested
from contracts.identity import dataset_id, job_id, project_id
from contracts.job import JobCancelling, JobCancelRequested
from contracts.message import Request
from contracts.processing import ProcessingRequested
from contracts.project import (
    ProjectCreated,
    ProjectDeletionRequested,
    ProjectRequested,
    ProjectUpdated,
    ProjectUpdateRequested,
)
from services.ledger import writing
from services.ledger.adding import Arrived, added, is_gone
from services.ledger.arriving import fetch, reopen, split
from services.ledger.asked import Asked, dataset_row, project_row, room_for_a_job, say
from services.ledger.deletions import (
    delete_chunks,
    delete_dataset,
    delete_document,
    delete_project,
)
from services.ledger.processes import generation_state, ingestion
from services.ledger.processes.export import ExportState
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState
from services.ledger.rows import JOBS, DatasetState, Key, Row
from services.ledger.turn import Turn
from shared.errors import Refused

NAMES = ("project_id", "document_id", "dataset_id", "target")


async def load(turn: Turn, asked: Mapping[Key, Request]) -> None:
    """Read what requests concern, in a few queries for all of them: what was answered, and the streams they name."""
    if not asked:
        return
    turn.asked |= await writing.answered(turn.connection, list(asked))
    streams: set[UUID] = set()
    projects: set[UUID] = set()
    for key, request in asked.items():
        if key in turn.asked:
            continue
        job = job_id(*key)
        streams |= {job, dataset_id(job)}
        named = [getattr(request, name, None) for name in NAMES]
        named_documents = getattr(request, "document_ids", None) or ()
        streams |= {each for each in (*named, *named_documents) if each is not None}
        if isinstance(request, GenerationRequested | ProcessingRequested) and not named_documents:
            projects.add(request.project_id)
    await turn.load_rows(streams, projects)
    for tenant in {tenant for tenant, _, _ in asked}:
        await turn.open_jobs(tenant)


async def take(turn: Turn, asked: Asked, request: Request) -> UUID:
    """Record what a request begins; return the job that it names. Raise ``Refused``."""
    handler = HANDLERS[type(request)]
    return await handler(turn, asked, request)


async def _free_name(turn: Turn, tenant: str, name: str, project: UUID | None) -> None:
    taken = await turn.connection.fetchval(
        "select project_id from ledger.projects where tenant = $1 and name = $2", tenant, name
    )
    if taken is not None and taken != project:
        raise Refused("project_exists", f"Project with name '{name}' already exists", field="name")


async def _create_project(turn: Turn, asked: Asked, request: ProjectRequested) -> UUID:
    await _free_name(turn, asked.tenant, request.name, None)
    project = project_id(asked.tenant, asked.source, asked.request_id)
    alias: int = await turn.connection.fetchval(
        """
        insert into ledger.projects (tenant, project_id, alias, name, description)
        select $1, $2, coalesce(max(alias), 0) + 1, $3, $4 from ledger.projects where tenant = $1
        returning alias
        """,
        asked.tenant,
        project,
        request.name,
        request.description,
    )
    await turn.row(project)
    row = turn.new_row(project, asked.tenant, "project")
    created = ProjectCreated(
        project_id=project, alias=alias, name=request.name, description=request.description
    )
    await say(turn, asked, row, project, request, created)
    return project


async def _update_project(turn: Turn, asked: Asked, request: ProjectUpdateRequested) -> UUID:
    row = await project_row(turn, asked.tenant, request.project_id)
    if request.name is not None:
        await _free_name(turn, asked.tenant, request.name, request.project_id)
    kept = await turn.connection.fetchrow(
        """
        update ledger.projects
        set name = coalesce($2, name), description = coalesce($3, description)
        where project_id = $1 returning name, description
        """,
        request.project_id,
        request.name,
        request.description,
    )
    if kept is None:
        raise LookupError(f"project {request.project_id} has a stream and no row")
    updated = ProjectUpdated(project_id=request.project_id, **dict(kept))
    await say(turn, asked, row, request.project_id, request, updated)
    return request.project_id


async def _submit_document(turn: Turn, asked: Asked, request: DocumentSubmitted) -> UUID:
    await project_row(turn, asked.tenant, request.project_id)
    if request.blob is None:
        raise LookupError(f"the content of {request.name} was not stored before it was recorded")
    if asked.lacks_blob:
        raise Refused(
            "blob_missing",
            "the blob store does not hold this blob; send the content itself, or upload the file over REST",
            field="blob",
        )
    file = Arrived(request.project_id, request.name, request.blob, request.upload_id)
    row, event = await added(turn, asked.tenant, file)
    await say(turn, asked, row, file.document, request, event)
    return file.document


async def documents(
    turn: Turn, project: UUID, ids: Collection[UUID] | None
) -> list[tuple[Row, DocumentState]]:
    """Documents of a project, with their states. Raise ``Refused`` where one is not of it."""
    if ids is None:
        rows = [row for row in await turn.documents_of_project(project) if not is_gone(row)]
        return [(row, row.state) for row in rows if isinstance(row.state, DocumentState)]
    found = []
    for id in dict.fromkeys(ids):
        row = await turn.row(id)
        if (
            row is None
            or row.project_id != project
            or not isinstance(row.state, DocumentState)
            or is_gone(row)
        ):
            raise Refused(
                "document_not_found",
                f"Document {id} not found or doesn't belong to project {project}",
                status=404,
                field="document_ids",
            )
        found.append((row, row.state))
    return found


async def want(
    turn: Turn,
    job: UUID,
    documents: Collection[tuple[Row, DocumentState]],
    chunking: Chunking | None,
    *,
    any_cut: bool,
    whole: bool = False,
) -> int:
    """Ask for the documents to be parsed and cut; return how many the job must wait for.

    ``any_cut``: a document that is cut already, in whatever way, is taken as it is. ``whole``: one that is cut in this
    way and lost chunks since is cut again.
    """
    interests = []
    for row, state in documents:
        if not (any_cut and (state.status == "chunked" or state.wanted)):
            row.become(ingestion.want(state, chunking, whole=whole))
        wanted = row.state if isinstance(row.state, DocumentState) else state
        settled = ingestion.is_settled(wanted)
        interests.append((row.stream, settled))
        if not settled:
            turn.touch(row.stream)
    turn.wait_for(job, interests)
    return sum(not settled for _, settled in interests)


async def _process(turn: Turn, asked: Asked, request: ProcessingRequested) -> UUID:
    await room_for_a_job(turn, asked.tenant)
    await project_row(turn, asked.tenant, request.project_id)
    found = await documents(turn, request.project_id, request.document_ids)
    job = asked.job
    await turn.row(job)
    row = turn.new_row(job, asked.tenant, "processing", project=request.project_id)
    turn.remember(job, request)
    await say(turn, asked, row, job, request)
    await reopen(turn, asked, found)
    found = await documents(turn, request.project_id, request.document_ids)
    waiting = await want(turn, job, found, request.chunking, any_cut=False, whole=True)
    state = ingestion.start(request, documents=len(found), waiting=waiting)
    rejected = [each for _, each in found if each.status == "rejected"]
    for each in rejected:
        state = ingestion.settled(state, each).model_copy(update={"waiting": waiting})
    row.become(state)
    turn.touch(job)
    return job


async def _generate(turn: Turn, asked: Asked, request: GenerationRequested) -> UUID:
    await room_for_a_job(turn, asked.tenant)
    await project_row(turn, asked.tenant, request.project_id)
    missing = request.settings.not_available()
    if missing is not None:
        field, message = missing
        raise Refused("not_available", message, field=field)
    found = await usable(turn, request)
    job = asked.job
    await turn.row(job)
    row = turn.new_row(job, asked.tenant, "generation", project=request.project_id)
    turn.remember(job, request)
    await say(turn, asked, row, job, request)
    settings = request.settings
    waiting = await want(turn, job, found, settings.chunking, any_cut=not settings.recut)
    row.become(generation_state.start(request, documents=len(found), waiting=waiting))
    dataset = dataset_id(job)
    await turn.row(dataset)
    turn.new_row(dataset, asked.tenant, "dataset", state=DatasetState(job_id=job))
    turn.touch(job)
    return job


async def usable(turn: Turn, request: GenerationRequested) -> list[tuple[Row, DocumentState]]:
    """The documents that a dataset is made from. Raise ``Refused`` where there are none."""
    asked = await documents(turn, request.project_id, request.document_ids)
    found = [(row, state) for row, state in asked if state.status != "rejected"]
    if not any(_has_chunks(state) for _, state in found):
        raise Refused("no_chunks", f"No chunks found for project {request.project_id}")
    return found


def _has_chunks(state: DocumentState) -> bool:
    """A document that is not cut yet may still yield chunks."""
    return state.status != "chunked" or state.chunks > 0


async def _export(turn: Turn, asked: Asked, request: ExportRequested) -> UUID:
    await room_for_a_job(turn, asked.tenant)
    _, dataset = await dataset_row(turn, asked.tenant, request.dataset_id)
    source = await turn.row(dataset.job_id)
    asked_for = await turn.request_of(dataset.job_id)
    if (
        source is None
        or not isinstance(source.state, GenerationState)
        or not isinstance(asked_for, GenerationRequested)
        or source.state.phase not in ("closed", "ended")
        or source.state.ending is None
    ):
        raise Refused(
            "dataset_not_closed",
            f"Dataset {request.dataset_id} is still being made; export it when its job has ended.",
            status=409,
        )
    job = asked.job
    await turn.row(job)
    row = turn.new_row(job, asked.tenant, "export", project=source.project_id)
    turn.remember(job, request)
    await say(turn, asked, row, job, request)
    row.become(
        ExportState(
            source_job=source.stream,
            head=source.state.dataset_head,
            plan=tuple(made.plan for made in source.state.rounds),
            name=asked_for.name or "",
        )
    )
    turn.touch(job)
    return job


async def _cancel(turn: Turn, asked: Asked, request: JobCancelRequested) -> UUID:
    row = await turn.row(request.target)
    if row is None or row.tenant != asked.tenant or row.kind not in JOBS or not row.open:
        raise Refused(
            "job_not_found",
            f"Job {request.target} not found or cannot be cancelled",
            status=404,
        )
    await say(turn, asked, row, row.stream, request, JobCancelling())
    # What is put off until a model answers need not wait for it in order to be cancelled.
    await turn.connection.execute(
        """
        update ledger.work set due_at = clock_timestamp()
        where job_id = $1 and outcome is null and due_at is not null
        """,
        row.stream,
    )
    return row.stream


HANDLERS: dict[type[Request], Callable[[Turn, Asked, Any], Awaitable[UUID]]] = {
    ProjectRequested: _create_project,
    ProjectUpdateRequested: _update_project,
    ProjectDeletionRequested: delete_project,
    DocumentSubmitted: _submit_document,
    DocumentFetchRequested: fetch,
    DocumentSplitRequested: split,
    DocumentDeletionRequested: delete_document,
    ChunksDeletionRequested: delete_chunks,
    DatasetDeletionRequested: delete_dataset,
    ProcessingRequested: _process,
    GenerationRequested: _generate,
    ExportRequested: _export,
    JobCancelRequested: _cancel,
}
