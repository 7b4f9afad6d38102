"""Keeping a message that nobody can use among the dead, with where it came from and why. Decides nothing."""

from collections.abc import Mapping

from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.bus import PART, Envelope, headers_of
from shared.errors import GristmillError
from shared.telemetry import metrics

SUBJECT = "gristmill-subject"
"""Header of a dead letter: where it was said,"""
REASON = "gristmill-reason"
"""why nobody could use it,"""
CODE = "gristmill-code"
"""and the same as a code."""
SIZE = "gristmill-size"
"""Of its body, where that was too large to be kept whole; what is kept is its beginning."""
MOST_REASON = 1000
MOST_HEADER = 2000
MOST_HEADERS = 64
ROOM = 128 * 1024
"""Bytes of what the bus takes at once that are left to headers."""
KEPT = 64 * 1024
"""Bytes that are kept of a body for which there is no room."""


async def bury(client: Client, service: str, message: Msg, reason: str, *, code: str) -> None:
    """Keep a message with where it came from and why it is there. Raise what the bus raises that does not take it."""
    # Once, though it may be delivered again before it is acknowledged.
    found = headers_of(message)
    mark = f"{service}:{_place(message)}{found.get(PART, '')}" if message.reply else None
    await _keep(client, service, message.subject, found, message.data, (code, reason), mark)


async def bury_envelope(
    client: Client, service: str, envelope: Envelope, reason: str, *, code: str, mark: str
) -> None:
    """Keep what was said, or would be said again, as ``bury`` does. ``mark`` tells it from others."""
    found = envelope.all_headers()
    await _keep(client, service, envelope.subject, found, envelope.body, (code, reason), mark)


async def _keep(
    client: Client,
    service: str,
    subject: str,
    said: Mapping[str, str],
    body: bytes,
    why: tuple[str, str],
    mark: str | None,
) -> None:
    headers = _headers(said) | {SUBJECT: subject, CODE: why[0], REASON: _line(why[1])}
    # What the bus took with fewer headers may be more than it takes now, and nothing else would ever end it.
    if len(body) > client.max_payload - ROOM:
        headers[SIZE], body = str(len(body)), body[:KEPT]
    if mark is not None:
        headers["Nats-Msg-Id"] = mark
    await client.jetstream().publish(f"gristmill.dead.{service}", body, headers=headers)
    metrics.BURIED.add()


def described(problem: BaseException) -> str:
    """What went wrong, in one line without the values that were sent."""
    if isinstance(problem, ValidationError):
        parts = [
            f"{'.'.join(map(str, error['loc'])) or 'message'}: {error['msg']}"
            for error in problem.errors(include_input=False, include_url=False)[:5]
        ]
        return "; ".join(parts)[:1000]
    if isinstance(problem, GristmillError):
        return problem.message
    return f"{type(problem).__name__}: {problem}"[:500]


def _headers(said: Mapping[str, str]) -> dict[str, str]:
    found = {
        key: value[:MOST_HEADER]
        for key, value in said.items()
        if not key.lower().startswith("nats-") and len(key) < MOST_HEADER
    }
    return dict(list(found.items())[:MOST_HEADERS])


def _line(reason: str) -> str:
    """As a header takes it."""
    clean = reason.encode(errors="replace").decode()
    return " ".join(clean.replace("\x00", " ").split())[:MOST_REASON]


def _place(message: Msg) -> str:
    """Of a message in its stream; the time tells it from one that lay there before a stream was made anew."""
    at = message.metadata
    return f"{at.stream}:{at.sequence.stream}:{at.timestamp.timestamp()}"
