"""Chunks: listed by document or project, shown whole, left out."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from contracts.blob import BlobRef
from contracts.chunks import ChunksDeleted, ChunksDeletionRequested
from services.gateway import chunk_tables, ids
from services.gateway.chunk_search import Found, find
from services.gateway.chunk_shapes import ChunkListed, DocumentChunks, ProjectChunks, WholeChunk
from services.gateway.deleting import delete
from services.gateway.deletion_shapes import ChunkIds, ChunksGone, Failure
from services.gateway.deps import Deps, Here
from services.gateway.examples import answers
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Problem
from services.gateway.views.chunk_reads import ChunkingRow
from shared.errors import Refused

router = APIRouter(prefix="/chunks", tags=["chunks"], responses={410: {"model": Problem}})

_LISTED = {
    "id": "f06f1c84-6b3c-5b0e-9c8e-0d1d3f5a7c11",
    "chunk_index": 4,
    "token_count": 212,
    "file_path": "chunks/83cc550c51833b351c6f471ab764c5b9335af5804546be2e8e3b8d09de6920f8",
    "content_preview": "The Culebra Cut is an artificial valley that carries the canal",
    "chunk_strategy": "markdown",
    "document_id": "ad422f39-0d9e-5f0e-8d7c-5a1f7d1f8a10",
    "page": 3,
    "heading_path": ["The Panama Canal", "The waterway"],
    "characters": 1184,
}
_GONE = {"message": "Successfully deleted 1 chunks", "deleted_count": 1}


@router.get(
    "/document/{id}",
    responses=answers(
        {
            "document_id": _LISTED["document_id"],
            "chunks": [_LISTED],
            "total": 9,
            "page": 1,
            "per_page": 100,
        }
    ),
)
async def document_chunks(
    deps: Here, id: str, page: Page = 1, per_page: PerPage = 100
) -> DocumentChunks:
    """The chunks that a document is cut into now, in its order; none where it is not cut yet."""
    document = await ids.document(deps.views, id)
    row = (await deps.store.chunkings.present([document.document_id])).get(document.document_id)
    first = offset(page, per_page)
    shown: list[ChunkListed] = []
    if row is not None and first < row.chunks:
        chunks = await chunk_tables.rows_of(deps, row, first, first + per_page)
        shown = await chunk_tables.listed(deps, row, chunks)
    return DocumentChunks(
        document_id=document.document_id,
        chunks=shown,
        total=row.chunks if row else 0,
        page=page,
        per_page=per_page,
    )


@router.get(
    "/project/{id}",
    responses=answers(
        {
            "project_id": "fe75540b-4203-5805-a546-3f20545a2925",
            "chunks": [_LISTED],
            "total": 54,
        }
    ),
)
async def project_chunks(
    deps: Here, id: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> ProjectChunks:
    """The first chunks of a project, document by document."""
    project = (await ids.project(deps.views, id)).project_id
    shown: list[ChunkListed] = []
    for row in await deps.store.chunkings.of_project(project, limit):
        if len(shown) >= limit:
            break
        chunks = await chunk_tables.rows_of(deps, row, 0, limit - len(shown))
        shown += await chunk_tables.listed(deps, row, chunks)
    total = await deps.store.chunkings.chunks_in(project)
    return ProjectChunks(project_id=project, chunks=shown, total=total)


@router.get(
    "/{id}",
    responses=answers(
        {
            **_LISTED,
            "content": "The Culebra Cut is an artificial valley that carries the canal through …",
            "start": 4293,
            "end": 5477,
            "project_id": "fe75540b-4203-5805-a546-3f20545a2925",
            "file_name": "panama-canal.pdf",
            "chunking": "markdown/2000/0",
            "present": True,
        }
    ),
)
async def get_chunk(deps: Here, id: str) -> WholeChunk:
    """The whole text of a chunk, and where it stands. One of an earlier cut is found as well."""
    name = ids.uuid_of(id)
    found = (await _find(deps, {name})).get(name) if name else None
    chunk = await chunk_tables.row_with(deps, found.row, name) if found and name else None
    if found is None or chunk is None:
        raise _unknown(id)
    return await chunk_tables.whole(deps, found.row, chunk)


@router.delete("/batch", response_model_exclude_none=True, responses=answers(_GONE))
async def delete_chunks(deps: Here, body: ChunkIds) -> ChunksGone:
    """Leave chunks out from now on. Those that cannot be left out are named in ``failed``, with the reason."""
    names = {name: id for id in body.chunk_ids if (name := ids.uuid_of(id))}
    found = await _find(deps, set(names))
    failed = [
        _failure(id, _unknown(id))
        for id in dict.fromkeys(body.chunk_ids)
        if (name := ids.uuid_of(id)) is None or name not in found
    ]
    gone = 0
    for row, chunks in _by_table(found):
        try:
            deleted, missing = await _leave_out(deps, row, chunks)
        except Refused as problem:
            failed += [_failure(names[chunk], problem) for chunk in chunks]
            continue
        gone += deleted
        failed += [_failure(names[chunk], _unknown(names[chunk])) for chunk in missing]
    return _gone(gone, failed)


@router.delete(
    "/document/{id}",
    response_model_exclude_none=True,
    responses=answers({"message": "Successfully deleted 9 chunks", "deleted_count": 9}),
)
async def delete_document_chunks(deps: Here, id: str) -> ChunksGone:
    """Leave out all chunks of a document; it stays, and can be cut again."""
    document = (await ids.document(deps.views, id)).document_id
    row = (await deps.store.chunkings.present([document])).get(document)
    if row is None or not row.chunks:
        return _gone(0, [])
    fact = await _replace(deps, row, await chunk_tables.nothing(deps), 0)
    return _gone(fact.deleted, [])


@router.delete("/{id}", response_model_exclude_none=True, responses=answers(_GONE))
async def delete_chunk(deps: Here, id: str) -> ChunksGone:
    """Leave a chunk out from now on; the others keep their ids."""
    name = ids.uuid_of(id)
    found = (await _find(deps, {name})).get(name) if name else None
    if found is None or name is None:
        raise _unknown(id)
    deleted, missing = await _leave_out(deps, found.row, {name})
    if missing:
        raise _unknown(id)
    return _gone(deleted, [])


async def _find(deps: Deps, wanted: set[UUID]) -> dict[UUID, Found[ChunkingRow]]:
    found: dict[UUID, Found[ChunkingRow]] = {}
    async for rows in deps.store.chunkings.all():
        found |= await asyncio.to_thread(find, rows, wanted - found.keys())
        if len(found) == len(wanted):
            break
    return found


def _by_table(found: dict[UUID, Found[ChunkingRow]]) -> list[tuple[ChunkingRow, set[UUID]]]:
    tables: dict[tuple[UUID, str], tuple[ChunkingRow, set[UUID]]] = {}
    for chunk, each in found.items():
        key = (each.row.document_id, each.row.chunking)
        tables.setdefault(key, (each.row, set()))[1].add(chunk)
    return list(tables.values())


async def _leave_out(deps: Deps, row: ChunkingRow, chunks: set[UUID]) -> tuple[int, set[UUID]]:
    """How many were deleted, and those that were already. Raise ``Refused``."""
    if not row.present:
        raise Refused(
            "chunk_of_earlier_cut",
            f"Document {row.document_id} was cut in another way since (this was {row.chunking}): there is nothing to"
            " leave out.",
            status=409,
        )
    table, left, there = await chunk_tables.without(deps, row, chunks)
    if there:
        await _replace(deps, row, table, left)
    return len(there), chunks - there


async def _replace(deps: Deps, row: ChunkingRow, table: BlobRef, left: int) -> ChunksDeleted:
    before = BlobRef.model_validate(row.chunk_table)
    request = ChunksDeletionRequested(
        document_id=row.document_id, replaces=before.sha256, table=table, chunks=left
    )
    return await delete(deps, request, ChunksDeleted)


def _gone(count: int, failed: list[Failure]) -> ChunksGone:
    return ChunksGone(
        message=f"Successfully deleted {count} chunks", deleted_count=count, failed=failed or None
    )


def _unknown(id: str) -> Refused:
    return Refused("chunk_not_found", f"Chunk {id[:64]} not found", status=404)


def _failure(id: str, problem: Refused) -> Failure:
    return Failure(id=id[:100], error=problem.message, code=problem.code)
