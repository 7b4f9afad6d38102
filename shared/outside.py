"""The stream that other systems read: a copy of EVENTS in the account where their user is.

They make consumers on it, and the server lets a consumer deliver to any subject of its account; so theirs is none that
means anything to the mill. It holds nothing that is not in EVENTS.
"""

import contextlib

import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from shared.errors import GristmillError

DOOR = "gristmill.outside"
"""Where that account lets the ledger make its stream (see ``shared/stack/users.py``)."""


class Misdeclared(GristmillError):
    """A stream of the bus is not as it must be, and cannot be made so."""

    def __init__(self, stream: str, why: str) -> None:
        super().__init__(
            "bus_misdeclared",
            f"The stream {stream} of the bus is not as Gristmill declares it and cannot be changed to be ({why}). "
            f"Save what it holds, delete it (nats stream rm {stream}), and it is made again.",
        )


async def bring(stream: JetStreamContext, config: StreamConfig) -> None:
    """Create a stream, or bring the one that is there to this declaration; raise ``Misdeclared``.

    How a stream is written is settled when it is made: one that was made otherwise keeps its way.
    """
    try:
        await stream.add_stream(config)
    except nats.js.errors.BadRequestError:
        found = (await stream.stream_info(str(config.name))).config
        try:
            await stream.update_stream(config.evolve(persist_mode=found.persist_mode))
        except (nats.js.errors.BadRequestError, nats.js.errors.ServerError) as problem:
            raise Misdeclared(str(config.name), str(problem.description)) from None


async def offer(client: Client, events: StreamConfig) -> None:
    """Have what is said in EVENTS to tenant default kept for other systems, in its order and for as long.

    The copy acknowledges nothing, since the ledger waits for the word of the stream in the mill.
    """
    copy = events.evolve(subjects=["gristmill.events.default.>"], no_ack=True)
    # A bus that somebody else set up may have no such account, and then no such readers.
    with contextlib.suppress(nats.js.errors.ServiceUnavailableError):
        await bring(client.jetstream(prefix=DOOR), copy)
