"""The log for other systems: nothing skipped, nothing twice, whatever is filtered and wherever a reader goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from contracts.identity import document_id
from contracts.job import JobCompleted
from services.gateway.views import log_reads
from shared.clock import fresh_id
from shared.store import Position
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import Story

LIMIT = 1 << 18
"""Bytes that a listener of a test takes before it stops reading."""


async def add(gateway: Gateway, ledger: FakeLedger, seeds: int = 4) -> tuple[str, str]:
    """A job and where it ends in the log."""
    story = Story(project=fresh_id())
    story.good = document_id(story.project, "a" * 64)
    job = story.ask(str(fresh_id()))
    story.plan(job, seeds)
    story.grind(job, range(seeds))
    position = await ledger.append(story.lines, salt=str(fresh_id()))
    await gateway.seen(position)
    return str(job), position


async def read(gateway: Gateway, query: str = "", limit: int = 3) -> list[Any]:
    """The log, page by page."""
    found: list[Any] = []
    at = ""
    while True:
        page = await gateway.get(f"/events?limit={limit}{at}{query}")
        found += page["events"]
        if page["next"] == page["head"]:
            return found
        at = f"&after={page['next']}"


async def test_pages_hold_every_event_once_in_order(gateway: Gateway, ledger: FakeLedger) -> None:
    await add(gateway, ledger)
    found = await read(gateway)
    places = [Position.parse(each["position"]).n for each in found]
    assert places == list(range(1, len(found) + 1))
    assert await read(gateway, limit=1000) == found
    first = found[-1]
    assert (first["specversion"], first["source"]) == ("1.0", "ledger")
    assert {"id", "type", "subject", "time", "data", "jobid", "tenant"} <= set(first)


async def test_a_filter_moves_on_where_nothing_matches(
    gateway: Gateway, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "WINDOW", 4)
    job, _ = await add(gateway, ledger)
    everything = await read(gateway)
    types = ("gramps", "gristmill.job.started.v1", "gristmill.entries.generated.v1")
    said = await gateway.get(f"/events?type={types[0]}", 400)
    assert (said["code"], said["field"]) == ("unknown_event_type", "type")
    some = await read(gateway, f"&type={types[1]},{types[2]}")
    assert some == [each for each in everything if each["type"] in types]
    own = await read(gateway, f"&stream={job}")
    assert own == [each for each in everything if each["subject"] == job]
    assert len(own) == 7


async def test_positions_that_are_none_or_of_no_use_are_refused(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    _, position = await add(gateway, ledger)
    for after, status, code in (
        ("x", 400, "invalid_position"),
        ("1.", 400, "invalid_position"),
        ("1.99999999", 400, "invalid_position"),
        ("2.1", 400, "invalid_position"),
        ("0.1", 409, "position_outdated"),
    ):
        assert (await gateway.get(f"/events?after={after}", status))["code"] == code
    page = await gateway.get(f"/events?after={position}")
    assert (page["events"], page["next"]) == ([], page["head"])
    assert (await gateway.get("/events?limit=1001", 400))["field"] == "limit"


async def test_a_stream_goes_on_where_its_listener_was(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    await add(gateway, ledger)
    everything = await read(gateway)
    heard: list[tuple[str, Any]] = []
    async with aclosing(gateway.listen("/events/stream")) as stream:
        while len(heard) < 5:
            heard.append(await anext(stream))
    async with aclosing(gateway.listen("/events/stream?after=1.1", heard[-1][0])) as stream:
        while len(heard) < len(everything):
            heard.append(await anext(stream))
        story = Story()
        job = fresh_id()
        story.say(job, "processing", JobCompleted(), job=job)
        await ledger.append(story.lines, salt=str(fresh_id()))
        heard.append(await anext(stream))
    assert [data for _, data in heard[:-1]] == everything
    assert heard[-1][1]["subject"] == str(job)
    assert [id for id, _ in heard] == [data["position"] for _, data in heard]


async def test_a_listener_that_does_not_read_keeps_nobody_waiting_and_catches_up(
    gateway: Gateway, ledger: FakeLedger, until: Callable[..., Awaitable[None]]
) -> None:
    """It is sent what its connection holds, a few megabytes at most, and the rest from the log when it reads on."""
    _, start = await add(gateway, ledger)
    url = gateway.http._base_url
    assert url is not None
    assert url.host is not None
    path = f"/events/stream?after={start}"
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=LIMIT)
    writer.write(f"GET /api/v1{path} HTTP/1.1\r\nHost: {url.host}\r\n\r\n".encode())
    heard: list[tuple[str, Any]] = []
    async with aclosing(gateway.listen(path)) as other:
        for events in (
            160,
            5,
        ):  # 8 MB, of which the connection holds a part; and what comes while it is full
            story = Story(project=fresh_id())
            for n in range(events):
                story.ask(f"{fresh_id()}/{n}", custom_prompt="ä" * 25_000)
            end = await ledger.append(story.lines, salt=str(fresh_id()))
            heard += [await anext(other) for _ in story.lines]
            await gateway.seen(end)
            assert heard[-1][0] == end
            await until(lambda: len(vars(reader)["_buffer"]) > LIMIT)

    places: list[str] = []
    async with asyncio.timeout(20):
        while end not in places:
            line = await reader.readline()
            if line.startswith(b"id: "):
                places.append(line[4:].decode().strip())
    assert places == [at for at, _ in heard]
    writer.close()


async def test_a_filtered_stream_says_how_far_it_has_come(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    _, position = await add(gateway, ledger)
    path = f"/events/stream?after={position}&type=gristmill.job.failed.v1"
    async with aclosing(gateway.listen(path)) as stream:
        _, later = await add(gateway, ledger)
        assert await anext(stream) == (later, None)


async def test_answers_say_the_position_and_reads_wait_for_one(
    gateway: Gateway, ledger: FakeLedger, rivers: str
) -> None:
    async with gateway.http.post("/api/v1/projects", json={"name": str(fresh_id())}) as made:
        position = Position.parse(made.headers["Gristmill-Position"])
    ahead = f"{position.era}.{position.n + 5}"
    asked = asyncio.create_task(gateway.get(f"/projects?min_position={ahead}"))
    await add(gateway, ledger)
    await asked
    for path, headers in (
        (f"/projects?min_position={position.era}.999999", {}),
        ("/projects", {"Gristmill-Min-Position": "1.999999"}),
    ):
        async with gateway.http.get(f"/api/v1{path}", headers=headers) as behind:
            said = await behind.json()
            assert (behind.status, said["code"]) == (503, "view_behind")
            assert int(behind.headers["Retry-After"]) == 1
            assert behind.headers["Gristmill-Position"]
    assert (await gateway.get("/projects?min_position=soon", 400))["code"] == "invalid_position"
