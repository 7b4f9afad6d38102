"""Jobs: what is asked of them while they run, and how they end."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Event, Request


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
