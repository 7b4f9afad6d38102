"""The connection to the bus: it stays, and it never goes deaf unnoticed. Knows nothing of what is said on it."""

import logging

import nats.errors
from nats.aio.client import Client

from shared.errors import Unavailable
from shared.settings import Settings

PING = 5
"""Seconds between two looks whether the server is there; a network that swallows everything says nothing else."""
MOST_PINGS = 2
"""Looks without an answer, after which a connection is given up for a new one."""

log = logging.getLogger(__name__)


class StayingClient(Client):
    """nats-py's client, with two ways mended in which it goes deaf: writing goes on, nothing is heard any more.

    When a flush has timed out and its answer comes after all (the network or the server stood still for two
    seconds), nats-py 2.16 sets the result of a cancelled future; the error ends its reading task, and nobody looks at
    that task until minutes of pings went unanswered.
    """

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            # Whoever asked gave up; the answer shows all the same that the server is there.
            self._pongs.pop(0)
            self._pongs_received += 1
            self._pings_outstanding = 0
        else:
            await super()._process_pong()

    async def _read_loop(self) -> None:
        await super()._read_loop()
        if self.is_connected:
            # It ended for a reason that it did not foresee: a connection that nobody reads is none.
            log.warning("the bus is no longer heard; connecting anew")
            await self._process_op_err(nats.errors.UnexpectedEOF())


async def connect(settings: Settings, name: str) -> Client:
    """Connect, and stay: reconnect for ever, so that a closed connection never starves a loop."""
    url = settings.nats_url.get_secret_value()
    user = url.split("//", 1)[-1].split(":", 1)[0] if "@" in url else name
    client = StayingClient()
    try:
        await client.connect(
            url,
            name=name,
            inbox_prefix=f"_INBOX.{user}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]  # the library sleeps for it
            connect_timeout=5,
            allow_reconnect=True,
            error_cb=_quiet,
            pending_size=64 * 1024 * 1024,
            ping_interval=PING,
            max_outstanding_pings=MOST_PINGS,
        )
    except (OSError, nats.errors.Error, TimeoutError) as problem:
        raise Unavailable(
            "bus_unavailable",
            f"The event bus does not answer ({type(problem).__name__}).",
            waiting_for="the event bus",
            retry_after=2,
        ) from None
    return client


async def _quiet(problem: Exception) -> None:
    """Connection errors show in readiness, not as traces on the terminal."""
