"""What the API's answers look like. Shapes only: they decide nothing and are made by the modules beside this one.

Fields without a comment have the names and meanings of the API that Gristmill's users know; the others are ours.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(Shape):
    """Any answer with a status from 400 on."""

    detail: str
    code: str
    """Stable; texts may change."""
    field: str | None = None
    """Of the request, where one is at fault."""


class Health(Shape):
    status: Literal["healthy", "unhealthy"]
    service: str
    version: str
    store: str
    """``ok``, or why it cannot be used."""
    bus: str
    views: str
    blobs: str
    ledger: str
    """``ok``, or why nothing is recorded until somebody settles it."""
    position: str
    """How far the views have folded the log."""


class About(Shape):
    message: str
    version: str
    docs: str
    health: str


class Unauthorized(Shape):
    error: Literal["Unauthorized"]
    message: str


class Unexpected(Shape):
    error: str
    message: str
    request_id: str
    """Names the failure in the gateway's log."""


class ShuttingDown(Shape):
    message: str
    scope: Literal["everything", "gateway"]


class Project(Shape):
    id: UUID
    alias: int
    """Means the same project wherever an id is asked for."""
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    document_count: int
    dataset_count: int
    status: Literal["active"] = "active"


class Projects(Shape):
    projects: list[Project]
    total: int
    page: int
    per_page: int


class Document(Shape):
    id: UUID
    project_id: UUID
    file_name: str
    source_file_path: str
    """Content address of the file's bytes: documents lie under no path of their own."""
    created_at: datetime
    status: str
    """``uploaded``, ``parsed``, ``chunked`` or ``rejected``."""
    parsed_documents: list[str]
    parsed_files: list[str]
    """Content address of the parsed text, once there is one."""
    sha256: str
    size: int
    updated_at: datetime
    title: str | None = None
    source_url: str | None = None
    """Where it was fetched."""
    published: str | None = None
    """The day that a web page names."""
    language: str | None = None
    pages: int | None = None
    characters: int | None = None
    words: int | None = None
    chunks: int | None = None
    parser: str | None = None
    code: str | None = None
    """Of a rejected document: why, for programs,"""
    message: str | None = None
    """and for people."""
    other_names: list[str] = Field(default_factory=list)
    """Under which the same bytes were submitted."""


class Documents(Shape):
    documents: list[Document]
    total: int


class ProjectDocuments(Shape):
    documents: list[Document]


class Uploaded(Shape):
    job_id: UUID
    message: str
    files_count: int
    uploaded_files: list[Document]
    state: Literal["recorded"] = "recorded"


class Split(Shape):
    """A PDF that was cut; its parts are documents of the project."""

    split_files: list[str]
    """``source_file_path`` of each part."""
    message: str
    total_splits: int
    manifest_path: str
    job_id: UUID
    pages: int
    documents: list[Document]


class Submitted(Shape):
    """A job that was recorded and will be done."""

    job_id: UUID
    message: str
    status: Literal["submitted"] = "submitted"
    state: Literal["recorded", "queued"] = "recorded"
    """Recorded: in the log. Queued: on the bus until the event store is back, and in no list before."""
    estimated_duration: str | None = None
    dataset_id: UUID | None = None
    debug_info: dict[str, Any] | None = None


class JobStatus(Shape):
    job_id: UUID
    job_type: str
    status: str
    """``pending``, ``running``, ``paused``, ``completed``, ``failed``, ``cancelled``."""
    progress: int
    """Percent."""
    current_step: str
    result: dict[str, Any] | None
    error: str | None
    error_code: str | None
    project_id: UUID | None
    dataset_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime
    estimated_completion: datetime | None = None


class Jobs(Shape):
    jobs: list[JobStatus]
    total: int
    page: int
    per_page: int


class QueueStats(Shape):
    pending_jobs: int
    running_jobs: int
    paused_jobs: int
    scheduled_jobs: int
    completed_jobs: int
    failed_jobs: int
    cancelled_jobs: int
    retrying_jobs: int
    waiting_jobs: int
    """Of the running ones: put off until something outside answers again."""
    total_jobs: int
    queue_type: Literal["jetstream"]
    cache_size: int
    """Jobs whose rate this gateway follows."""
    cpu_usage_percent: float
    """Of this machine, since the last question."""
    memory_usage_mb: float
    """Of this gateway's process."""
    active_workers: int
    """Worker processes heard within the last seconds, all services together;"""
    workers: dict[str, int]
    """by service;"""
    units_in_hand: int
    """and how many units they hold."""
    listeners: int
    """Live streams of this gateway."""
    global_max_concurrent_jobs: int
    """Jobs that a tenant may have open at once; more are refused with 429."""


