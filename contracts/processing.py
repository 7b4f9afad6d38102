"""The job that parses and chunks documents which were submitted before."""

from uuid import UUID

from pydantic import Field

from contracts.document import Chunking
from contracts.message import Request


class ProcessingRequested(Request):
    """Somebody asked for documents to be parsed, and chunked if a way of cutting was named."""

    project_id: UUID
    document_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1000)
    chunking: Chunking | None = None
    """None: parse only."""
