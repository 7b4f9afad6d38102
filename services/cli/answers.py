"""What the terminal reads of the gateway's answers: the fields it shows, and nothing else of them.

A service may not import another, so the shapes stand here again; fields that are not shown are ignored.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.dataset import Counts, DatasetFigures


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Health(Answer):
    """``ok``, or what is wrong, for each part."""

    store: str
    bus: str
    views: str
    ledger: str = "ok"
    version: str


class Project(Answer):
    id: str
    name: str


class Projects(Answer):
    projects: list[Project]
    total: int


class Document(Answer):
    id: str
    file_name: str
    status: str
    title: str | None = None
    language: str | None = None
    words: int | None = None
    chunks: int | None = None
    code: str | None = None
    message: str | None = None


class Documents(Answer):
    documents: list[Document]


class Uploaded(Answer):
    uploaded_files: list[Document]


class Submitted(Answer):
    job_id: str
    message: str
    dataset_id: str | None = None


class Queue(Answer):
    pending_jobs: int
    running_jobs: int
    waiting_jobs: int
    paused_jobs: int = 0
    completed_jobs: int
    failed_jobs: int
    cancelled_jobs: int
    total_jobs: int
    active_workers: int
    workers: dict[str, int]


class Rates(Answer):
    events_per_second: float
    calls_per_minute: int
    entries_per_minute: int


class Lags(Answer):
    position: str
    views_positions: int
    views_seconds: float
    relay_positions: int


class WorkInFlight(Answer):
    service: str
    units: int
    oldest_seconds: float


class Disk(Answer):
    free_bytes: int
    total_bytes: int
    database_bytes: int


class Overview(Answer):
    jobs: Queue
    rates: Rates
    lags: Lags
    in_flight: list[WorkInFlight]
    disk: Disk
    dead_letters: int | None = None


class DeadLetter(Answer):
    id: str
    service: str
    subject: str
    type: str
    code: str
    reason: str
    buried_at: datetime
    size: int
    job_id: str | None
    retry_of: str | None


class DeadLetters(Answer):
    dead_letters: list[DeadLetter]
    total: int
    older: bool


class DeadLetterWhole(DeadLetter):
    headers: dict[str, str]
    encoding: str
    body: Any
    truncated: bool


class DeadLetterDone(Answer):
    message: str


class Replayed(Answer):
    running: bool
    folded: int
    head: int
    rows: int
    differences: dict[str, int]
    swapped: bool
    problem: str | None


class JobAsked(Answer):
    message: str


class File(Answer):
    batch_index: int | None
    file_path: str
    entries_count: int
    format: str
    size_bytes: int
    download: str


class Calls(Answer):
    made: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Result(Answer):
    """Of a generation job; a job of another kind leaves the defaults."""

    batch_files: list[File] = Field(default_factory=list)
    counts: Counts | None = None
    wanted: int | None = None
    missing: int | None = None
    calls: Calls = Calls()
    documents: list["JobDocument"] = Field(default_factory=list)
    failures: list["Failure"] = Field(default_factory=list)
    """Of a job that fetches."""


class Failure(Answer):
    code: str
    message: str


class JobDocument(Answer):
    document_id: str = ""
    file_name: str
    status: str
    code: str | None = None
    message: str | None = None


class Job(Answer):
    job_id: str
    job_type: str
    status: str
    progress: int
    current_step: str
    result: Result | None = None
    error: str | None = None
    error_code: str | None = None
    dataset_id: str | None = None
    created_at: datetime
    completed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")


class Jobs(Answer):
    jobs: list[Job]
    total: int


class Dataset(Answer):
    id: str
    name: str
    project_id: str
    job_id: str
    status: str
    model: str
    mode: str
    wanted: int | None
    counts: Counts
    rejected_by_reason: dict[str, int]
    failed_by_code: dict[str, int]
    skipped: dict[str, int]
    ending: str | None
    rounds: int
    chunks: int
    batch_files: list[File]
    figures: DatasetFigures | None


class Quote(Answer):
    quote: str
    start: int | None = None
    end: int | None = None
    found: str | None = None
    before: str | None = None
    after: str | None = None


class Prompt(Answer):
    name: str | None = None
    version: int | None = None
    hash: str | None = None
    system: str | None = None
    user: str | None = None


class Metadata(Answer):
    model: str
    prompt: Prompt
    document: str | None
    page: int | None
    heading_path: list[str]


class Found(Answer):
    reason: str
    detail: str


class Entry(Answer):
    id: str
    question: str | None
    answer: str | None
    type: str
    status: str
    kind: str | None
    difficulty: str | None
    quality_score: float | None
    evidence: list[Quote]
    reasons: list[Found]
    content: dict[str, Any] | None
    metadata: Metadata


class Entries(Answer):
    entries: list[Entry]
    total: int


class Source(Answer):
    """All None: the document was erased."""

    file_name: str | None = None
    other_names: list[str] = Field(default_factory=list)
    sha256: str | None = None
    size: int | None = None
    media: str | None = None
    parser: str | None = None
    title: str | None = None
    language: str | None = None
    text_sha256: str | None = None
    page: int | None = None
    heading_path: list[str] = Field(default_factory=list)


class Chunk(Answer):
    chunk_id: str
    index: int | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = None


class Exchange(Answer):
    feedback: str | None
    response: str
    finish_reason: str | None


class Call(Answer):
    model: str
    parameters: dict[str, Any]
    response_key: str
    usage: dict[str, Any]
    exchanges: list[Exchange] | None


class Verdict(Answer):
    status: str
    reason: str | None
    reasons: list[Found]
    quality: float | None
    quality_parts: dict[str, float]
    category: str | None
    kind: str | None
    difficulty: str | None


class Chain(Answer):
    entry: Entry
    source: Source
    chunk: Chunk
    evidence: list[Quote]
    prompt: Prompt
    call: Call
    verdict: Verdict


class Judged(Answer):
    entry: Entry
    verdict: Verdict


class PreviewedSeed(Answer):
    file_name: str | None
    chunk_index: int
    start: int
    end: int
    page: int | None
    heading_path: list[str]
    status: str
    system: str | None
    user: str | None
    exchanges: list[Exchange] | None
    usage: dict[str, Any]
    nothing_because: str | None
    code: str | None
    message: str | None
    entries: list[Judged]


class Previewed(Answer):
    dataset_id: str
    model: str
    chunks: int
    useful: int
    seeds: list[PreviewedSeed]


class Process(Answer):
    incarnation: str
    holds: int
    leaving: bool


class Processes(Answer):
    """The running processes of a service."""

    processes: list[Process]
