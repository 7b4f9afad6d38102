"""The parsed text of a document: what there is of it, whole, or page by page."""

from typing import Annotated

from fastapi import APIRouter, Query

from contracts.blob import BlobRef
from services.gateway import ids
from services.gateway.deps import Deps, Here
from services.gateway.document_shapes import Content, ContentFiles, ContentPage
from services.gateway.examples import answers
from services.gateway.routes.parameters import MOST_PAGE
from services.gateway.shapes import Problem
from services.gateway.texts import line_count, passages
from services.gateway.views.rows import DocumentRow
from shared.errors import Refused

router = APIRouter(prefix="/documents", tags=["documents"], responses={410: {"model": Problem}})

PAGE_SIZE = 10_000
MOST = 1_000_000
"""Characters in one answer."""
_FILE = "text/1f0d8f4c0a0b4a4b0c8a6d8b6a1c2f3e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9a"


@router.get(
    "/{id}/content",
    responses=answers(
        {
            "document_id": "ad422f39-0d9e-5f0e-8d7c-5a1f7d1f8a10",
            "file_name": "panama-canal.pdf",
            "content": "# The Panama Canal\n\nThe Panama Canal is …",
            "total_length": 24_180,
            "word_count": 3912,
            "line_count": 402,
            "current_file": _FILE,
            "parsed_file": _FILE,
            "page": 1,
            "page_size": 10_000,
            "total_pages": 3,
            "has_previous": False,
            "has_next": True,
        }
    ),
)
async def document_content(
    deps: Here,
    id: str,
    parsed_file: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int | None, Query(ge=1, le=MOST_PAGE)] = None,
    page_size: Annotated[int | None, Query(ge=1, le=MOST)] = None,
) -> ContentPage | Content | ContentFiles:
    """Without parameters: what there is to read. With ``parsed_file``: its text. With ``page`` or ``page_size``
    (characters; 1 and 10,000 where only the other is named): a page of it.
    """
    row = await ids.document(deps.views, id)
    if row.body is None or row.structure is None:
        raise Refused(
            "not_parsed", f"Document {row.document_id} is not parsed yet (status: {row.status})"
        )
    text, structure = BlobRef.model_validate(row.body), BlobRef.model_validate(row.structure)
    name = f"{text.kind}/{text.sha256}"
    if parsed_file not in (None, "", name):
        raise Refused(
            "parsed_file_not_found",
            f"Document {row.document_id} has no parsed file {parsed_file}; it has {name}",
            status=404,
            field="parsed_file",
        )
    if page is not None or page_size is not None:
        return await _page(deps, row, text, name, page or 1, page_size or PAGE_SIZE)
    if parsed_file:
        return await _whole(deps, row, text, name)
    return ContentFiles(
        document_id=row.document_id,
        file_name=row.name,
        parsed_files=[name],
        total_files=1,
        manifest_path=f"{structure.kind}/{structure.sha256}",
    )


async def _whole(deps: Deps, row: DocumentRow, text: BlobRef, name: str) -> Content:
    length = row.characters or 0
    if length > MOST:
        raise Refused(
            "content_too_large",
            f"The text has {length} characters, more than {MOST}: ask for it page by page (page, page_size).",
            status=413,
            field="page",
        )
    return await _content(deps, row, text, name, 0, length)


async def _page(
    deps: Deps, row: DocumentRow, text: BlobRef, name: str, page: int, size: int
) -> ContentPage:
    length = row.characters or 0
    pages = max(1, -(-length // size))
    start = min(length, (page - 1) * size)
    content = await _content(deps, row, text, name, start, min(length, start + size))
    return ContentPage(
        **dict(content),
        page=page,
        page_size=size,
        total_pages=pages,
        has_previous=page > 1,
        has_next=page < pages,
    )


async def _content(
    deps: Deps, row: DocumentRow, text: BlobRef, name: str, start: int, end: int
) -> Content:
    [shown] = [each async for _, each in passages(deps.blobs, deps.tenant, text, [(start, end)])]
    return Content(
        document_id=row.document_id,
        file_name=row.name,
        content=shown,
        total_length=row.characters or 0,
        word_count=row.words or 0,
        line_count=await line_count(deps.blobs, deps.tenant, text),
        current_file=name,
        parsed_file=name,
    )