class Events(Shape):
    """A page of the log."""

    events: list[dict[str, Any]]
    """Each a CloudEvent 1.0 in its JSON format."""
    next: str
    """Read on with ``after`` set to this."""
    head: str
    """The newest position; where ``next`` equals it, all was read."""


class BatchFile(Shape):
    batch_index: int | None
    """None: the whole dataset in one file."""
    file_path: str
    """Name of the file; its bytes are at ``download``."""
    entries_count: int
    chunks_processed: int
    format: str
    size_bytes: int
    sha256: str
    download: str
    """Path of this API."""
    path: str | None
    """Where the file lies besides, below the data folder of the export service; None: nowhere."""


class QualitySummary(Shape):
    """None where nothing was measured yet."""

    overall_score: float | None
    """Mean quality of the accepted entries, 0 to 1."""
    diversity_score: float | None
    """Entropy of the questions' openings, as a share of the most that so many could have."""
    bias_score: float | None
    """Inequality of accepted entries over chunks (Gini): 0 is even."""


class DatasetListed(Shape):
    id: UUID
    project_id: UUID
    output_type: str
    output_file_path: str | None
    """Path of this API that downloads it; None before it is exported."""
    created_at: datetime
    name: str
    status: str
    total_entries: int


class ProjectDatasets(Shape):
    datasets: list[DatasetListed]


class DatasetFound(Shape):
    id: UUID
    name: str
    format_type: str
    size_bytes: int
    """Of its files in that format; 0 before they are written."""
    entries_count: int
    created_at: datetime
    status: str
    generation_params: dict[str, Any]


class DatasetsFound(Shape):
    datasets: list[DatasetFound]
    total_count: int
    page: int
    page_size: int


class ExtractionFiles(Shape):
    extraction_files: list[dict[str, Any]]


class Formats(Shape):
    formats: list[str]


class Dataset(Shape):
    id: UUID
    name: str
    entries: list[dict[str, Any]]
    """Always empty: entries are read page by page under ``/entries``."""
    total_entries: int
    created_at: datetime
    format_type: str
    batch_files: list[BatchFile]
    total_batches: int
    output_dir: str | None
    """Where the files were asked to lie besides."""
    output_dir_failed: dict[str, str] | None
    """Why they do not lie there: code and message."""
    quality_summary: QualitySummary
    project_id: UUID
    job_id: UUID
    status: str
    """Of the job that makes it."""
    model: str
    mode: str
    wanted: int | None
    counts: dict[str, int]
    rejected_by_reason: dict[str, int]
    failed_by_code: dict[str, int]
    skipped: dict[str, int]
    """Chunks left out before paying, by reason."""
    ending: str | None
    """Why no more entries were made."""


class DatasetDetails(Dataset):
    updated_at: datetime
    rounds: int
    chunks: int
    generation_params: dict[str, Any]
    figures: dict[str, Any] | None
    exports: list[BatchFile]


class Entry(Shape):
    """``question`` and ``answer`` hold what comes nearest to them where the entry is of another kind: an instruction
    and its output, or a summary as the answer. ``content`` is the entry as it is.
    """

    id: UUID
    question: str | None
    answer: str | None
    category: str | None
    quality_score: float | None
    difficulty: str | None
    source_chunk: UUID
    metadata: dict[str, Any]
    type: str
    status: str
    kind: str | None
    evidence: list[dict[str, Any]]
    reasons: list[dict[str, str]]
    """Each check that it failed, with what shows it; the first names the rejection."""
    content: dict[str, Any] | None
    """None: its text was erased."""


class EntryQuality(Shape):
    average_score: float | None
    distribution: dict[str, int]
    """``high`` from 0.8, ``medium`` from 0.6, ``low`` below."""


class Entries(Shape):
    entries: list[Entry]
    total: int
    page: int
    per_page: int
    quality_summary: EntryQuality


class Chain(Shape):
    """Everything that leads from the bytes of a file to the verdict on an entry."""

    entry: Entry
    source: dict[str, Any]
    chunk: dict[str, Any]
    evidence: list[dict[str, Any]]
    prompt: dict[str, Any]
    call: dict[str, Any]
    verdict: dict[str, Any]
