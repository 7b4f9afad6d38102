"""Chunk tables as the gateway finds them: of a document, of a project, and all of a tenant's to look for a chunk in."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.gateway.views.reads import Queries

PAGE = 5000


@dataclass(frozen=True, slots=True)
class ChunkingRow:
    """One way in which a document was cut."""

    document_id: UUID
    project_id: UUID
    name: str
    chunking: str
    chunks: int
    cut: int
    """How many there were before any was deleted."""
    chunk_table: dict[str, Any]
    body: dict[str, Any]
    """The parsed text that the chunks are offsets into."""
    present: bool
    """Whether it is the document's own way, the one cut last."""

    @property
    def strategy(self) -> str:
        return self.chunking.partition("/")[0]


_ROW = """
    select c.document_id, d.project_id, d.name, c.chunking, c.chunks, c.cut, c.chunk_table, d.body,
        c.chunking = d.chunking as present
    from document_chunkings c join documents d using (document_id)
    where d.tenant = $1 and d.body is not null
"""


class Chunkings:
    """The chunk tables of one tenant."""

    def __init__(self, queries: Queries, tenant: str) -> None:
        self._queries = queries
        self._tenant = tenant

    async def present(self, documents: Collection[UUID]) -> dict[UUID, ChunkingRow]:
        """The way in which each document is cut now; those that are not cut are missing."""
        rows = await self._queries.rows(
            f"{_ROW} and c.chunking = d.chunking and c.document_id = any($2::uuid[])",
            self._tenant,
            list(documents),
        )
        return {row["document_id"]: ChunkingRow(**row) for row in rows}

    async def of_project(self, project: UUID, limit: int) -> list[ChunkingRow]:
        """As its documents are cut now, in the order in which they came; those without chunks are left out."""
        rows = await self._queries.rows(
            f"{_ROW} and c.chunking = d.chunking and d.project_id = $2 and c.chunks > 0"
            " order by d.pos limit $3",
            self._tenant,
            project,
            limit,
        )
        return [ChunkingRow(**row) for row in rows]

    async def chunks_in(self, project: UUID) -> int:
        found: int = await self._queries.value(
            "select coalesce(sum(chunks), 0)::bigint from documents"
            " where tenant = $1 and project_id = $2",
            self._tenant,
            project,
        )
        return found

    async def all(self) -> AsyncIterator[list[ChunkingRow]]:
        """Every way in which any document was cut, page by page."""
        last = (UUID(int=0), "")
        while True:
            rows = await self._queries.rows(
                f"{_ROW} and (c.document_id, c.chunking) > ($2, $3)"
                " order by c.document_id, c.chunking limit $4",
                self._tenant,
                *last,
                PAGE,
            )
            yield [ChunkingRow(**row) for row in rows]
            if len(rows) < PAGE:
                return
            last = (rows[-1]["document_id"], rows[-1]["chunking"])
