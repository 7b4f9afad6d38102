"""What a worker says of a unit, and what the ledger makes of it.

One outcome per unit: the first that is recorded wins, a later one becomes ``ResultIgnored``; what it cost is
recorded all the same. Bodies travel beside the facts that name them.
"""

from uuid import UUID

from pydantic import Field, JsonValue

from contracts.call import CallSettled, KeptAnswer
from contracts.message import Event, Message


class Said(Message):
    """An event by its wire type, as it travels inside an outcome."""

    type: str
    data: dict[str, JsonValue]


class Body(Message):
    """A text that came from a source or a model, kept apart from the event that names it."""

    body_id: UUID
    kind: str
    text: str
    documents: tuple[UUID, ...]
    """The documents it came from: erasing one of them erases it."""


class UnitFinished(Event):
    """One attempt at a unit had an outcome: these events, in order. On INBOX only."""

    unit_id: UUID
    job_id: UUID
    service: str
    attempt: int = Field(ge=1)
    incarnation: UUID
    """The worker process that says it."""
    events: tuple[Said, ...]
    bodies: tuple[Body, ...] = ()
    calls: tuple[CallSettled, ...] = ()
    answers: tuple[KeptAnswer, ...] = ()
    """What a model answered, for the journal."""


class UnitDeferred(Event):
    """A unit could not be done now and its credit was given back, to be asked again later. On INBOX only."""

    unit_id: UUID
    job_id: UUID
    service: str
    attempt: int = Field(ge=1)
    incarnation: UUID
    waiting_for: str
    """A model or another thing that is away, as the job's status names it."""
    reason: str
    retry_after: float = Field(ge=0)
    """Seconds."""
    crashed: bool = False
    """Nothing is away: whoever did it met what nobody foresaw."""
    calls: tuple[CallSettled, ...] = ()


class UnitFailed(Event):
    """A unit ended without a result, for this reason. ``fatal``: no other unit of the job can do better."""

    unit_id: UUID
    command: str
    """Wire type of the command that it was a unit of."""
    code: str
    message: str
    fatal: bool = False
    call: UUID | None = None
    """A ``CallBody``, where a model answered."""
