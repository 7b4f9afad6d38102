"""A store that is stopped in the midst of everything ends no connection: whoever asks is told all the same, soon."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import psutil
import pytest

from services.gateway.deps import Deps
from services.gateway.showing import BASE
from shared.bus import connect
from shared.settings import Settings
from shared.stack import Database, Nats, Running
from shared.topology import declare
from tests.conftest import IN_CONTAINERS
from tests.services.gateway.listening import listening

PROJECT = str(UUID(int=5))
BOUND = 15.0
"""Seconds within which everybody is told, on a machine that others keep busy; without the pulse it was 20 to 30."""
ELSEWHERE = re.compile(
    r"/(?:health|dead-letters.*|jobs/\{id\}/(?:poll|stream)|jobs/status/\{id\}/(?:poll|stream)|events/stream)$"
)
"""What needs no store, or is asked of the store before it becomes a stream, as its neighbours are."""


@asynccontextmanager
async def frozen(stack: Running) -> AsyncIterator[None]:
    main = psutil.Process(stack.pid("postgres"))
    pids = [each.pid for each in (main, *main.children(recursive=True))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def reads(deps: Deps) -> list[str]:
    """Every path that is only read, with something in its place for each name in it."""
    from services.gateway.app import create_app

    paths = [
        path.removeprefix(BASE)
        for path, operations in create_app(deps).openapi()["paths"].items()
        if "get" in operations and path.startswith(BASE) and not ELSEWHERE.search(path)
    ]
    return [re.sub(r"\{[^}]*\}", PROJECT, path) for path in paths]


@pytest.mark.skipif(IN_CONTAINERS, reason="a container's processes cannot be stopped from here")
async def test_while_the_store_is_frozen_reads_say_so_and_jobs_are_queued(
    stack: Running,
    database: Database,
    fresh_nats: Nats,
    make_settings: Callable[..., Settings],
) -> None:
    of_ledger = make_settings("ledger", nats=fresh_nats)
    ledger = await connect(of_ledger, "ledger")
    await declare(ledger, of_ledger)
    settings = make_settings("gateway", nats=fresh_nats, database=database)
    deps = Deps(settings)
    async with listening(deps) as gateway:
        await gateway.healthy()
        async with frozen(stack):
            async with asyncio.timeout(BOUND):
                # The first who ask, when nobody knows it yet.
                first = await asyncio.gather(
                    *(gateway.get(f"/jobs/status/{PROJECT}", 503) for _ in range(20))
                )
                assert {each["code"] for each in first} == {"store_unavailable"}
            async with asyncio.timeout(BOUND):
                asked = {"project_id": PROJECT, "entries": 5, "document_ids": [PROJECT]}
                said = await gateway.post("/datasets/generate", asked, 202)
                assert said["state"] == "queued"
            async with asyncio.timeout(BOUND):
                wrong = []
                for path in reads(deps):
                    async with gateway.http.get(f"{BASE}{path}") as answer:
                        if answer.status == 503 and "Retry-After" in answer.headers:
                            continue
                        said = await answer.text()
                        if '"not_available"' not in said:
                            wrong.append((path, answer.status, said[:200]))
            async with gateway.http.get(f"{BASE}/events/stream") as answer:
                assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        # What needs a parameter, or says only what the gateway itself knows.
        assert [each for each in wrong if each[1] not in (200, 400, 404)] == []
        assert len(wrong) < 6, wrong
        await gateway.healthy()
    await ledger.close()
