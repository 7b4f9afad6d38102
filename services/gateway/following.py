"""Live streams of jobs: one look a change for all who listen to a job, and each of them sent the newest state.

Nothing is queued for a listener, so a slow one costs no memory and misses only states that a later one replaced.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from services.gateway.views.projector import Reached
from shared.errors import Unavailable
from shared.store import Position

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that no proxy takes the stream for dead."""
PAUSE, PAUSE_EACH = 0.1, 0.002
"""Seconds between two looks at a job: at least, and for each listener. A state costs each listener about 0.1 ms of
CPU, so that however many they are they take some 5 % of one core."""
RETRY = 0.5
MOST = 5000
"""Listeners of one gateway."""


@dataclass(frozen=True, slots=True)
class Look:
    """A job at a moment."""

    status: str
    ended: bool
    state: bytes
    """JSON of what makes a difference to a listener,"""
    shown: bytes
    """and of what it is sent."""


Looking = Callable[[UUID], Awaitable[Look | None]]


class Channel:
    """One job for all who listen to it."""

    def __init__(self) -> None:
        self.look: Look | None = None
        self.position = Position(0, 0)
        """That of the views when this state was first seen."""
        self.number = 0
        """Of states so far."""
        self.closed = False
        self.listeners = 0
        self._moved = asyncio.Event()

    def show(self, look: Look, position: Position) -> None:
        if self.look is None or look.state != self.look.state:
            self.look, self.position = look, position
            self.number += 1
            self.wake()

    def close(self) -> None:
        self.closed = True
        self.wake()

    def wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved(self, number: int, patience: float) -> bool:
        """Whether there is a state after ``number``, or an end, within ``patience`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.number == number and not self.closed:
                    await self._moved.wait()
        return self.number != number or self.closed

    def block(self) -> bytes:
        """The state as an event of the stream."""
        if self.look is None:
            raise LookupError("nothing was seen yet")
        return b"id: %s\ndata: %s\n\n" % (str(self.position).encode(), self.look.shown)


class Broadcasts:
    """The channels of one gateway. ``looking`` says how a job is; None: there is none."""

    def __init__(self, looking: Looking, reached: Reached) -> None:
        self._looking = looking
        self._reached = reached
        self._channels: dict[UUID, tuple[Channel, asyncio.Task[None]]] = {}
        self.listeners = 0
        self.closed = False

    def admit(self) -> None:
        """Raise ``Unavailable`` where too many listen, or the gateway stops."""
        if self.closed or self.listeners >= MOST:
            raise Unavailable(
                "too_many_listeners",
                f"{MOST} listeners are served at once; ask for the status instead.",
                waiting_for="the gateway",
                retry_after=5,
            )

    @contextlib.contextmanager
    def listener(self) -> Iterator[None]:
        """Count one who listens."""
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    @contextlib.asynccontextmanager
    async def of(self, job: UUID) -> AsyncIterator[Channel]:
        """Listen to a job that exists."""
        channel = self._channel(job)
        channel.listeners += 1
        try:
            with self.listener():
                yield channel
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                self._drop(job, channel)

    def close(self) -> None:
        """End every stream: the process is about to stop."""
        self.closed = True
        for channel, task in self._channels.values():
            task.cancel()
            channel.close()
        self._reached.wake()

    def _channel(self, job: UUID) -> Channel:
        found = self._channels.get(job)
        # One that has seen the end stays until its listeners have it; whoever comes after looks anew.
        if found is None or found[1].done():
            channel = Channel()
            task = asyncio.create_task(self._watch(job, channel), name=f"watch {job}")
            task.add_done_callback(lambda done: _over(done, channel))
            found = self._channels[job] = channel, task
        return found[0]

    def _drop(self, job: UUID, channel: Channel) -> None:
        found = self._channels.get(job)
        if found is not None and found[0] is channel:
            found[1].cancel()
            del self._channels[job]

    async def _watch(self, job: UUID, channel: Channel) -> None:
        """Look whenever the views have moved, until the job has ended."""
        while True:
            position = self._reached.position
            try:
                look = await self._looking(job)
            except Unavailable:
                await asyncio.sleep(RETRY)
                continue
            if look is not None:
                channel.show(look, position)
            if look is None or look.ended:
                channel.close()
                return
            await asyncio.sleep(max(PAUSE, PAUSE_EACH * channel.listeners))
            while self._reached.position == position:
                await self._reached.next(HEARTBEAT)


def _over(task: "asyncio.Task[None]", channel: Channel) -> None:
    """Nobody waits for a channel that nobody feeds, whatever ended it: its listeners come again."""
    channel.close()
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("%s ended", task.get_name(), exc_info=problem)


async def states(channel: Channel, last: Position | None) -> AsyncIterator[bytes]:
    """What a listener is sent: the state at once, unless it has it (``last``), each later one, and then the end."""
    number = 0
    while True:
        if not await channel.moved(number, HEARTBEAT):
            yield b": still there\n\n"
            continue
        if channel.number != number:
            number = channel.number
            if last is None or channel.position != last or (channel.look and channel.look.ended):
                yield channel.block()
            last = None
        if channel.closed:
            return
