"""How a running process is told to finish what it holds and to end, so that another takes its place.

``who`` asks for an answer only; ``drain``, or ``drain/<incarnation>`` for one process, has it leave. The words must be
these: whoever may speak on the bus at all can name this subject to be answered on, and then the server itself speaks.
"""

import re
from collections.abc import Callable

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

SUBJECT = "gristmill.drain"
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
