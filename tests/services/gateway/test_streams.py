"""Jobs as they change: one look for all who listen, nothing missed, an end when the job has one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest

from contracts.document import DocumentAdded
from contracts.identity import document_id
from contracts.job import JobCancelled, JobCancelling, JobCompleted, JobFailed, JobRestarted
from services.gateway import following
from services.gateway.deps import Deps
from services.gateway.following import Broadcasts, Look
from services.gateway.views.projector import Reached
from shared.clock import fresh_id
from shared.settings import Settings
from shared.store import Position
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway, listening
from tests.services.gateway.story import Story, blob, call

Until = Callable[..., Awaitable[None]]
UNKNOWN = "00000000-0000-0000-0000-000000000009"


class Told:
    """A generation job of a test's own, told bit by bit."""

    def __init__(self, gateway: Gateway, ledger: FakeLedger) -> None:
        self.gateway, self.ledger, self.story = gateway, ledger, Story(project=fresh_id())
        self.story.good = document_id(self.story.project, "a" * 64)
        self.job = self.story.ask(str(fresh_id()), batch_size=2, entries=None)

    async def so_far(self) -> str:
        """Record what was told since the last time; the views have it then."""
        position = await self.ledger.append(self.story.lines, salt=str(fresh_id()))
        self.story.lines.clear()
        await self.gateway.seen(position)
        return position


@pytest.fixture
async def told(gateway: Gateway, ledger: FakeLedger) -> Told:
    """A job of four seeds in two batches, of which none is done."""
    told = Told(gateway, ledger)
    told.story.plan(told.job)
    await told.so_far()
    return told


async def test_a_stream_says_the_state_each_change_and_the_end(
    gateway: Gateway, told: Told
) -> None:
    async with aclosing(gateway.listen(f"/jobs/{told.job}/stream/")) as stream:
        id, first = await anext(stream)
        assert (first["job_id"], first["status"]) == (str(told.job), "running")
        assert (first["progress"], first["current_step"]) == (0, "Processing batch 1/2 (2 chunks)")
        assert first["timestamp"]
        told.story.grind(told.job, [0, 1])
        position = await told.so_far()
        id, second = await anext(stream)
        assert Position.parse(id).n >= Position.parse(position).n
        assert second["current_step"] == "Processing batch 2/2 (2 chunks)"
        told.story.say(told.job, "generation", JobCompleted(), job=told.job)
        await told.so_far()
        assert [each["status"] async for _, each in stream] == ["completed"]


async def test_a_job_that_has_ended_is_said_once_and_the_stream_ends(
    gateway: Gateway, told: Told
) -> None:
    told.story.say(told.job, "generation", JobCancelling(), JobCancelled(), job=told.job)
    last = await told.so_far()
    for path in (f"/jobs/{told.job}/stream", f"/jobs/status/{told.job}/stream"):
        assert [each["status"] async for _, each in gateway.listen(path, last)] == ["cancelled"]


async def test_a_listener_that_comes_back_is_sent_what_it_does_not_have(
    gateway: Gateway, told: Told
) -> None:
    path = f"/jobs/{told.job}/stream"
    async with aclosing(gateway.listen(path)) as other:
        id, _ = await anext(other)
        async with aclosing(gateway.listen(path, id)) as again:
            told.story.grind(told.job, [0])
            await told.so_far()
            _, state = await anext(again)
            assert state["result"]["counts"]["done"] == 1
            assert gateway.deps.broadcasts.listeners == 2


async def test_a_job_that_goes_on_is_as_if_it_had_not_ended(gateway: Gateway, told: Told) -> None:
    told.story.grind(told.job, [0, 1], fails=[1])
    failed = JobFailed(code="auth", message="no")
    told.story.say(told.job, "generation", failed, job=told.job)
    await told.so_far()
    before = await gateway.get(f"/jobs/status/{told.job}")
    assert (before["status"], before["result"]["counts"]["failed"]) == ("failed", 1)
    again = JobRestarted(restart=1, failed=1, planned=True)
    told.story.say(told.job, "generation", again, job=told.job)
    await told.so_far()
    after = await gateway.get(f"/jobs/status/{told.job}")
    assert (after["status"], after["error"], after["completed_at"]) == ("running", None, None)
    counts = after["result"]["counts"]
    assert (counts["done"], counts["failed"], counts["in_flight"]) == (1, 0, 3)
    dataset = await gateway.get(f"/datasets/{after['dataset_id']}")
    assert dataset["failed_by_code"] == {}
    said = await gateway.post(f"/jobs/restart/{UNKNOWN}", None, 404)
    assert said["detail"] == f"Job {UNKNOWN} not found or cannot be restarted"


