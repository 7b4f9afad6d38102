"""Says many messages to one stream with one word of the bus for all of them, in their order.

Only the last of a batch asks for a PubAck. The stream numbers what it stores and nobody else writes to it, so a last
message that has the number expected shows that all before it are stored; where it has not, each one is said by itself.
The message ids make saying again harmless.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import nats.js.errors
from nats.aio.client import Client
from nats.js.api import PubAck

from shared.bus import Envelope

PATIENCE = 5.0
"""Seconds for the bus's word."""


class Stream:
    """A stream that this process alone writes to, while it leads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last: int | None = None
        """Number of the newest message in the stream, where it is known."""

    async def say(self, envelopes: Sequence[Envelope]) -> bool:
        """Have the bus store these; raise what nats-py raises where it does not. False: they were not numbered on from
        what was said before, so the stream may have lost some of that.
        """
        if not envelopes:
            return True
        last, self._last = self._last, None
        strange = False
        if last is not None and len(envelopes) > 1:
            with contextlib.suppress(nats.js.errors.APIError):
                for each in envelopes[:-1]:
                    await self._client.publish(each.subject, each.body, headers=each.all_headers())
                said = await self._publish(envelopes[-1])
                if said.seq == last + len(envelopes) and not said.duplicate:
                    self._last = said.seq
                    return True
                strange = not said.duplicate
        told = await asyncio.gather(*map(self._publish, envelopes))
        # A duplicate's number is that of the first time.
        if any(each.duplicate for each in told):
            return not strange
        self._last = max(each.seq for each in told)
        return last is None or self._last == last + len(envelopes)

    async def _publish(self, envelope: Envelope) -> PubAck:
        return await self._client.jetstream().publish(
            envelope.subject, envelope.body, timeout=PATIENCE, headers=envelope.all_headers()
        )
