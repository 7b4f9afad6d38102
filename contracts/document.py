"""Documents: submitted bytes, their parsed text, their chunks.

Offsets everywhere count Unicode code points of the stored parsed text, which is cleaned once and never changes.
"""

from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from contracts.blob import BlobRef
from contracts.message import Command, Event, Message, Request


class Chunking(Message):
    """How a parsed text is cut.

    ``character``: windows of ``size`` characters, each starting ``size - overlap`` after the one before.
    ``sentence``: windows of ``size`` sentences that share ``overlap`` sentences.
    ``markdown``: sections under their heading path, none longer than ``size`` characters; ``overlap`` is 0.
    """

    strategy: Literal["character", "sentence", "markdown"] = "markdown"
    size: int = Field(default=2000, ge=1, le=100_000)
    overlap: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> "Chunking":
        if self.overlap >= self.size:
            raise ValueError("overlap must be less than chunk_size")
        if self.strategy == "markdown" and self.overlap:
            raise ValueError("markdown chunking has no overlap")
        return self

    def key(self) -> str:
        """Identity of the strategy with its parameters."""
        return f"{self.strategy}/{self.size}/{self.overlap}"


class DocumentSubmitted(Request):
    """Somebody handed over a document, its bytes already stored."""

    project_id: UUID
    name: str = Field(min_length=1, max_length=255)
    """The file name as the user knows it; a label, never a path."""
    blob: BlobRef
    upload_id: str | None = None
    """Names the upload that it came with, so that its files are one job; None: alone."""


class DocumentAdded(Event):
    """Bytes that its project did not have yet became a document."""

    document_id: UUID
    project_id: UUID
    name: str
    blob: BlobRef
    upload_id: str | None


class DocumentNamed(Event):
    """The same bytes were submitted again: under another name, or once more under this one."""

    document_id: UUID
    project_id: UUID
    name: str
    upload_id: str | None
    reopened: bool = False
    """It had been rejected, perhaps for its name: from now on it has this one, and another try."""


class ParseDocument(Command):
    """Read the text and the structure out of a document's bytes."""

    document_id: UUID
    project_id: UUID
    name: str
    blob: BlobRef


class Heading(Message):
    level: int = Field(ge=1, le=9)
    text: str
    start: int
    """Offset of the heading's line."""
    end: int


class PageSpan(Message):
    number: int = Field(ge=1)
    start: int
    end: int


class Structure(Message):
    """What is known of a parsed text besides its characters; kept as a blob of JSON beside it."""

    title: str
    language: str | None
    """ISO 639-1, or None where it could not be told."""
    headings: tuple[Heading, ...]
    pages: tuple[PageSpan, ...]
    """Empty where the format has no pages."""


class DocumentParsed(Event):
    """A document's text and structure were read and stored."""

    document_id: UUID
    project_id: UUID
    text: BlobRef
    structure: BlobRef
    title: str
    language: str | None
    pages: int | None
    characters: int
    words: int
    parser: str
    """Name and version, as in ``kreuzberg/4.10.4``."""


class DocumentRejected(Event):
    """A document turned out to be unusable, for this reason; the rest of its job went on."""

    document_id: UUID
    project_id: UUID
    stage: Literal["parse", "chunk"]
    code: str
    message: str


class ChunkDocument(Command):
    """Cut a parsed text into chunks in one way."""

    document_id: UUID
    project_id: UUID
    text: BlobRef
    structure: BlobRef
    chunking: Chunking


class Chunk(Message):
    """One row of a chunk table (a blob of JSON lines)."""

    chunk_id: UUID
    index: int
    start: int
    end: int
    heading_path: tuple[str, ...]
    page: int | None


class DocumentChunked(Event):
    """A parsed text was cut into chunks; their table is a blob of JSON lines."""

    document_id: UUID
    project_id: UUID
    chunking: Chunking
    table: BlobRef
    chunks: int
