"""What a model answered, said before anything is derived from it, so that no kill makes anybody pay for it again.

The journal finds a recorded answer by its key: the content address of a call (provider, model, parameters, messages,
schema, sample), within one tenant.
"""

from uuid import UUID

from pydantic import Field

from contracts.blob import Sha256
from contracts.call import CallSettled, KeptAnswer
from contracts.entries import Exchange
from contracts.message import Event, Message
from contracts.unit import Body

MOST_ASKED = 256
"""Keys in one question to the journal."""


class ModelAnswered(Event):
    """A model answered, and the unit asks on, so that its outcome is yet to come. On INBOX only."""

    unit_id: UUID
    job_id: UUID
    service: str
    attempt: int = Field(ge=1)
    incarnation: UUID
    """The worker process that says it."""
    answers: tuple[KeptAnswer, ...]
    bodies: tuple[Body, ...]
    """The exchanges so far, as a ``CallBody``."""
    calls: tuple[CallSettled, ...] = Field(min_length=1)
    """Every call of the attempt so far; the same are said again with its outcome."""


class JournalQuestion(Message):
    """Which of these calls were answered before, everything considered that was said until now? Asked on
    ``gristmill.ask.journal``.
    """

    tenant: str
    keys: tuple[Sha256, ...] = Field(max_length=MOST_ASKED)


class JournalReply(Message):
    """The recorded answers by key; a call that is not here was never answered, or its answer was erased."""

    answers: dict[Sha256, Exchange]
