"""How long an event that was committed takes until it shows over REST, while 500 events a second are committed.

Events are appended as the ledger appends them, 20 in a transaction. A probe asks the gateway for its position, again
and again; the lag of a commit is the time until an answer covers it, so the probe's own round trip is part of it.
"""

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import aiohttp

from contracts.call import CallSettled
from contracts.identity import calls_stream
from shared.appending import Append, NewEvent, append
from shared.clock import fresh_id
from shared.store import Position, open_pool
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.standing import Door, standing

if TYPE_CHECKING:
    from shared.store import Pool

A_SECOND, BATCH = 500, 20
TARGET = 250.0


def measure(tell: Tell, seconds: int) -> list[Figure]:
    return asyncio.run(_measure(tell, seconds))


async def _measure(tell: Tell, seconds: int) -> list[Figure]:
    tell("starting servers")
    async with standing() as door:
        tell(f"{A_SECOND} events a second for {seconds} s")
        lags, made = await lags_of(door, seconds)
    lags.sort()
    worst = lags[int(len(lags) * 0.99)]
    note = f"median {median(lags):.0f} ms, most {lags[-1]:.0f} ms; {made:.0f} events/s committed"
    return [Figure("view lag, p99", "ms", (worst,), "the target", (TARGET,), "less", note)]


async def lags_of(door: Door, seconds: int) -> tuple[list[float], float]:
    """Milliseconds from commit to REST of each transaction, and events committed a second."""
    pool = await open_pool(door.database.url("ledger"))
    waiting: list[tuple[int, float]] = []
    lags: list[float] = []
    done = asyncio.Event()

    async def write() -> None:
        began = time.perf_counter()
        for n in range(seconds * A_SECOND // BATCH):
            await asyncio.sleep(max(0.0, began + n * BATCH / A_SECOND - time.perf_counter()))
            position = await commit(door, pool)
            waiting.append((position, time.perf_counter()))
        done.set()

    async def probe(http: aiohttp.ClientSession) -> None:
        url = f"{door.url}/api/v1/projects?per_page=1"
        while not done.is_set() or waiting:
            async with http.get(url) as response:
                now, said = time.perf_counter(), response.headers["Gristmill-Position"]
            while waiting and waiting[0][0] <= Position.parse(said).n:
                lags.append((now - waiting.pop(0)[1]) * 1000)
            await asyncio.sleep(0.005)

    began = time.perf_counter()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        tasks.create_task(probe(http))
    await pool.close()
    return lags, seconds * A_SECOND / (time.perf_counter() - began)


async def commit(door: Door, pool: "Pool") -> int:
    """Append some calls of the job as one transaction; the position of the last."""
    salt = fresh_id()
    stream = calls_stream(door.job)
    events = tuple(
        NewEvent(id=uuid5(salt, str(n)), event=_call(uuid5(salt, f"call {n}")), job_id=door.job)
        for n in range(BATCH)
    )
    made = Append(stream=stream, kind="calls", tenant="default", events=events)
    async with pool.acquire() as connection, connection.transaction():
        recorded = await append(connection, [made])
    return Position.parse(recorded[-1].position).n


def _call(id: UUID) -> CallSettled:
    return CallSettled(
        call_id=id, unit_id=id, attempt=1, number=0, model="builtin/extractive", outcome="ok",
        latency_ms=5, prompt_tokens=10, completion_tokens=4, cached_tokens=0, cost=3,
    )  # fmt: skip
