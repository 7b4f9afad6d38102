"""Chunks as things that users delete; how they are made is said with documents.

A chunk table is immutable, so deleting chunks replaces a document's table by one without their rows.
"""

from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef, Sha256
from contracts.document import Chunking
from contracts.message import Event, Request


class ChunksDeletionRequested(Request):
    """Somebody asked for chunks of a document to be left out from now on.

    Refused where ``replaces`` is no longer the document's table, so that of two who delete at the same time neither
    brings back what the other took away.
    """

    document_id: UUID
    replaces: Sha256
    """The document's present table."""
    table: BlobRef
    """Its rows that stay, in their order and with their ids; empty where none does."""
    chunks: int = Field(ge=0)
    """How many stay."""


class ChunksDeleted(Event):
    """Chunks of a document were deleted: the rows that its table lacks of the one before."""

    document_id: UUID
    project_id: UUID
    chunking: Chunking
    before: BlobRef
    table: BlobRef
    deleted: int = Field(ge=1)
    chunks: int = Field(ge=0)
    """How many are left."""
