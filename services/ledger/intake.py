"""What comes in from the bus, requests before outcomes. Holds messages in memory only until they are recorded.

A pull request stays open on each stream and is renewed when it is used up or lost with its connection, so a message is
here at once. (nats-py's ``fetch`` of many waits for the whole batch or its timeout.)
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bundle import size

BATCH = 500
"""Events, about, that are recorded in one transaction."""
PULL = 128
"""Messages that are asked for at once: each may bring many events."""
EXPIRES = 1.0
"""Seconds that a pull request stays open. A process that was stopped is handed messages for so long, which then come
back only when its time to acknowledge them is over.
"""
SLICE = 0.25
"""Seconds after which a lost connection is noticed at the latest."""
MOST_HELD = 2000
"""Events that wait here for their turn, and those of one pull."""


class Intake:
    """Messages of REQUESTS and INBOX as they come."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._held: dict[str, deque[Msg]] = {"REQUESTS": deque(), "INBOX": deque()}
        self._waiting = dict.fromkeys(self._held, 0)
        """Events that the messages held bring."""
        self._came = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    async def run(self) -> None:
        """Pull from both streams until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for stream in self._held:
                tasks.create_task(self._pull(stream))

    async def take(self, linger: float) -> list[Msg]:
        """Wait for messages; return up to a batch of them, requests first.

        Outcomes are given ``linger`` seconds to gather, so that a busy ledger commits a few large batches rather than
        many small ones; a request never waits.
        """
        await self._came.wait()
        if not self._held["REQUESTS"] and self._waiting["INBOX"] < BATCH:
            await asyncio.sleep(linger)
        taken: list[Msg] = []
        events = 0
        for stream, held in self._held.items():
            while held and events < BATCH:
                taken.append(held.popleft())
                events += size(taken[-1])
                self._waiting[stream] -= size(taken[-1])
        if not any(self._held.values()):
            self._came.clear()
        if sum(self._waiting.values()) < MOST_HELD:
            self._space.set()
        return taken

    @property
    def idle(self) -> bool:
        """Nothing that came is unrecorded, as far as is known here."""
        return not self._came.is_set()

    async def release(self) -> None:
        """Give back what was not taken, so that the next leader has it at once."""
        for stream, held in self._held.items():
            self._waiting[stream] = 0
            while held:
                await held.popleft().nak()

    async def _pull(self, stream: str) -> None:
        inbox = self._client.new_inbox()
        request = _Request()
        hearing = await self._client.subscribe(inbox, cb=partial(self._hear, stream, request))
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.ledger"
        ask = orjson.dumps({"batch": PULL, "expires": int(EXPIRES * 1e9)})
        try:
            while True:
                await self._space.wait()
                request.begin()
                try:
                    await self._client.publish(subject, ask, reply=inbox)
                except nats.errors.Error:
                    await asyncio.sleep(0.2)
                await request.over(lambda: int(self._client.stats["reconnects"]))
        finally:
            # A pull request outlives whoever made it: without interest in its inbox the server drops it, and hands
            # what comes next to whoever leads then.
            with contextlib.suppress(nats.errors.Error):
                await hearing.unsubscribe()

    async def _hear(self, stream: str, request: "_Request", message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        # A message of the stream may have a header of that name too, but it asks to be acknowledged.
        if status is not None and not message.reply:
            if status != "408":
                request.failed()
            return
        request.brought_one()
        self._held[stream].append(message)
        self._waiting[stream] += size(message)
        self._came.set()
        if sum(self._waiting.values()) >= MOST_HELD:
            self._space.clear()


class _Request:
    """One pull request: over when it is used up, when its time has passed, or when the server refuses it."""

    def __init__(self) -> None:
        self._left = 0
        self._failed = False
        self._used = asyncio.Event()

    def begin(self) -> None:
        self._left = PULL
        self._failed = False
        self._used.clear()

    def brought_one(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._used.set()

    def failed(self) -> None:
        self._failed = True
        self._used.set()

    async def over(self, connections: Callable[[], int]) -> None:
        """Wait for its end. A connection that was made anew since it was made has lost it."""
        before, slices = connections(), int(EXPIRES / SLICE)
        for _ in range(slices):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SLICE):
                    await self._used.wait()
            if self._used.is_set() or connections() != before:
                break
        if self._failed:
            await asyncio.sleep(0.2)


async def newest(client: Client) -> int:
    """The place in INBOX of what was said last."""
    said: int = (await client.jetstream().stream_info("INBOX")).state.last_seq
    return said


async def is_recorded(client: Client, through: int | None = None) -> bool:
    """Whether what was said is recorded, up to a place in INBOX; None: all of it."""
    inbox = await client.jetstream().consumer_info("INBOX", "ledger")
    if not inbox.num_pending and not inbox.num_ack_pending:
        return True
    floor = inbox.ack_floor.stream_seq if inbox.ack_floor is not None else 0
    return through is not None and floor >= through
