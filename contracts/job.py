"""Jobs: what is asked of them while they run, and how they end."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef
from contracts.generation import GenerationRequested
from contracts.message import Event, Message, Position, Request


class JobCancelRequested(Request):
    """Somebody asked for a running job to be cancelled."""

    target: UUID


class JobRestartRequested(Request):
    """Somebody asked for a failed or cancelled job to go on from where it ended."""

    target: UUID


class JobPauseRequested(Request):
    """Somebody asked for a running job to rest until it is asked to go on."""

    target: UUID


class JobResumeRequested(Request):
    """Somebody asked for a paused job to go on."""

    target: UUID


class JobForkRequested(Request):
    """Somebody asked for a new job that goes on from what a job had at some point."""

    target: UUID
    position: Position | None = None
    """Of an event of the log, which is the last that counts; None: now."""
    name: str | None = Field(default=None, max_length=200)
    """Of the new dataset; None: the parent's."""


class ForkedRound(Message):
    plan: BlobRef
    first: int
    seeds: int
    accepted_before: int


class ForkedProgress(Message):
    """How far a planned job was. What was in flight, or failed, counts as not asked."""

    rounds: tuple[ForkedRound, ...]
    asked: int
    chunks: int
    skipped: dict[str, int]
    done: int
    generated: int
    accepted: int
    surplus: int
    rejected: dict[str, int]
    extended: bool
    """The last attempt at a further round found something to ask."""
    generated_at: int
    """Version of the job's stream that last generated;"""
    uncurated: tuple[tuple[int, int], ...]
    """stretches ``(after, through]`` up to it that are not judged;"""
    curated_at: int
    """version of the dataset's stream that last curated, and"""
    admitted_to: int
    """the one up to which entries were admitted."""


class JobForked(Event):
    """A job began from what another one had at a point. The streams of the job and of its dataset go on from those of
    the parent as they were then, so its entries are its own and are neither copied nor paid again.
    """

    parent: UUID
    at: Position
    job_version: int
    """Of the parent's stream at that point,"""
    dataset_version: int
    """and of its dataset's."""
    request: GenerationRequested
    """What both make; only the name may differ."""
    documents: int
    waiting: int
    """Of these, not ready yet."""
    progress: ForkedProgress | None
    """None: nothing was planned, and the job begins with its documents."""


class JobRestarted(Event):
    """The job goes on under its own id: what is done stays done, and what has no outcome is asked again."""

    restart: int = Field(ge=1)
    """How often it was restarted, this time included; it tells units asked again from those that were lost."""
    failed: int = 0
    """Seeds that had failed and are asked again."""
    documents: int = 0
    """That the job works on,"""
    waiting: int = 0
    """and of these, not ready yet."""
    planned: bool = False
    """The job goes on from its plan; else it begins with its documents."""
    uncurated: tuple[tuple[int, int], ...] = ()
    """Stretches ``(after, through]`` of the job's stream that were generated and are not judged."""
    admitted_to: int = 0
    """Version of the dataset's stream up to which entries were admitted."""


class JobCancelling(Event):
    """The cancellation was recorded: nothing new is started, what is in flight finishes."""


class JobPausing(Event):
    """The pause was recorded: nothing new is started, what is in flight finishes."""


class JobPaused(Event):
    """Nothing of the job is in flight any more; what was not started waits until the job goes on."""


class JobContinued(Event):
    """A job that was paused, or about to be, goes on because somebody asked for it."""

    started: bool
    """It had set to work before; else it still waits for what it needs."""


class JobWaiting(Event):
    """Work was put off until something outside answers again."""

    waiting_for: str
    reason: str


class JobResumed(Event):
    """What the job waited for answered again."""

    waited_for: str


class JobStarted(Event):
    """The job had what it needed and set to work."""

    documents: int


class JobCompleted(Event):
    """The job did all that was asked of it."""


class JobCancelled(Event):
    """The job ended because somebody asked for it."""


class JobFailed(Event):
    """The job ended without what was asked of it, for this reason."""

    code: str
    message: str


JobKind = Literal[
    "document_upload",
    "document_fetch",
    "document_split",
    "document_processing",
    "dataset_generation",
    "dataset_export",
]
