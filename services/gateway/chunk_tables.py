"""Chunks read from their tables, and tables rewritten without some of their rows. Flat memory whatever their size."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from uuid import UUID

import orjson

from contracts.blob import BlobRef
from contracts.document import Chunk
from services.gateway.chunk_shapes import ChunkListed, WholeChunk
from services.gateway.deps import Deps
from services.gateway.texts import lines, passages, tokens
from services.gateway.views.chunk_reads import ChunkingRow

PREVIEW = 200
"""Characters."""
MEDIA = "application/x-ndjson"


async def rows_of(deps: Deps, row: ChunkingRow, first: int, stop: int) -> list[Chunk]:
    """The rows ``[first, stop)`` of a table."""
    found: list[Chunk] = []
    place = 0
    async with aclosing(lines(deps.blobs, deps.tenant, _table(row))) as table:
        async for line in table:
            if place >= stop:
                break
            if place >= first:
                found.append(Chunk.model_validate_json(line))
            place += 1
    return found


async def row_with(deps: Deps, row: ChunkingRow, id: UUID) -> Chunk | None:
    """The row of a chunk; None where it was deleted."""
    mark = str(id).encode()
    async with aclosing(lines(deps.blobs, deps.tenant, _table(row))) as table:
        async for line in table:
            if mark in line and (chunk := Chunk.model_validate_json(line)).chunk_id == id:
                return chunk
    return None


async def listed(deps: Deps, row: ChunkingRow, chunks: Sequence[Chunk]) -> list[ChunkListed]:
    """Chunks of one table as a list shows them; its text is read once."""
    spans = [(chunk.start, chunk.end) for chunk in chunks]
    shown: dict[int, ChunkListed] = {}
    text = BlobRef.model_validate(row.body)
    async for place, passage in passages(deps.blobs, deps.tenant, text, spans):
        shown[place] = _shown(row, chunks[place], passage)
    return [shown[place] for place in range(len(chunks))]


async def whole(deps: Deps, row: ChunkingRow, chunk: Chunk) -> WholeChunk:
    text = BlobRef.model_validate(row.body)
    spans = [(chunk.start, chunk.end)]
    [content] = [each async for _, each in passages(deps.blobs, deps.tenant, text, spans)]
    return WholeChunk(
        **dict(_shown(row, chunk, content)),
        content=content,
        start=chunk.start,
        end=chunk.end,
        project_id=row.project_id,
        file_name=row.name,
        chunking=row.chunking,
        present=row.present,
    )


async def without(
    deps: Deps, row: ChunkingRow, gone: Collection[UUID]
) -> tuple[BlobRef, int, set[UUID]]:
    """A new table without these rows: itself, how many rows stay, and which of them it had."""
    found: set[UUID] = set()
    left = 0

    async def kept() -> AsyncIterator[bytes]:
        nonlocal left
        async for line in lines(deps.blobs, deps.tenant, _table(row)):
            id = UUID(orjson.loads(line)["chunk_id"])
            if id in gone:
                found.add(id)
            else:
                left += 1
                yield line

    table = await deps.blobs.put_stream(deps.tenant, "chunks", kept(), MEDIA)
    return table, left, found


async def nothing(deps: Deps) -> BlobRef:
    """The table without any row."""
    return await deps.blobs.put(deps.tenant, "chunks", b"", MEDIA)


def _table(row: ChunkingRow) -> BlobRef:
    return BlobRef.model_validate(row.chunk_table)


def _shown(row: ChunkingRow, chunk: Chunk, text: str) -> ChunkListed:
    table = _table(row)
    return ChunkListed(
        id=chunk.chunk_id,
        chunk_index=chunk.index,
        token_count=tokens(text),
        file_path=f"{table.kind}/{table.sha256}",
        content_preview=text[:PREVIEW],
        chunk_strategy=row.strategy,
        document_id=row.document_id,
        page=chunk.page,
        heading_path=list(chunk.heading_path),
        characters=chunk.end - chunk.start,
    )
