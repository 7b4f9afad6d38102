"""Requests a second at the front door, beside a bare FastAPI application that reads or writes one row of Postgres.

Both are asked by the same client at the same concurrency, in turns, each in a process of its own over one Postgres.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import aiohttp

from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.standing import (
    CLIENTS,
    Door,
    answers,
    bare_command,
    free_port,
    serving,
    standing,
)
from tests.performance.waiting import until

Send = Callable[[aiohttp.ClientSession], Awaitable[int]]


def measure(tell: Tell, requests: int, times: int) -> list[Figure]:
    return asyncio.run(_measure(tell, requests, times))


async def _measure(tell: Tell, requests: int, times: int) -> list[Figure]:
    tell("starting servers")
    async with standing() as door:
        port = free_port()
        command = bare_command("tests.performance.bare_front", door.database.admin_url, str(port))
        async with serving("bare", command, dict(os.environ), door.stack):
            bare = f"http://127.0.0.1:{port}"
            await until(lambda: answers(f"{bare}/row/{door.job}"))
            runs = []
            for n in range(times):
                tell(f"{requests} requests of each kind, {n + 1} of {times}")
                runs.append(await _run(door, bare, requests))
    read, bare_read, write, bare_write = zip(*runs, strict=True)
    note = f"{CLIENTS} at once, one process each"
    return [
        Figure("GET /jobs/status/{id}", "1/s", read, "bare FastAPI, reads one row", bare_read, "more", note),
        Figure(
            "POST /datasets/generate", "1/s", write, "bare FastAPI, writes one row", bare_write, "more",
            f"{note}; recorded by the ledger and visible in the views",
        ),
    ]  # fmt: skip


async def _run(door: Door, bare: str, requests: int) -> tuple[float, float, float, float]:
    status = f"{door.url}/api/v1/jobs/status/{door.job}"
    body = {"project_id": door.project, "entries": 5}

    def get(url: str) -> Send:
        async def send(http: aiohttp.ClientSession) -> int:
            async with http.get(url) as response:
                await response.read()
                return response.status

        return send

    def post(url: str) -> Send:
        async def send(http: aiohttp.ClientSession) -> int:
            async with http.post(url, json=body) as response:
                await response.read()
                return response.status

        return send

    generate = f"{door.url}/api/v1/datasets/generate"
    return (
        await rate(get(status), requests),
        await rate(get(f"{bare}/row/{door.job}"), requests),
        await rate(post(generate), requests // 4),
        await rate(post(f"{bare}/row"), requests // 4),
    )


async def rate(send: Send, requests: int) -> float:
    """Requests answered with 200 in a second, ``CLIENTS`` at once."""
    left = iter(range(requests))

    async def client(http: aiohttp.ClientSession) -> None:
        for _ in left:
            status = await send(http)
            if status != 200:
                raise ValueError(f"answered {status}")

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(send(http) for _ in range(CLIENTS)))
        began = time.perf_counter()
        await asyncio.gather(*(client(http) for _ in range(CLIENTS)))
        return requests / (time.perf_counter() - began)
