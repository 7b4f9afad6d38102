"""What the API says of chunks. Shapes only."""

from uuid import UUID

from services.gateway.shapes import Shape


class ChunkListed(Shape):
    id: UUID
    chunk_index: int
    """Place in the document; deleting others does not change it."""
    token_count: int
    """Words, numbers and marks of punctuation, whatever a model's own vocabulary makes of them."""
    file_path: str
    """Content address of the table that the chunk stands in: chunks lie under no path of their own."""
    content_preview: str
    """The first 200 characters."""
    chunk_strategy: str
    document_id: UUID
    page: int | None
    heading_path: list[str]
    characters: int


class DocumentChunks(Shape):
    document_id: UUID
    chunks: list[ChunkListed]
    total: int
    page: int
    per_page: int


class ProjectChunks(Shape):
    project_id: UUID
    chunks: list[ChunkListed]
    total: int
    """In all of the project, shown or not."""


class WholeChunk(ChunkListed):
    content: str
    start: int
    """Code points of the parsed text,"""
    end: int
    project_id: UUID
    file_name: str
    chunking: str
    """Strategy with its parameters."""
    present: bool
    """Whether it is of the document's present cut; an older one is kept for the datasets made from it."""
