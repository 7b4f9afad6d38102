"""The edge of chunk: fetch the parsed text, cut it, keep the table of chunks."""

import asyncio
from collections.abc import Sequence

import orjson

from contracts.document import Chunk, ChunkDocument, DocumentChunked, DocumentRejected, Structure
from services.chunk.chunkers.refusal import ChunkingRefused
from services.chunk.logic import cut
from shared.blobs import Blobs
from shared.worker import Done, Task, Work


def work(blobs: Blobs) -> list[Work]:
    async def chunk(task: Task[ChunkDocument]) -> Done:
        command = task.command
        text = (await blobs.get(task.tenant, command.text)).decode()
        structure = Structure.model_validate_json(await blobs.get(task.tenant, command.structure))
        wanted = command.chunking.tokenizer
        tokenizer = None if wanted is None else await blobs.get(task.tenant, wanted)
        try:
            chunks = await asyncio.to_thread(
                cut, command.document_id, text, structure, command.chunking, tokenizer
            )
        except ChunkingRefused as refused:
            return Done((_rejected(command, refused.code, refused.message),))
        if not chunks:
            return Done((_rejected(command, "no_text", "The document has no text to cut."),))
        table = await blobs.put(task.tenant, "chunks", _table(chunks), "application/x-ndjson")
        chunked = DocumentChunked(
            document_id=command.document_id,
            project_id=command.project_id,
            chunking=command.chunking,
            table=table,
            chunks=len(chunks),
        )
        return Done((chunked,))

    return [Work(ChunkDocument, chunk)]


def _table(chunks: Sequence[Chunk]) -> bytes:
    return b"".join(orjson.dumps(chunk.model_dump(mode="json")) + b"\n" for chunk in chunks)


def _rejected(command: ChunkDocument, code: str, message: str) -> DocumentRejected:
    return DocumentRejected(
        document_id=command.document_id,
        project_id=command.project_id,
        stage="chunk",
        code=code,
        message=message,
    )
