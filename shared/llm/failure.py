"""What goes wrong with a model call: stable codes, and what to do about each. Reads no clock and draws no lots.

The table is the whole policy: ``retry`` says when the same call may succeed, ``tries`` how many calls in a row are
made without leaving the unit, ``defer`` after how many seconds the unit is worth another attempt (None: the failure
is the unit's outcome).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.errors import GristmillError

Retry = Literal["never", "now", "later"]

LONGEST_WAIT = 5.0
"""Seconds that one unit may wait between its calls in all; longer waits are deferrals."""
FIRST_WAIT = 0.25


@dataclass(frozen=True, slots=True)
class Policy:
    retry: Retry
    tries: int = 1
    defer: float | None = None
    fatal: bool = False
    """No other call of the job can succeed either, until somebody changes something."""


POLICIES: Mapping[str, Policy] = {
    "rate_limited": Policy("later", tries=6, defer=10.0),
    "quota_exceeded": Policy("later", defer=300.0),
    "server_error": Policy("now", tries=5, defer=15.0),
    "timeout": Policy("now", tries=2, defer=30.0),
    "network": Policy("now", tries=2, defer=5.0),
    "malformed_response": Policy("now", tries=3),
    "empty_response": Policy("now", tries=3),
    "unsupported_parameter": Policy("now", tries=8),
    "answer_too_short": Policy("never"),
    "prompt_too_long": Policy("never"),
    "refused": Policy("never"),
    "bad_request": Policy("never", fatal=True),
    "auth": Policy("never", fatal=True),
    "model_not_found": Policy("never", fatal=True),
    "unknown_provider": Policy("never", fatal=True),
}


class ModelError(GristmillError):
    """One call to a model failed. The message names the model and what to do, and never holds a key."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cached_tokens: int = 0,
    ) -> None:
        super().__init__(code, message)
        self.retry: Retry = POLICIES[code].retry
        self.fatal = POLICIES[code].fatal
        self.retry_after = retry_after
        """Seconds that the provider asked to wait; None: it did not say."""
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        self.cached_tokens = cached_tokens


def wait_before_retry(error: ModelError, tries: int, waited: float, jitter: float) -> float | None:
    """Seconds until the next call of the same unit, or None when there is none.

    ``tries`` calls were made and ``waited`` seconds waited between them; ``jitter`` lies in [0, 1). What the
    provider asks for is a lower bound, with up to a quarter on top so that those refused together do not come back
    together; otherwise exponential backoff with "equal jitter" (Brooker, AWS Architecture Blog, 2015).
    """
    if error.retry == "never" or tries >= POLICIES[error.code].tries:
        return None
    if error.retry_after is not None:
        wait = error.retry_after * (1 + jitter / 4)
    else:
        wait = FIRST_WAIT * 2 ** (tries - 1) * (1 + jitter) / 2
    return wait if waited + wait <= LONGEST_WAIT else None


def deferral(error: ModelError) -> float | None:
    """After how many seconds the unit is worth another attempt; None: the failure is final."""
    defer = POLICIES[error.code].defer
    if defer is None or error.retry_after is None:
        return defer
    return max(error.retry_after, 1.0)
