"""What is asked of a model and what comes back, whoever provides it. Knows nothing of HTTP, retries or prompts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model. The same request is the same bytes on the wire."""

    model: str
    """Without its provider."""
    messages: tuple[tuple[Role, str], ...]
    temperature: float
    max_tokens: int
    seed: int | None = None
    schema: Mapping[str, object] | None = None
    """Strict JSON schema that the answer's text must follow; None: free text."""
    call: str | None = None
    """What this one call is named, told to the server beside the request so that both sides can speak of it."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """One answer of a model. Counts are in tokens, 0 where the provider does not say."""

    text: str
    """The answer proper: reasoning text belongs to ``raw`` and never to it."""
    finish_reason: str | None
    """``length``: the answer was cut at ``max_tokens``."""
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    """Of the prompt's tokens, those that the provider had in its cache."""
    raw: str
    """The whole response as it came."""
    latency_ms: float
    model: str
    """As it names itself, without the provider."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Parameters that the model did not take as asked, with the reason."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that was made, answered or not: what ``CallSettled`` says."""

    number: int
    outcome: str
    """``ok``, the stable code of its failure, or ``cancelled``."""
    latency_ms: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, and every call that it took in order; the last one is ``ok``."""

    answer: ModelAnswer
    calls: tuple[CallRecord, ...]


class Provider(Protocol):
    """Whoever can answer: a server behind HTTP, or the built-in rules."""

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        """Make exactly one call. Raise ``ModelError`` where it fails; never retry, never wait."""
        ...

    def read(self, request: ModelRequest, raw: str) -> ModelAnswer:
        """The answer that a ``ModelAnswer.raw`` of before held. Raise ``ModelError`` where there is none in it."""
        ...
