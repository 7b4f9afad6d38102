"""Documents: uploaded, listed, and processed by a job."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from contracts.blob import BlobRef
from contracts.document import DocumentSubmitted
from contracts.identity import document_id, job_id
from contracts.processing import ProcessingRequested
from services.gateway import ids, showing, uploading
from services.gateway.asking import SOURCE, IdempotencyKey, ask, key_of, request_id
from services.gateway.chunking import keep_tokenizer
from services.gateway.deps import Here
from services.gateway.processing import ProcessBody, chunking_from
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Document, Documents, Submitted, Uploaded
from shared.errors import Refused

router = APIRouter(prefix="/documents", tags=["documents"])

AT_ONCE = 16
"""Documents of one upload that are said to the ledger together."""

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


@router.post("/upload", openapi_extra=UPLOAD_FORM)
async def upload_documents(deps: Here, request: Request) -> Uploaded:
    """Store files as documents of a project. One that cannot be taken refuses the whole upload."""
    id = request_id(key_of(request.headers))
    deps.bus_is_there()
    upload = await uploading.receive(request, deps.blobs, deps.tenant)
    project = await ids.project(deps.views, upload.project_id, field="project_id")
    job = job_id(deps.tenant, SOURCE, id)
    some = asyncio.Semaphore(AT_ONCE)

    async def submit(n: int, name: str, blob: BlobRef) -> None:
        said = DocumentSubmitted(
            project_id=project.project_id, name=name, blob=blob, upload_id=str(job)
        )
        async with some:
            await ask(deps, said, f"{id}/{n}")

    # gather, not a task group: a refusal must reach the caller as itself, not inside a group.
    await asyncio.gather(*(submit(n, *file) for n, file in enumerate(upload.files)))
    found = [document_id(project.project_id, blob.sha256) for _, blob in upload.files]
    rows = await deps.views.some_documents(found)
    return Uploaded(
        job_id=job,
        message="Documents uploaded successfully",
        files_count=len(upload.files),
        uploaded_files=[showing.document(rows[each]) for each in found if each in rows],
    )


@router.post("/process")
async def process_documents(
    deps: Here, body: ProcessBody, idempotency_key: IdempotencyKey = None
) -> Submitted:
    """Parse documents and, where a strategy is named, cut them into chunks."""
    chunking = chunking_from(body)
    if chunking is not None and body.tokenizer:
        folder = deps.settings.data
        ref = await keep_tokenizer(deps.blobs, deps.tenant, folder, body.tokenizer, "tokenizer")
        chunking = chunking.model_copy(update={"tokenizer": ref})
    project = await ids.project(deps.views, body.project_id, field="project_id")
    found = await ids.documents(deps.views, project, body.document_ids, said=body.project_id)
    if body.skip_parsing:
        for row in found.values():
            if row.body is None:
                raise Refused(
                    "not_parsed",
                    f"Document {row.document_id} is not parsed yet (status: {row.status})",
                    field="skip_parsing",
                )
    asked = tuple(dict.fromkeys(UUID(id) for id in body.document_ids))
    request = ProcessingRequested(
        project_id=project.project_id, document_ids=asked, chunking=chunking
    )
    job = await ask(deps, request, request_id(idempotency_key))
    what = f"chunked ({chunking.strategy})" if chunking else "parsed"
    return Submitted(
        job_id=job,
        message=f"Document processing started: {len(asked)} to be {what}",
        debug_info={"chunking": chunking.model_dump(mode="json") if chunking else None},
    )


@router.get("")
async def list_documents(
    deps: Here, project_id: str | None = None, page: Page = 1, per_page: PerPage = 1000
) -> Documents:
    project = await ids.project(deps.views, project_id) if project_id else None
    rows, total = await deps.views.documents(
        project.project_id if project else None, per_page, offset(page, per_page)
    )
    return Documents(documents=[showing.document(row) for row in rows], total=total)


@router.get("/{id}")
async def get_document(deps: Here, id: str) -> Document:
    row = await ids.document(deps.views, id)
    return showing.document(row, await deps.views.document_names(row.document_id))
