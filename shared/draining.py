"""How a running process is told to finish what it holds and to end, so that another takes its place.

``who`` asks for an answer only; ``drain``, or ``drain/<incarnation>`` for one process, has it leave. The words must be
these: whoever may speak on the bus at all can name this subject to be answered on, and then the server itself speaks.
"""

import re
from collections.abc import Callable
from uuid import UUID

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import monotonic

SUBJECT = "gristmill.drain"
PATIENCE, FURTHER = 8.0, 0.5
"""Seconds that are waited for the first answer, and from then on for others. (A busy machine loads libraries for long.)
"""
_WORDS = re.compile(rb"(who|drain)(?:/([0-9a-f-]{36}))?")


async def heed(
    client: Client,
    service: str,
    incarnation: str,
    leave: Callable[[], None],
    holds: Callable[[], int] = lambda: 0,
) -> Subscription:
    """Answer who asks, and call ``leave`` when told to; ``holds`` counts what is still to be finished."""
    leaving = False

    async def hear(message: Msg) -> None:
        nonlocal leaving
        said = _WORDS.fullmatch(message.data)
        if said is None or (said[2] is not None and said[2].decode() != incarnation):
            return
        if said[1] == b"drain" and not leaving:
            leaving = True
            leave()
        if message.reply:
            about = {"incarnation": incarnation, "holds": holds(), "leaving": leaving}
            await message.respond(orjson.dumps(about))

    return await client.subscribe(f"{SUBJECT}.{service}", cb=hear)


class Running(BaseModel):
    """A process of a service, as it answers."""

    model_config = ConfigDict(frozen=True)

    incarnation: UUID
    holds: int
    """Units that it has begun or has still to give back."""
    leaving: bool
    """It takes nothing more, and ends when it has finished."""


async def ask(
    client: Client, service: str, *, drain: bool, of: UUID | None = None
) -> list[Running]:
    """The processes of a service that answer soon; with ``drain`` they are told to leave, or only ``of`` is. Raise what
    nats-py raises where the bus is away.
    """
    words = "drain" if drain else "who"
    inbox = client.new_inbox()
    replies = await client.subscribe(inbox)
    found: dict[UUID, Running] = {}
    try:
        said = f"{words}/{of}" if of is not None else words
        await client.publish(f"{SUBJECT}.{service}", said.encode(), reply=inbox)
        until = monotonic() + PATIENCE
        while (left := until - monotonic()) > 0:
            try:
                reply = await replies.next_msg(timeout=left)
                each = Running.model_validate_json(reply.data)
            except (nats.errors.TimeoutError, ValidationError):
                continue
            if not found:
                until = monotonic() + FURTHER
            found[each.incarnation] = each
    finally:
        await replies.unsubscribe()
    return sorted(found.values(), key=lambda each: each.incarnation)
