"""The only places where Gristmill reads a clock or draws an identity. Deciding code never imports it."""

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4  # noqa: TID251 - the one place


def now() -> datetime:
    """Wall-clock time, aware. Never compared with the database's."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def monotonic() -> float:
    return time.monotonic()


def wall_ns() -> int:
    """Nanoseconds since 1970, for what is shown beside other machines' times. Never compared."""
    return time.time_ns()


def fresh_id() -> UUID:
    """A random identity, for what has none of its own: a process, an upload, a request without a key."""
    return uuid4()