async def test_streams_of_nothing_are_refused(gateway: Gateway, told: Told) -> None:
    assert (await gateway.get(f"/jobs/{UNKNOWN}/stream", 404))["code"] == "job_not_found"
    assert (await gateway.get(f"/jobs/status/{UNKNOWN}/poll", 404))["code"] == "job_not_found"
    headers = {"Last-Event-ID": "yesterday"}
    url = f"/api/v1/jobs/{told.job}/stream"
    async with gateway.http.get(url, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_position")


async def test_a_poll_answers_when_the_status_is_another(gateway: Gateway, told: Told) -> None:
    path = f"/jobs/status/{told.job}/poll"
    assert (await gateway.get(f"{path}?current_status=pending"))["status"] == "running"
    waiting = asyncio.create_task(gateway.get(f"/jobs/{told.job}/poll?current_status=running"))
    told.story.grind(told.job, [0])
    await told.so_far()
    assert not waiting.done()
    told.story.say(told.job, "generation", JobCompleted(), job=told.job)
    await told.so_far()
    assert (await waiting)["status"] == "completed"
    assert (await gateway.get(f"{path}?current_status=completed"))["status"] == "completed"
    assert (await gateway.get(f"{path}?timeout=301", 400))["field"] == "timeout"


async def test_a_poll_ends_with_its_time(gateway: Gateway, told: Told) -> None:
    assert (await gateway.get(f"/jobs/{told.job}/poll?timeout=1"))["status"] == "running"
    assert gateway.deps.broadcasts.listeners == 0


async def test_a_gateway_that_stops_ends_its_streams(
    gateway_settings: Settings, gateway: Gateway, told: Told
) -> None:
    async def until_its_end(stream: AsyncIterator[tuple[str, Any]]) -> int:
        return len([each async for each in stream])

    async with listening(Deps(gateway_settings)) as second:
        await second.healthy()
        paths = (f"/jobs/{told.job}/stream", "/events/stream")
        streams = [second.listen(path) for path in paths]
        for stream in streams:
            await anext(stream)
        rest = [asyncio.create_task(until_its_end(stream)) for stream in streams]
        second.deps.broadcasts.close()
        async with asyncio.timeout(5):
            await asyncio.gather(*rest)
        said = await second.get(f"/jobs/{told.job}/stream", 503)
        assert said["code"] == "too_many_listeners"


async def test_a_thousand_listeners_cost_one_look_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "PAUSE_EACH", 0.0)
    looks, reached, done = 0, Reached(), 0

    async def look(_job: UUID) -> Look:
        nonlocal looks
        looks += 1
        state = str(done).encode()
        return Look(status="running", ended=done == 3, state=state, shown=state)

    broadcasts = Broadcasts(look, reached)

    async def hear() -> list[bytes]:
        async with broadcasts.of(UUID(int=1)) as channel:
            return [block async for block in following.states(channel, None)]

    heard = [asyncio.create_task(hear()) for _ in range(1000)]
    for n in range(1, 4):
        await asyncio.sleep(0)
        done = n
        reached.move(Position(1, n))
    everything = await asyncio.gather(*heard)
    assert looks <= 4
    assert {each[-1].split(b"data: ")[1] for each in everything} == {b"3\n\n"}
    assert broadcasts.listeners == 0


async def test_an_upload_and_its_documents_are_one_answer(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    """A job without a dataset, read by the same one query."""
    project, upload = fresh_id(), fresh_id()
    added = DocumentAdded(
        document_id=fresh_id(), project_id=project, name="a.txt", blob=blob("document", "x"),
        upload_id=str(upload),
    )  # fmt: skip
    story = Story(project=project)
    story.say(added.document_id, "document", added, job=added.document_id)
    await gateway.seen(await ledger.append(story.lines, salt=str(fresh_id())))
    status = await gateway.get(f"/jobs/status/{upload}")
    assert [each["file_name"] for each in status["result"]["documents"]] == ["a.txt"]


async def test_the_queue_is_counted(gateway: Gateway, told: Told) -> None:
    before = await gateway.get("/jobs/queue/stats")
    assert before["queue_type"] == "jetstream"
    assert before["running_jobs"] >= 1
    assert before["memory_usage_mb"] > 1
    told.story.say(told.job, "generation", JobCompleted(), job=told.job)
    await told.so_far()
    after = await gateway.get("/jobs/queue/stats")
    assert after["running_jobs"] == before["running_jobs"] - 1
    assert after["completed_jobs"] == before["completed_jobs"] + 1
    assert after["total_jobs"] == before["total_jobs"]


async def test_the_overview_counts_what_the_log_holds(gateway: Gateway, told: Told) -> None:
    before = await gateway.get("/jobs/overview")
    told.story.say(told.job, "generation", call(told.job, ok=True), job=told.job)
    await told.so_far()
    after = await gateway.get("/jobs/overview")
    assert after["rates"]["calls_per_minute"] == before["rates"]["calls_per_minute"] + 1
    assert after["lags"]["views_positions"] == 0
    assert after["lags"]["position"] != before["lags"]["position"]
    assert after["disk"]["total_bytes"] > after["disk"]["free_bytes"] > 0
    assert after["disk"]["database_bytes"] > 1_000_000
    assert after["jobs"] | {"cpu_usage_percent": 0, "memory_usage_mb": 0} == before["jobs"] | {
        "cpu_usage_percent": 0,
        "memory_usage_mb": 0,
    }
