"""Model calls as facts of their own: one for every call made, also in attempts that lost."""

from uuid import UUID

from pydantic import Field

from contracts.blob import Sha256
from contracts.message import Event, Message


class CallSettled(Event):
    """A model call ended, with what came of it and what it cost."""

    call_id: UUID
    unit_id: UUID
    attempt: int
    number: int
    """Of the call within its attempt, from 0."""
    model: str
    outcome: str
    """``ok`` or the stable error code."""
    latency_ms: float
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: int | None = None
    """Micro-units of currency; None: no price is known."""


class KeptAnswer(Message):
    """Where the journal finds what a model answered: exchange ``exchange`` of a ``CallBody``."""

    key: Sha256
    """Content address of the call: provider, model, parameters, messages, schema, sample, of one tenant."""
    body: UUID
    exchange: int = Field(ge=0)
