"""What 1,000 listeners to one job cost it: events of the job committed a second, flat out, with them and without.

The job is simulated: its events are appended as the ledger appends them, as fast as Postgres takes them, on a machine
that the gateway, its listeners and Postgres share. The listeners' own reading is part of what they cost here.
"""

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp

from shared.store import open_pool
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.standing import Door, standing
from tests.performance.view_lag import BATCH, commit


def measure(tell: Tell, seconds: int, times: int, listeners: int = 1000) -> list[Figure]:
    return asyncio.run(_measure(tell, seconds, times, listeners))


async def _measure(tell: Tell, seconds: int, times: int, listeners: int) -> list[Figure]:
    tell("starting servers")
    alone, heard, states = [], [], 0
    async with standing() as door:
        await _speed(door, 1)
        for n in range(times):
            tell(
                f"{seconds} s without and {seconds} s with {listeners} listeners, {n + 1} of {times}"
            )
            alone.append(await _speed(door, seconds))
            async with AsyncExitStack() as open_things:
                ears = [await _listener(door, open_things) for _ in range(listeners)]
                heard.append(await _speed(door, seconds))
                for ear in ears:
                    ear.cancel()
                states += sum(await asyncio.gather(*ears, return_exceptions=False))
    note = f"{states / listeners / times / seconds:.1f} states a second to each of {listeners} listeners"
    return [
        Figure(
            "events of a job with listeners",
            "1/s",
            tuple(heard),
            "without",
            tuple(alone),
            "more",
            note,
        )
    ]


async def _listener(door: Door, open_things: AsyncExitStack) -> "asyncio.Task[int]":
    """One who listens; its result is how many states it was sent."""
    connector = aiohttp.TCPConnector(limit=1)
    http = await open_things.enter_async_context(aiohttp.ClientSession(connector=connector))
    response = await http.get(f"{door.url}/api/v1/jobs/{door.job}/stream")

    async def listen() -> int:
        states = 0
        try:
            async for line in response.content:
                states += line.startswith(b"data: ")
        except asyncio.CancelledError:
            response.close()
        return states

    return asyncio.create_task(listen())


async def _speed(door: Door, seconds: int) -> float:
    """Events committed a second."""
    pool = await open_pool(door.database.url("ledger"))
    began, commits = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        await commit(door, pool)
        commits += 1
    await pool.close()
    return commits * BATCH / (time.perf_counter() - began)
