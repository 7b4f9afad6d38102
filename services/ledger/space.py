"""Watermarks: nothing more is dispatched while a disk, the database or a queue is nearly full, and the job says so.

What is under way finishes, is recorded and judged, which is what the rest of the space is for. Frees nothing itself.
"""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from contracts.job import JobResumed, JobWaiting
from services.ledger.processes.generation_state import SPACE, GenerationState
from services.ledger.turn import Turn
from shared.settings import Settings
from shared.topology import streams

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

HIGH, LOW = 0.8, 0.7
"""Share of its limit above which a queue or the database counts as full, and below which it does so no more."""
AMPLE = 1.25
"""Times the least free space that must be there again before work goes on."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What takes space and how much of it may be taken, in bytes or messages; ``what`` is for people."""

    what: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Disk:
    what: str
    free: int
    least: int
    """Bytes that are kept free."""


def shortage(found: Sequence[Fill | Disk], *, short: bool) -> str | None:
    """Why nothing more may be begun, for people; None where there is room.

    ``short``: it was so when last looked at. Then it takes more room to go on than it took to stop, since work that
    stops and goes on at the same mark would do so at every message.
    """
    for each in found:
        match each:
            case Fill() if each.used > each.limit * (LOW if short else HIGH):
                return f"{each.what} is {each.used / each.limit:.0%} full"
            case Disk() if each.free < each.least * (AMPLE if short else 1):
                return f"{each.what} has {each.free >> 20} MB left, of which {each.least >> 20} MB are kept free"
    return None


async def look(pool: "Pool", client: Client, settings: Settings) -> list[Fill | Disk]:
    """What can be seen from here: the disk of the data folder, the database's size where it is limited, the queues.

    Raise what the pool raises where the database is away. A bus that is away is not full.
    """
    folder = next(each for each in (settings.data, *settings.data.parents) if each.exists())
    free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
    found: list[Fill | Disk] = [Disk("the disk of the data folder", free, settings.least_free)]
    if settings.most_database is not None:
        used = await pool.fetchval("select pg_database_size(current_database())")
        found.append(Fill("the event store", used, settings.most_database))
    return found + await _queues(client)


async def _queues(client: Client) -> list[Fill | Disk]:
    found: list[Fill | Disk] = []
    for config in streams():
        if config.name not in ("INBOX", "COMMANDS"):
            continue
        try:
            state = (await client.jetstream().stream_info(str(config.name))).state
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError):
            continue
        for used, limit in ((state.bytes, config.max_bytes), (state.messages, config.max_msgs)):
            if limit is not None and limit > 0:
                found.append(Fill(f"the queue {config.name}", used, limit))
    return found


async def hold(turn: Turn, *, reason: str) -> None:
    """Let the jobs that would dispatch wait for space."""
    for job in list(turn.house.hungry):
        row = await turn.row(job)
        if row is None or not row.open or not isinstance(row.state, GenerationState):
            continue
        if row.state.waiting_for is None and row.state.phase == "running":
            log.warning("job %s waits for space: %s", job, reason)
            waiting = JobWaiting(waiting_for=SPACE, reason=reason)
            await turn.fold(row, await turn.record_followup(row, waiting, job=job))


async def release(turn: Turn) -> None:
    """Let the jobs that wait for space go on."""
    rows = await turn.connection.fetch(
        """
        select stream_id from ledger.streams
        where open and kind = 'generation' and state ->> 'waiting_for' = $1
        """,
        SPACE,
    )
    for job in [each["stream_id"] for each in rows]:
        row = await turn.row(job)
        if row is not None:
            resumed = JobResumed(waited_for=SPACE)
            await turn.fold(row, await turn.record_followup(row, resumed, job=job))
