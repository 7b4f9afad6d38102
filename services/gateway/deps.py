"""What the routes work with, and how it is found and kept: the store, the views, the bus, the blobs.

Everything connects in the background, so the gateway answers (with 503 where it must) before any server is there and
goes on by itself when one comes back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Depends, Request

from contracts.message import Event, Recorded
from services.gateway.estimating import Rates
from services.gateway.following import Broadcasts, Look
from services.gateway.plans import Plans
from services.gateway.views.away import AWAY
from services.gateway.views.chunk_reads import Chunkings
from services.gateway.views.dataset_reads import Datasets
from services.gateway.views.entry_reads import Entries
from services.gateway.views.job_reads import JobReads
from services.gateway.views.lags import lags
from services.gateway.views.log_reads import LogReads
from services.gateway.views.overview_reads import OverviewReads
from services.gateway.views.projector import Projector, Reached
from services.gateway.views.pulse import Pulse
from services.gateway.views.reads import Queries, Views
from services.gateway.views.replaying import Replay
from services.gateway.views.versions import SCHEMA
from services.gateway.working import Workers
from shared.blobs import Blobs, chosen
from shared.bus import Asker, connect
from shared.clock import fresh_id
from shared.draining import heed
from shared.errors import GristmillError, Unavailable
from shared.letters import Letters
from shared.migrations import WrongSchema
from shared.settings import Settings
from shared.store import Position, PostgresReader, open_pool
from shared.telemetry import metrics

if TYPE_CHECKING:
    from nats.aio.client import Client

    from shared.store import Pool

log = logging.getLogger(__name__)

RETRY = 0.25
WATCH = 15.0
"""Seconds between two looks at blobs that can be used."""
CONNECTIONS = 9
"""To the store; one of them is the pulse's, one the fold's."""


class Store:
    """The store while it is open: its views, its bodies, its log."""

    def __init__(self, pool: "Pool", tenant: str, reached: Reached) -> None:
        self.pulse = Pulse(pool)
        queries = Queries(pool, self.pulse)
        self.views = Views(queries, tenant)
        self.entries = Entries(queries)
        self.chunkings = Chunkings(queries, tenant)
        self.datasets = Datasets(queries, tenant)
        self.jobs = JobReads(queries, tenant)
        self.log = LogReads(queries, tenant)
        self.overview = OverviewReads(queries, tenant)
        self.queries = queries
        self.projector = Projector(pool, reached)

    async def bodies(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The texts that exist; an erased one is missing."""
        return await self.queries.on_connection(lambda each: PostgresReader(each).bodies(ids))

    async def alarm(self) -> str | None:
        """Why the ledger records nothing, where only a person can settle it."""
        row = await self.queries.row("select alarm from ledger.leader")
        return None if row is None else row["alarm"]

    async def event(self, position: int) -> Recorded[Event] | None:
        """What the log holds at that place."""
        found = await self.queries.on_connection(
            lambda each: PostgresReader(each).tail(position - 1, 1)
        )
        return found[0] if found else None


