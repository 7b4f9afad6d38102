"""Jobs: what is asked of them while they run, and how they end."""

from typing import Literal
from uuid import UUID

from contracts.message import Event, Request


class JobCancelRequested(Request):
    target: UUID


class JobCancelling(Event):
    """Nothing new is started; what is in flight finishes and is recorded."""


class JobWaiting(Event):
    """Work is put off until something outside answers again."""

    waiting_for: str
    reason: str


class JobResumed(Event):
    """What the job waited for answers again."""

    waited_for: str


class JobStarted(Event):
    """All that the job needed was there and its first command was issued."""

    documents: int


class JobCompleted(Event):
    pass


class JobCancelled(Event):
    pass


class JobFailed(Event):
    code: str
    message: str


JobKind = Literal["document_upload", "document_processing", "dataset_generation", "dataset_export"]
