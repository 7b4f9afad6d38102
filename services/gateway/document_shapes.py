"""What the API says of a document's text, of files that wait for the store, of the jobs of documents, and of what
processing would do. Shapes only.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.gateway.shapes import Shape


class DocumentJob(Shape):
    job_id: UUID
    status: str
    progress: int
    """Percent."""
    current_step: str
    estimated_completion: datetime | None
    processed_files: int
    """Documents for which nothing more is to be done."""


class ContentFiles(Shape):
    """What there is to read of a document."""

    document_id: UUID
    file_name: str
    parsed_files: list[str]
    total_files: int
    manifest_path: str
    """Content address of the structure: title, headings, pages."""


class Content(Shape):
    """A parsed text."""

    document_id: UUID
    file_name: str
    content: str
    total_length: int
    """Characters of the whole text."""
    word_count: int
    line_count: int
    current_file: str
    parsed_file: str


class ContentPage(Content):
    """A page of it."""

    page: int
    page_size: int
    total_pages: int
    has_previous: bool
    has_next: bool


class WouldDo(Shape):
    document_id: str
    file_name: str | None
    status: str
    """As in the document itself, or ``not_found``."""
    would: str
    """What processing would do with it now, for people."""


class Debug(Shape):
    project_id: UUID
    message: str
    settings: dict[str, Any]
    """The request as it was understood."""
    documents: list[WouldDo]


class QueuedDocument(Shape):
    """A file that waits for the event store, with the identity that it will have as a document."""

    id: UUID
    project_id: UUID
    file_name: str
    source_file_path: str
    sha256: str
    size: int
    status: Literal["queued"] = "queued"


class UploadQueued(Shape):
    """Files that are stored, and will be documents when the event store is back."""

    job_id: UUID
    message: str
    files_count: int
    uploaded_files: list[QueuedDocument]
    state: Literal["queued"] = "queued"
