"""What the events of documents mean for the views. An upload is a job of its own, done when it is recorded."""

from collections.abc import Iterator
from uuid import UUID

from contracts.chunks import ChunksDeleted
from contracts.document import (
    DocumentAdded,
    DocumentChunked,
    DocumentDeleted,
    DocumentDivided,
    DocumentFetched,
    DocumentFetchRequested,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
    DocumentReopened,
    DocumentSplitRequested,
)
from contracts.identity import document_id
from contracts.message import Event, Recorded
from services.gateway.views.batch import Change, Forget, Operation, Put
from services.gateway.views.operations import Rule, job, job_of, new_job, place, plain


def _document_added(recorded: Recorded[DocumentAdded]) -> Iterator[Operation]:
    event = recorded.event
    yield Put(
        "documents",
        (event.document_id,),
        {
            "tenant": recorded.tenant,
            "project_id": event.project_id,
            "pos": place(recorded),
            "name": event.name,
            "blob": plain(event.blob),
            "status": "uploaded",
            "source_url": event.source_url,
            "created_at": recorded.recorded_at,
            "updated_at": recorded.recorded_at,
        },
    )
    yield from _uploaded(recorded)


def _document_named(recorded: Recorded[DocumentNamed]) -> Iterator[Operation]:
    event = recorded.event
    yield Put("document_names", (event.document_id, event.name), {}, fresh=False)
    if event.reopened:
        anew = {"name": event.name, "status": "uploaded", "code": None, "message": None}
        yield Change(
            "documents", (event.document_id,), {**anew, "updated_at": recorded.recorded_at}
        )
    yield from _uploaded(recorded)


def _document_reopened(recorded: Recorded[DocumentReopened]) -> Iterator[Operation]:
    anew = {"status": "uploaded", "code": None, "message": None}
    yield Change(
        "documents",
        (recorded.event.document_id,),
        {**anew, "updated_at": recorded.recorded_at},
    )


def _document_fetched(recorded: Recorded[DocumentFetched]) -> Iterator[Operation]:
    event = recorded.event
    document = document_id(event.project_id, event.blob.sha256)
    yield Put("job_documents", (job_of(recorded), document), {}, fresh=False)
    yield job(recorded)


def _document_split(recorded: Recorded[DocumentDivided]) -> Iterator[Operation]:
    event, this = recorded.event, job_of(recorded)
    for part in event.parts:
        document = document_id(event.project_id, part.blob.sha256)
        yield Put("job_documents", (this, document), {}, fresh=False)
    yield Put(
        "splits",
        (this,),
        {
            "document_id": event.document_id,
            "pages": event.pages,
            "parts": [plain(part) for part in event.parts],
            "manifest": plain(event.manifest),
        },
    )
    yield job(recorded)


def _fetch_requested(recorded: Recorded[DocumentFetchRequested]) -> Iterator[Operation]:
    project = recorded.event.project_id
    yield new_job(recorded, job_of(recorded), "document_fetch", project_id=project)


def _split_requested(recorded: Recorded[DocumentSplitRequested]) -> Iterator[Operation]:
    project = recorded.event.project_id
    yield new_job(recorded, job_of(recorded), "document_split", project_id=project)


def _uploaded(recorded: Recorded[DocumentAdded] | Recorded[DocumentNamed]) -> Iterator[Operation]:
    """An upload is a job that is done as soon as its documents are recorded."""
    event = recorded.event
    upload = upload_job(event.upload_id)
    if upload is None:
        return
    done = {"status": "completed", "started_at": recorded.recorded_at}
    yield new_job(
        recorded, upload, "document_upload", fresh=False, project_id=event.project_id, **done
    )
    yield Put("job_documents", (upload, event.document_id), {}, fresh=False)
    yield Change(
        "jobs",
        (upload,),
        {"completed_at": recorded.recorded_at, "updated_at": recorded.recorded_at},
        {"documents": 1},
    )


def upload_job(upload_id: str | None) -> UUID | None:
    """The job that an upload is, where its name is an id; other systems may name uploads as they like."""
    try:
        return UUID(upload_id) if upload_id else None
    except ValueError:
        return None


def _document_parsed(recorded: Recorded[DocumentParsed]) -> Iterator[Operation]:
    event = recorded.event
    yield Change(
        "documents",
        (event.document_id,),
        {
            "status": "parsed",
            "title": event.title,
            "published": event.published,
            "language": event.language,
            "pages": event.pages,
            "characters": event.characters,
            "words": event.words,
            "parser": event.parser,
            "body": plain(event.text),
            "structure": plain(event.structure),
            "code": None,
            "message": None,
            "updated_at": recorded.recorded_at,
        },
    )


def _document_rejected(recorded: Recorded[DocumentRejected]) -> Iterator[Operation]:
    event = recorded.event
    yield Change(
        "documents",
        (event.document_id,),
        {
            "status": "rejected",
            "code": event.code,
            "message": event.message,
            "updated_at": recorded.recorded_at,
        },
    )


def _document_chunked(recorded: Recorded[DocumentChunked]) -> Iterator[Operation]:
    event = recorded.event
    key = (event.document_id, event.chunking.key())
    # Cut again in an earlier way, it has the chunks again that were deleted in the meantime.
    table = {"chunks": event.chunks, "cut": event.chunks, "chunk_table": plain(event.table)}
    yield Put("document_chunkings", key, table, fresh=False)
    yield Change("document_chunkings", key, table)
    now = {"status": "chunked", "chunking": key[1], "chunks": event.chunks}
    yield Change("documents", (event.document_id,), {**now, "updated_at": recorded.recorded_at})


def _chunks_deleted(recorded: Recorded[ChunksDeleted]) -> Iterator[Operation]:
    event = recorded.event
    key = (event.document_id, event.chunking.key())
    table = {"chunks": event.chunks, "chunk_table": plain(event.table)}
    yield Change("document_chunkings", key, table)
    now = {"chunks": event.chunks, "updated_at": recorded.recorded_at}
    yield Change("documents", (event.document_id,), now)


def _document_deleted(recorded: Recorded[DocumentDeleted]) -> Iterator[Operation]:
    yield Forget("document", recorded.event.document_id)


RULES: dict[type[Event], Rule] = {
    DocumentAdded: _document_added,
    DocumentNamed: _document_named,
    DocumentReopened: _document_reopened,
    DocumentFetchRequested: _fetch_requested,
    DocumentSplitRequested: _split_requested,
    DocumentFetched: _document_fetched,
    DocumentDivided: _document_split,
    DocumentParsed: _document_parsed,
    DocumentRejected: _document_rejected,
    DocumentChunked: _document_chunked,
    DocumentDeleted: _document_deleted,
    ChunksDeleted: _chunks_deleted,
}
