"""How the simulated model behaves: latency, faults, limits, defects. All of it is settable while it runs.

Every roll is a function of (seed, request, attempt), so a run repeats exactly and a retry can succeed.
"""

import hashlib
from random import Random  # noqa: TID251 - seeded by what is rolled for, so it repeats
from statistics import NormalDist
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.entries import Reason

Fault = Literal[
    "rate_limited", "server_error", "hang", "reset", "broken", "malformed", "truncated", "empty"
]
Format = Literal["json_schema", "json_object"]
Rate = float
_NORMAL = NormalDist()


class Behaviour(BaseModel):
    """Rates are shares of calls in [0, 1]; a call suffers one fault at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["canned", "grounded"] = "canned"
    seed: int = 0
    latency_ms: float = Field(default=0.0, ge=0)
    """Of every answer; with ``latency_sigma`` the median of a lognormal distribution."""
    latency_sigma: float = Field(default=0.0, ge=0)
    concurrency: int | None = Field(default=None, ge=1)
    """Calls worked on at once; more are refused with 429, or wait where ``queue`` is set."""
    queue: bool = False
    retry_after: float | None = 1.0
    """Seconds, in the header of every 429; None: no header."""
    rate_limited: Rate = Field(default=0.0, ge=0, le=1)
    server_error: Rate = Field(default=0.0, ge=0, le=1)
    hang: Rate = Field(default=0.0, ge=0, le=1)
    """Never answered; the connection stays open."""
    reset: Rate = Field(default=0.0, ge=0, le=1)
    """The connection is cut after the request was read."""
    broken: Rate = Field(default=0.0, ge=0, le=1)
    """Status 200 with a body that is not JSON."""
    malformed: Rate = Field(default=0.0, ge=0, le=1)
    """A sound reply in which the model's text is not JSON."""
    truncated: Rate = Field(default=0.0, ge=0, le=1)
    """The model's text is cut in its middle, finish_reason ``length``."""
    empty: Rate = Field(default=0.0, ge=0, le=1)
    """The model's text is empty."""
    faulty_attempts: int | None = Field(default=None, ge=0)
    """Only the first so many attempts at a request suffer faults; None: all roll alike."""
    models: tuple[str, ...] | None = None
    """Names that exist; None: any."""
    key: str | None = None
    """Bearer token that is asked for; None: none is."""
    formats: tuple[Format, ...] = ("json_schema", "json_object")
    """Response formats that are taken."""
    defects: dict[Reason, Rate] = {}
    """Shares of entries that get a labelled defect; mode ``grounded`` only."""


FAULTS: tuple[Fault, ...] = (
    "rate_limited", "server_error", "hang", "reset", "broken", "malformed", "truncated", "empty",
)  # fmt: skip


def uniform(*what: object) -> float:
    """A number in (0, 1) that depends on nothing but ``what``."""
    digest = hashlib.blake2b(repr(what).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2**64


def dice(*what: object) -> Random:
    """A source of further rolls that depends on nothing but ``what``."""
    return Random(repr(what))


def fault(behaviour: Behaviour, request: str, attempt: int) -> Fault | None:
    """What goes wrong with this attempt at this request, attempts counting from 0."""
    if behaviour.faulty_attempts is not None and attempt >= behaviour.faulty_attempts:
        return None
    rates = [(name, float(getattr(behaviour, name))) for name in FAULTS]
    if not any(rate for _, rate in rates):
        return None
    roll = uniform(behaviour.seed, "fault", request, attempt)
    for name, rate in rates:
        if roll < rate:
            return name
        roll -= rate
    return None


def latency(behaviour: Behaviour, request: str, attempt: int) -> float:
    """Seconds until this attempt is answered."""
    if behaviour.latency_sigma == 0:
        return behaviour.latency_ms / 1000
    z = _NORMAL.inv_cdf(uniform(behaviour.seed, "latency", request, attempt))
    return float(behaviour.latency_ms * 2.718281828459045 ** (behaviour.latency_sigma * z) / 1000)
