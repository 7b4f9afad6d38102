"""Deletion as recorded facts: of projects with all that they hold, of documents, chunks, datasets.

What an open job works on is not deleted. Nothing leaves the log or the blob store; what was deleted is refused to
every later request that names it.
"""

from uuid import UUID

from contracts.chunks import ChunksDeleted, ChunksDeletionRequested
from contracts.dataset import DatasetDeleted, DatasetDeletionRequested
from contracts.document import DocumentDeleted, DocumentDeletionRequested
from contracts.identity import dataset_id
from contracts.project import ProjectDeleted, ProjectDeletionRequested
from services.ledger.asked import Asked, dataset_row, is_deleted, project_row, say
from services.ledger.processes.ingestion import DocumentState
from services.ledger.rows import JOBS, ProjectState, Row
from services.ledger.turn import Turn
from shared.errors import Refused


async def delete_project(turn: Turn, asked: Asked, request: ProjectDeletionRequested) -> UUID:
    project = request.project_id
    row = await project_row(turn, asked.tenant, project)
    await turn.save_states()
    busy: UUID | None = await turn.connection.fetchval(
        """
        select stream_id from ledger.streams
        where project_id = $1 and open and kind = any($2) order by stream_id limit 1
        """,
        project,
        JOBS,
    )
    if busy is not None:
        raise _in_use("project", project, busy)
    deleted = await _all_of(turn, project)
    await say(turn, asked, row, project, request, deleted)
    row.become(ProjectState(deleted=True))
    # The row stays, so that its alias is not given to another; the name, which is unique, becomes one that is too long
    # for anybody to ask for.
    await turn.connection.execute(
        "update ledger.projects set name = repeat('-', 200) || project_id where project_id = $1",
        project,
    )
    documents = await turn.connection.fetch(
        "select stream_id from ledger.streams where project_id = $1 and kind = 'document'", project
    )
    await turn.forget_work([each["stream_id"] for each in documents])
    return project


async def _all_of(turn: Turn, project: UUID) -> ProjectDeleted:
    """What goes with a project."""
    counted = await turn.connection.fetchrow(
        """
        select count(*) filter (where kind = 'document') as documents,
            coalesce(sum((state ->> 'chunks')::int) filter (where kind = 'document'), 0) as chunks,
            count(*) filter (where kind = any($2)) as jobs,
            (select name from ledger.projects where project_id = $1) as name
        from ledger.streams
        where project_id = $1 and state ->> 'status' is distinct from 'deleted'
        """,
        project,
        JOBS,
    )
    if counted is None:
        raise LookupError(f"project {project} has a stream and no row")
    return ProjectDeleted(
        project_id=project, datasets=await _datasets_of(turn, project), **dict(counted)
    )


async def _datasets_of(turn: Turn, project: UUID) -> int:
    """How many datasets a project holds: one for each generation job, but for those that were deleted before."""
    jobs = await turn.connection.fetch(
        "select stream_id from ledger.streams where project_id = $1 and kind = 'generation'",
        project,
    )
    made = [dataset_id(each["stream_id"]) for each in jobs]
    deleted: int = await turn.connection.fetchval(
        "select count(*) from ledger.streams where stream_id = any($1) and (state ->> 'deleted')::boolean",
        made,
    )
    return len(made) - deleted


async def delete_document(turn: Turn, asked: Asked, request: DocumentDeletionRequested) -> UUID:
    row, state = await _document(turn, asked.tenant, request.document_id)
    await _check_unused(turn, row)
    deleted = DocumentDeleted(
        document_id=row.stream, project_id=state.project_id, name=state.name, chunks=state.chunks
    )
    await say(turn, asked, row, row.stream, request, deleted)
    await turn.forget_work([row.stream])
    return row.stream


async def delete_chunks(turn: Turn, asked: Asked, request: ChunksDeletionRequested) -> UUID:
    row, state = await _document(turn, asked.tenant, request.document_id)
    if state.status != "chunked" or state.table is None or state.chunking is None:
        raise Refused("no_chunks", f"Document {row.stream} has no chunks", status=404)
    await _check_unused(turn, row)
    if state.working or state.wanted or request.replaces != state.table.sha256:
        raise Refused(
            "chunks_changed",
            f"The chunks of document {row.stream} changed meanwhile: look at them and ask again.",
            status=409,
        )
    if request.chunks >= state.chunks:
        raise Refused(
            "invalid_parameter",
            f"chunks: document {row.stream} has {state.chunks}, so fewer must be left",
            field="chunks",
        )
    deleted = ChunksDeleted(
        document_id=row.stream,
        project_id=state.project_id,
        chunking=state.chunking,
        before=state.table,
        table=request.table,
        deleted=state.chunks - request.chunks,
        chunks=request.chunks,
    )
    await say(turn, asked, row, row.stream, request, deleted)
    return row.stream


async def delete_dataset(turn: Turn, asked: Asked, request: DatasetDeletionRequested) -> UUID:
    dataset = request.dataset_id
    row, state = await dataset_row(turn, asked.tenant, dataset)
    await turn.save_states()
    busy: UUID | None = await turn.connection.fetchval(
        """
        select stream_id from ledger.streams
        where open and (stream_id = $1 or kind = 'export' and state ->> 'source_job' = $1::text)
        order by stream_id limit 1
        """,
        state.job_id,
    )
    if busy is not None:
        raise _in_use("dataset", dataset, busy)
    source = await turn.row(state.job_id)
    if source is None or source.project_id is None:
        raise LookupError(f"dataset {dataset} has no job with a project")
    deleted = DatasetDeleted(dataset_id=dataset, project_id=source.project_id, job_id=state.job_id)
    await say(turn, asked, row, dataset, request, deleted)
    row.become(state.model_copy(update={"deleted": True}))
    return dataset


async def _document(turn: Turn, tenant: str, document: UUID) -> tuple[Row, DocumentState]:
    """A document of the tenant that is there. Raise ``Refused`` (404) where it has none."""
    row = await turn.row(document)
    unknown = Refused("document_not_found", f"Document {document} not found", status=404)
    if row is None or row.tenant != tenant or not isinstance(row.state, DocumentState):
        raise unknown
    owner = await turn.row(row.state.project_id)
    if row.state.status == "deleted" or owner is None or is_deleted(owner):
        raise unknown
    return row, row.state


async def _check_unused(turn: Turn, document: Row) -> None:
    """Raise ``Refused`` (409) while an open job works on the document."""
    await turn.save_interests()
    jobs = await turn.connection.fetch(
        "select job_id from ledger.interests where stream_id = $1 order by job_id", document.stream
    )
    for each in jobs:
        job = await turn.row(each["job_id"])
        if job is not None and job.open:
            raise _in_use("document", document.stream, job.stream)


def _in_use(what: str, id: UUID, job: UUID) -> Refused:
    return Refused(
        f"{what}_in_use",
        f"Job {job} works on {what} {id}: cancel job {job} first, or wait for its end.",
        status=409,
    )
