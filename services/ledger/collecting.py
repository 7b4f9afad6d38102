"""Blobs that nothing names are removed after a grace time, and so are files of writes that a kill cut off.

The log says what is named; whatever waits on the bus, unrecorded, or lies there dead, holds the time still. Where two
logs share a store nothing is removed, since neither knows what the other names. A round that is cut off does no harm.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import RetentionPolicy
from pydantic import ValidationError

from services.ledger import sampling
from services.ledger.leadership import Lease
from services.ledger.recorder import Transient
from services.ledger.references import References
from shared import letters
from shared.blobs import Blobs, Held
from shared.clock import now
from shared.errors import GristmillError
from shared.leftovers import sweep
from shared.settings import Settings
from shared.topology import streams

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

NAMED = ("document", "text", "structure", "chunks", "tokenizer", "plan", "export")
"""Kinds that are named by events. Prompts are named in bodies, which are not read here: they stay, one for a job."""
MESSAGE = "message"
"""The kind of bodies too large for the bus, named by messages there and by nothing else."""
MARK = "log"
"""The kind by which a log says that this store is its own."""
FIRST, EVERY = 600.0, 3600.0
"""Seconds from the beginning of a leadership to the first round, and between two."""
STEP = 500
"""Blobs that are removed before the lease and the log are looked at again."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Blobs that were put before these times may go: those that events name, and those that messages name."""

    named: datetime
    messages: datetime


def horizon(at: datetime, waiting: datetime | None, grace: timedelta, kept: timedelta) -> Horizon:
    """What may go at a time. ``waiting``: when the oldest message came that is not done with, None where there is none.

    Whoever puts a blob names it within the grace time. The bus keeps a message for ``kept`` after it was done with.
    """
    oldest = at if waiting is None else min(at, waiting)
    return Horizon(oldest - grace, oldest - grace - kept)


def goes(held: Held, until: Horizon, named: "References") -> bool:
    """Whether a blob is waste."""
    if held.kind == MESSAGE:
        return held.changed < until.messages
    return held.kind in NAMED and held.changed < until.named and held.sha256 not in named


class SharedStore(GristmillError):
    """Another log says that this store is its own, too."""

    def __init__(self, other: Held) -> None:
        super().__init__(
            "blobs_shared",
            "No blobs are collected: another log keeps its own in this store, too, and may name them. "
            f"If that log is gone for good, remove {other.key} from the store.",
        )


@dataclass(slots=True)
class Collected:
    blobs: int = 0
    size: int = 0
    files: int = 0


class Collector:
    """Collects while its ledger leads."""

    def __init__(self, pool: "Pool", client: Client, blobs: Blobs, settings: Settings) -> None:
        self._pool = pool
        self._client = client
        self._blobs = blobs
        self._settings = settings
        self._grace = timedelta(seconds=settings.blob_grace)

    async def run(self, lease: Lease) -> None:
        """A round an hour. After a restore the first one waits for a grace time, so that it can still be undone."""
        grace = self._settings.blob_grace
        if not grace:
            return
        references = References(self._pool, self._blobs)
        era = await self._pool.fetchval("select era from ledger.logs where log_id = 1")
        pause = min(FIRST, grace) if era == 1 else grace
        while True:
            met = self._client.stats["reconnects"]
            await asyncio.sleep(pause)
            pause = min(EVERY, grace)
            if self._client.is_connected and met == self._client.stats["reconnects"]:
                # Else a worker may only now come to say what it did before the bus went away.
                await self._try(references, lease)

    async def _try(self, references: References, lease: Lease) -> None:
        began = now()
        try:
            done = await self.collect(references, lease)
        except (GristmillError, ValidationError, *Transient, *_BUS) as problem:
            if isinstance(problem, SharedStore):
                log.warning("%s", problem.message)
            else:
                log.info("blobs are collected later: %r", problem)
            return
        if done.blobs or done.files:
            took = (now() - began).total_seconds()
            log.info(
                "collected %d blobs (%d bytes) that nothing names and %d unfinished files, in %.1f s",
                done.blobs, done.size, done.files, took,
            )  # fmt: skip

    async def collect(self, references: References, lease: Lease) -> Collected:
        """One round.

        Raise ``LeadershipLost``, ``SharedStore``, or what tells that a server is away; what was removed was waste.
        """
        done = Collected()
        until = horizon(now(), await self._waiting(), self._grace, kept_by_the_bus())
        await references.catch_up()
        tenants = await self._pool.fetch("select distinct tenant from ledger.projects")
        for tenant in [row["tenant"] for row in tenants]:
            await self._claim(tenant)
            async for some in self._waste(tenant, until, references):
                # What was named meanwhile, though long after it was put, is not waste.
                await references.catch_up()
                for held in some:
                    lease.check()
                    if goes(held, until, references) and await self._blobs.remove(held):
                        done.blobs += 1
                        done.size += held.size
        lease.check()
        done.files = await asyncio.to_thread(sweep, self._settings.data, now() - self._grace)
        return done

    async def _waste(
        self, tenant: str, until: Horizon, references: References
    ) -> AsyncIterator[list[Held]]:
        found: list[Held] = []
        for kind in (*NAMED, MESSAGE):
            async for held in self._blobs.held(tenant, kind):
                if goes(held, until, references):
                    found.append(held)
                if len(found) == STEP:
                    yield found
                    found = []
        if found:
            yield found

    async def _claim(self, tenant: str) -> None:
        """Mark the store as this log's. Raise ``SharedStore`` where another one did so, ever."""
        first = await self._pool.fetchrow(
            "select event_id, recorded_at from ledger.events where log_id = 1 order by pos limit 1"
        )
        who = f"{first['event_id']} {first['recorded_at'].isoformat()}" if first else ""
        own = hashlib.sha256(who.encode()).hexdigest()
        await self._blobs.put(tenant, MARK, who.encode(), "text/plain")
        async for mark in self._blobs.held(tenant, MARK):
            if mark.sha256 != own:
                raise SharedStore(mark)

    async def _waiting(self) -> datetime | None:
        """When the oldest message came that is not done with; a dead letter may be said again."""
        times = [
            await sampling.first_message(self._client, str(config.name))
            for config in streams()
            if config.retention == RetentionPolicy.WORK_QUEUE or config.name == letters.STREAM
        ]
        return min((time for time in times if time is not None), default=None)


_BUS = (nats.errors.Error, nats.js.errors.Error, TimeoutError, KeyError, ValueError)
"""What asking the bus for its oldest messages may raise."""


def kept_by_the_bus() -> timedelta:
    """How long a message may lie in one stream after the other once it is done with: said again, then buried."""
    return timedelta(seconds=sum(config.max_age or 0 for config in streams()))
