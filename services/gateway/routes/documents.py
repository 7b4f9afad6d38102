"""Documents: uploaded, listed, and processed by a job."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from contracts.document import Chunking, DocumentDeleted, DocumentDeletionRequested
from contracts.identity import document_id
from contracts.processing import ProcessingRequested
from services.gateway import deleting, ids, showing, submitting, uploading
from services.gateway.accepting import begin, named_documents, named_project, room_for_bytes
from services.gateway.asking import IdempotencyKey, key_of, request_id
from services.gateway.chunking import keep_tokenizer
from services.gateway.deletion_shapes import Deleted, DocumentIds, Failure, Removed
from services.gateway.deps import Deps, Here
from services.gateway.document_shapes import UploadQueued
from services.gateway.examples import answers
from services.gateway.parsing import parser_meaning
from services.gateway.processing import ProcessBody, chunking_from
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Document, Documents, Problem, Submitted, Uploaded
from shared.errors import Refused

router = APIRouter(prefix="/documents", tags=["documents"])

_ID = "ad422f39-0d9e-5f0e-8d7c-5a1f7d1f8a10"
_REMOVED = {"documents": 1, "chunks": 9, "datasets": 0, "jobs": 0}
_DOCUMENT = {
    "id": _ID,
    "project_id": "fe75540b-4203-5805-a546-3f20545a2925",
    "file_name": "panama-canal.pdf",
    "source_file_path": "document/83cc550c51833b351c6f471ab764c5b9335af5804546be2e8e3b8d09de6920f8",
    "created_at": "2026-05-04T09:12:31.482Z",
    "status": "uploaded",
    "parsed_documents": [],
    "parsed_files": [],
    "sha256": "83cc550c51833b351c6f471ab764c5b9335af5804546be2e8e3b8d09de6920f8",
    "size": 91_402,
    "updated_at": "2026-05-04T09:12:31.482Z",
    "other_names": [],
}

UPLOAD_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files", "project_id"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "project_id": {"type": "string"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/upload",
    response_model=Uploaded,
    openapi_extra=UPLOAD_FORM,
    responses=answers(
        {
            "job_id": "df8e2d7e-7b1c-5a41-9d52-0c4c7c1b2f3a",
            "message": "Documents uploaded successfully",
            "files_count": 1,
            "uploaded_files": [_DOCUMENT],
        }
    )
    | {202: {"model": UploadQueued}, 408: {"model": Problem}},
)
async def upload_documents(deps: Here, request: Request) -> Any:
    """Store files as documents of a project. One that cannot be taken refuses the whole upload. While the event store
    is away, the answer is 202 with the ids that job and documents will have.
    """
    id = request_id(key_of(request.headers))
    deps.bus_is_there()
    upload = await uploading.receive(request, deps.blobs, deps.settings)
    project = await named_project(deps, upload.project_id, requests=len(upload.files))
    found = [document_id(project, blob.sha256) for _, blob in upload.files]
    sizes = [blob.size for _, blob in upload.files]
    await room_for_bytes(deps, dict(zip(found, sizes, strict=True)))
    begun = await submitting.submit(deps, project, upload, id)
    if begun.state == "queued":
        queued = showing.queued(begun.job_id, project, upload.files)
        return JSONResponse(queued.model_dump(mode="json"), status_code=begun.status)
    rows = await deps.views.some_documents(found)
    names = await deps.views.names_of(found)
    return Uploaded(
        job_id=begun.job_id,
        message="Documents uploaded successfully",
        files_count=len(upload.files),
        uploaded_files=[
            showing.document(rows[each], names.get(each, ())) for each in found if each in rows
        ],
    )


@router.post(
    "/process",
    responses=answers(
        {
            "job_id": "689a9f55-d2ae-51d1-a561-9caa77261281",
            "message": "Document processing started: 2 to be chunked (markdown)",
            "status": "submitted",
            "estimated_duration": None,
            "dataset_id": None,
            "debug_info": {"chunking": {"strategy": "markdown", "size": 2000, "overlap": 0}},
        }
    )
    | {202: {"model": Submitted}},
)
async def process_documents(
    deps: Here,
    response: Response,
    body: ProcessBody,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """Parse documents and, where a strategy is named, cut them into chunks."""
    chunking = await chunking_of(deps, body)
    deps.bus_is_there()
    project = await named_project(deps, body.project_id)
    asked = await named_documents(deps, project, body.document_ids, project_said=body.project_id)
    if body.skip_parsing:
        found = await deps.views.some_documents(asked)
        for row in found.values():
            if row.body is None:
                raise Refused(
                    "not_parsed",
                    f"Document {row.document_id} is not parsed yet (status: {row.status})",
                    field="skip_parsing",
                )
    request = ProcessingRequested(project_id=project, document_ids=asked, chunking=chunking)
    begun = await begin(deps, request, request_id(idempotency_key))
    response.status_code = begun.status
    what = f"chunked ({chunking.strategy})" if chunking else "parsed"
    return Submitted(
        job_id=begun.job_id,
        state=begun.state,
        message=f"Document processing started: {len(asked)} to be {what}",
        debug_info={
            "parser": parser_meaning(body.parser),
            "chunking": chunking.model_dump(mode="json") if chunking else None,
        },
    )


async def chunking_of(deps: Deps, body: ProcessBody) -> Chunking | None:
    """How the documents are to be cut, with the tokenizer that is named; None: they are to be parsed only."""
    chunking = chunking_from(body)
    if chunking is None or not body.tokenizer:
        return chunking
    folder = deps.settings.data
    ref = await keep_tokenizer(deps.blobs, deps.tenant, folder, body.tokenizer, "tokenizer")
    return chunking.model_copy(update={"tokenizer": ref})


@router.delete(
    "",
    response_model_exclude_none=True,
    responses=answers(
        {
            "message": "Deleted 1 document",
            "deleted": [_ID],
            "failed": [{"id": "x", "error": "Document x not found", "code": "document_not_found"}],
            "removed": _REMOVED,
        }
    ),
)
async def delete_documents(deps: Here, body: DocumentIds) -> Deleted:
    """Delete documents with their chunks. Those that cannot be deleted are named in ``failed``."""
    gone, failed = await deleting.each(body.document_ids, partial(_delete, deps))
    return _deleted(gone, failed)


@router.get("", responses=answers({"documents": [_DOCUMENT], "total": 1}))
async def list_documents(
    deps: Here, project_id: str | None = None, page: Page = 1, per_page: PerPage = 1000
) -> Documents:
    project = await ids.project(deps.views, project_id) if project_id else None
    rows, total = await deps.views.documents(
        project.project_id if project else None, per_page, offset(page, per_page)
    )
    names = await deps.views.names_of([row.document_id for row in rows])
    shown = [showing.document(row, names.get(row.document_id, ())) for row in rows]
    return Documents(documents=shown, total=total)


@router.get("/{id}", responses=answers(_DOCUMENT))
async def get_document(deps: Here, id: str) -> Document:
    row = await ids.document(deps.views, id)
    return showing.document(row, await deps.views.document_names(row.document_id))


@router.delete(
    "/{id}",
    response_model_exclude_none=True,
    responses=answers({"message": "Deleted 1 document", "deleted": [_ID], "removed": _REMOVED}),
)
async def delete_document(deps: Here, id: str) -> Deleted:
    """Delete a document with its chunks. Entries of finished datasets that were made from it stay."""
    return _deleted([await _delete(deps, id)], [])


async def _delete(deps: Deps, id: str) -> DocumentDeleted:
    row = await ids.document(deps.views, id)
    request = DocumentDeletionRequested(document_id=row.document_id)
    return await deleting.delete(deps, request, DocumentDeleted)


def _deleted(gone: list[DocumentDeleted], failed: list[Failure]) -> Deleted:
    return Deleted(
        message=f"Deleted {len(gone)} document{'s' * (len(gone) != 1)}",
        deleted=[each.document_id for each in gone],
        failed=failed or None,
        removed=Removed(documents=len(gone), chunks=sum(each.chunks for each in gone)),
    )
