"""Jobs: what is asked of them while they run, and how they end."""

from typing import Literal
from uuid import UUID

from contracts.message import Event, Request


class JobCancelRequested(Request):
    """Somebody asked for a running job to be cancelled."""

    target: UUID


class JobCancelling(Event):
    """The cancellation was recorded: nothing new is started, what is in flight finishes."""


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
