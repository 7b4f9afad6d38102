"""What the API says of a document's text, of the jobs of documents, and of what processing would do. Shapes only."""

from datetime import datetime
from typing import Any
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
