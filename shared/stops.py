"""Which jobs the ledger has stopped, as one process hears of it: what is kept of its words. Says nothing.

Hints come at once and may be lost, so every beat is answered with all that is stopped. Both come on
``gristmill.control.*``, one subscription, so that an older answer never overtakes a newer hint.
"""

import asyncio
import re
from collections.abc import Mapping
from uuid import UUID

import orjson

from contracts.entries import GenerateEntries
from contracts.message import Command

CONTROL = "gristmill.control"
_HINT = re.compile(rb"(cancel|pause|go)(?:/([0-9]{1,9}))?")
_ANSWER = b"stopped "
MOST_KEPT = 10_000
"""Jobs whose cancellation is remembered; their commands are gone from the bus long before."""


def hint(word: str, restarts: int) -> bytes:
    """``word`` (cancel, pause or go) for all of a job that was issued before its next restart."""
    return f"{word}/{restarts}".encode()


def answer(stopped: Mapping[UUID, tuple[str, int]]) -> bytes:
    """All open jobs that are stopped, each with its word and its restarts."""
    return _ANSWER + orjson.dumps({str(job): each for job, each in stopped.items()})


class Stops:
    """What one worker was told."""

    def __init__(self, incarnation: UUID) -> None:
        self._incarnation = incarnation
        self.cancelled: dict[UUID, int] = {}
        self.paused: dict[UUID, int] = {}
        """Jobs by how often each had been restarted by then."""
        self._told = asyncio.Event()

    def hear(self, subject: str, data: bytes) -> None:
        """Take a word of the ledger's, to all workers of a job or to this one.

        It must be one of those above. Whoever may speak on the bus at all can name these subjects to be answered on,
        and then the server itself says here that it has stored a message, or that it has none.
        """
        try:
            named = UUID(subject.rsplit(".", 1)[-1])
        except ValueError:
            return
        if named == self._incarnation and data.startswith(_ANSWER):
            self._take_all(data.removeprefix(_ANSWER))
        elif (said := _HINT.fullmatch(data)) is not None:
            self._take(named, said[1].decode(), int(said[2] or 0))

    def _take_all(self, data: bytes) -> None:
        try:
            stopped = {
                UUID(job): (str(word), int(n)) for job, (word, n) in orjson.loads(data).items()
            }
        except (ValueError, TypeError, AttributeError):
            return
        self.paused.clear()
        for job, (word, restarts) in stopped.items():
            self._take(job, word, restarts)
        self._told.set()

    def _take(self, job: UUID, word: str, restarts: int) -> None:
        if word == "pause":
            self.paused[job] = restarts
            return
        self.paused.pop(job, None)
        self.cancelled.pop(job, None)
        if word == "cancel":
            self.cancelled[job] = restarts
            if len(self.cancelled) > MOST_KEPT:
                del self.cancelled[next(iter(self.cancelled))]

    def word(self, command: Command) -> str | None:
        """``cancelled`` or ``paused`` where no further call of the command may start."""
        issued: int = getattr(command, "restart", 0)
        for word, jobs in (("cancelled", self.cancelled), ("paused", self.paused)):
            if jobs.get(command.job_id, -1) >= issued:
                return word
        return None

    async def known(self, command: Command) -> None:
        """Wait, before anything is paid, until the ledger has told what was stopped before this process began."""
        if isinstance(command, GenerateEntries):
            await self._told.wait()
