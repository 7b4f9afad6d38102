"""The views' rows as the rest of the gateway reads them. Each class names the columns it is made from."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

R = TypeVar("R")


def columns(row: type[Any], table: str) -> str:
    """The columns of ``table`` that ``row`` holds, for a select list."""
    return ", ".join(f"{table}.{field.name}" for field in fields(row))


@dataclass(frozen=True, slots=True)
class ProjectRow:
    project_id: UUID
    alias: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    documents: int
    datasets: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    document_id: UUID
    project_id: UUID
    name: str
    blob: dict[str, Any]
    status: str
    title: str | None
    source_url: str | None
    published: str | None
    language: str | None
    pages: int | None
    characters: int | None
    words: int | None
    parser: str | None
    body: dict[str, Any] | None
    structure: dict[str, Any] | None
    chunking: str | None
    """The way in which it was cut last."""
    chunks: int | None
    code: str | None
    message: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What came of cutting a document."""

    document_id: UUID
    pages: int
    parts: list[dict[str, Any]]
    """Each a ``DocumentPart``."""
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobRow:
    job_id: UUID
    kind: str
    project_id: UUID | None
    dataset_id: UUID | None
    chunking: str | None
    format: str | None
    status: str
    cancelling: bool
    pausing: bool
    waiting_for: str | None
    waiting_reason: str | None
    documents: int
    calls: int
    calls_failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: int
    code: str | None
    message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Of the documents that a job works on. ``settled``: nothing more is to be done for it; ``rejected`` of these."""

    total: int
    settled: int
    rejected: int


@dataclass(frozen=True, slots=True)
class DatasetRow:
    dataset_id: UUID
    project_id: UUID
    job_id: UUID
    name: str | None
    mode: str
    model: str
    format: str
    batch_size: int
    wanted: int | None
    settings: dict[str, Any]
    rounds: int
    chunks: int
    seeds: int
    asked: int
    done: int
    failed: int
    generated: int
    accepted: int
    rejected: int
    surplus: int
    skipped: dict[str, int]
    closing: dict[str, Any] | None
    """``DatasetCompleted``, once it happened."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportRow:
    dataset_id: UUID
    format: str
    batch_size: int
    job_id: UUID | None
    head: int
    files: list[dict[str, Any]]
    """Each an ``ExportedFile``."""
    entries: int
    created_at: datetime
    output_dir: str | None = None
    not_laid: dict[str, str] | None = None
    """Why the files do not lie in ``output_dir``: ``NotLaid``."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry with what its unit knows."""

    entry_id: UUID
    dataset_id: UUID
    unit_id: UUID
    seed: int
    n: int
    type: str
    status: str
    reason: str | None
    found: list[dict[str, str]] | None
    quality: float | None
    category: str | None
    difficulty: str | None
    kind: str | None
    verdict_pos: int | None
    admitted_pos: int | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A unit that ended without a result."""

    unit_id: UUID
    code: str
    message: str
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class UnitRow:
    unit_id: UUID
    pos: int
    round: int
    sample: int
    document_id: UUID
    chunk_id: UUID
    body_id: UUID
    call_id: UUID
    model: str
    prompt: dict[str, Any]
    parameters: dict[str, Any]
    response_key: str
    usage: dict[str, Any]
    nothing_because: str | None


@dataclass(frozen=True, slots=True)
class EntryTotals:
    """Of all entries that a filter lets through: ``high`` from 0.8, ``low`` below 0.6."""

    total: int
    average: float | None
    high: int
    medium: int
    low: int


@dataclass(frozen=True, slots=True)
class PlanRow:
    first: int
    seeds: int
    round: int
    plan: dict[str, Any]