class Deps:
    """One gateway's connections, opened by ``start`` and closed by ``stop``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tenant = settings.tenant
        self.blobs: Blobs = chosen(settings)
        self.plans = Plans(self.blobs, self.tenant)
        self.reached = Reached()
        self.rates = Rates()
        self.aliases: dict[str, UUID] = {}
        """Of projects that were asked for, by alias and by id."""
        self.unprocessed = 0
        """Bytes of documents that no job had processed when they were last counted,"""
        self.arrived: dict[UUID, int] = {}
        """and those of each document that came since."""
        self.workers = Workers()
        self.letters = Letters()
        self.broadcasts = Broadcasts(self._look, self.reached)
        self.replay: Replay | None = None
        self.replaying: asyncio.Task[None] | None = None
        """The last replay that was asked of this gateway, and what does it."""
        self._pool: Pool | None = None
        self._store: Store | None = None
        self._client: Client | None = None
        self._problems = {"store": "connecting", "bus": "connecting", "blobs": "connecting"}
        self._tasks: list[asyncio.Task[None]] = []
        self.broken = asyncio.Event()
        """Set when the fold met what no retry mends; the process should end, loudly."""
        self.dismissed = asyncio.Event()
        """Set when somebody who may do so asked the process to end."""

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._open_store(), name="store and views"),
            asyncio.create_task(self._open_bus(), name="bus"),
            asyncio.create_task(self._watch_blobs(), name="blobs"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.critical("%s: this cannot be mended by waiting", task.get_name(), exc_info=problem)
            self.broken.set()

    async def _look(self, job: UUID) -> Look | None:
        from services.gateway.looking import look

        return await look(self, job)

    async def stop(self) -> None:
        self.broadcasts.close()
        tasks = [*self._tasks, *([self.replaying] if self.replaying is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.blobs.close()
        if self._client is not None:
            await self._client.close()
        if self._pool is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._pool.close()

    async def _open_store(self) -> None:
        """Open the pool as soon as the store is there, then fold the log for ever."""
        url = self.settings.database_url
        if url is None:
            self._problems["store"] = "GRISTMILL_DATABASE_URL is not set"
            return
        while self._pool is None:
            try:
                self._pool = await open_pool(
                    url.get_secret_value(), most=CONNECTIONS, schema=SCHEMA
                )
            except (*AWAY, WrongSchema) as problem:
                self._problems["store"] = f"{type(problem).__name__}: {problem}"
                await asyncio.sleep(RETRY)
        self._store = Store(self._pool, self.tenant, self.reached)
        with metrics.sampled(partial(lags, self._store.queries, self.reached, self.settings.data)):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._store.pulse.run())
                tasks.create_task(self._store.projector.run())

    async def _open_bus(self) -> None:
        while self._client is None:
            try:
                client = await _connected(self.settings)
                try:
                    await client.subscribe("gristmill.beat.*", cb=self.workers.hear)
                    await heed(client, "gateway", str(fresh_id()), self.dismissed.set)
                except asyncio.CancelledError:
                    await client.close()
                    raise
                self._client = client
            except Unavailable as problem:
                self._problems["bus"] = problem.message
                await asyncio.sleep(RETRY)

    async def _watch_blobs(self) -> None:
        """Know whether the blob store can be used; keys or a bucket that are wrong from the start end the process."""
        while True:
            try:
                await self.blobs.check()
            except Unavailable as problem:
                self._problems["blobs"] = problem.message
                await asyncio.sleep(1)
            except GristmillError as problem:
                if self._problems["blobs"] == "connecting":
                    log.critical("%s [%s]", problem.message, problem.code)
                    self.broken.set()
                    return
                self._problems["blobs"] = problem.message
                await asyncio.sleep(1)
            else:
                self._problems["blobs"] = "ok"
                await asyncio.sleep(WATCH)

    @property
    def store(self) -> Store:
        """Raise ``Unavailable`` until the store was reached and its views were built once.

        After that, each query says whether the store is there.
        """
        if self._store is None:
            raise Unavailable(
                "store_unavailable",
                f"The event store cannot be used yet ({self._problems['store']}).",
                waiting_for="the event store",
                retry_after=2,
            )
        if not self.reached.built:
            at, head = self.reached.position.n, self.reached.head.n
            raise Unavailable(
                "views_building",
                f"The views of this version are being built from the log: {at} of {head} events so far.",
                waiting_for="the views",
                retry_after=2,
            )
        return self._store

    @property
    def views(self) -> Views:
        return self.store.views

    @property
    def follows(self) -> bool:
        """Whether the store was there a moment ago, and the views follow its log."""
        return (
            self._store is not None
            and not self._store.pulse.is_silent
            and self._store.projector.problem is None
            and self.reached.built
        )

    @property
    def wrong(self) -> str | None:
        """Why not everything can be done at present, if so."""
        if not self.follows:
            return "the event store is away, or its views are being built"
        return (
            None
            if self._client is not None and self._client.is_connected
            else "the event bus is away"
        )

    @property
    def asker(self) -> Asker:
        """Raise ``Unavailable`` while the bus is away."""
        return Asker(self.bus_is_there(), self.settings)

    def bus_is_there(self) -> "Client":
        """The connection. Raise ``Unavailable`` while the bus is away, so that no work is done in vain."""
        if self._client is None or not self._client.is_connected:
            raise Unavailable(
                "job_queue_unavailable",
                "Job queue manager not initialized",
                waiting_for="the event bus",
                retry_after=2,
            )
        return self._client

    async def state(self) -> dict[str, str]:
        """``ok`` or the reason, for the store, the bus, the views and the blobs."""
        views = "ok"
        if self._store is None:
            store, views = self._problems["store"], "waiting for the store"
        else:
            store = await _ping(self._store)
            views = self._store.projector.problem or self._building() or "ok"
        if self.broken.is_set():
            views = "stopped"
        bus = "ok"
        if self._client is None:
            bus = self._problems["bus"]
        elif not self._client.is_connected:
            bus = "reconnecting"
        ledger = "ok"
        if self._store is not None and store == "ok":
            ledger = await _alarm(self._store) or "ok"
        return {
            "store": store,
            "bus": bus,
            "views": views,
            "blobs": self._problems["blobs"],
            "ledger": ledger,
        }

    def _building(self) -> str | None:
        reached = self.reached
        return None if reached.built else f"building: {reached.position.n} of {reached.head.n}"

    async def seen(self, position: str | None, patience: float = 2.0) -> bool:
        """Whether the views have come to ``position`` within ``patience`` seconds."""
        return position is None or await self.reached.wait(Position.parse(position), patience)


async def _connected(settings: Settings) -> "Client":
    """A connection to the bus. One that is cancelled halfway would leave its socket open, so it may finish."""
    opening = asyncio.create_task(connect(settings, "gateway"))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # Without a bus it never ends by itself.
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(0.5):
                await (await opening).close()
        raise


async def _ping(store: Store) -> str:
    try:
        async with asyncio.timeout(2):
            await store.views.ping()
    except (Unavailable, TimeoutError) as problem:
        return f"does not answer ({problem})" if str(problem) else "does not answer"
    return "ok"


async def _alarm(store: Store) -> str | None:
    """What the ledger has against going on, where there is anything."""
    try:
        return await store.alarm()
    except Unavailable:
        return None


async def deps_of(request: Request) -> Deps:
    """Asynchronous, though it awaits nothing: a plain function would be run in a thread for each request."""
    found = request.app.state.deps
    if not isinstance(found, Deps):
        raise TypeError("create_app was not given its dependencies")
    return found


Here = Annotated[Deps, Depends(deps_of)]
"""The dependencies, as a parameter of a route."""
