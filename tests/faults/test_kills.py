"""Any process may be killed at any moment: the job goes on, with exact counts and nothing twice.

One tree of real processes for all of them; what is killed is started again by its supervisor. The simulated model
counts what was asked twice, which is what a kill may cost until answers are kept by their content.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.cli.draining import drain
from shared.clock import monotonic
from shared.store import Position
from tests.e2e.whole import (
    DOCUMENTS,
    MODEL,
    TEXTS,
    Whole,
    check,
    pause,
    whole_mill,
    without_postgres,
)

Until = Callable[..., Awaitable[None]]
log = logging.getLogger(__name__)
CONCURRENCY = 8


@pytest.fixture(scope="module")
async def whole() -> AsyncIterator[Whole]:
    async with whole_mill("latency_ms=150") as whole:
        yield whole


@pytest.fixture(scope="module")
async def project(whole: Whole) -> str:
    return await whole.project()


@pytest.fixture
async def job(whole: Whole, project: str, until: Until) -> str:
    """A job in its middle."""
    whole.simulator.reset(mode="grounded", latency_ms=150)
    job = await whole.generate(project, concurrency=CONCURRENCY)
    await until(lambda: whole.simulator.stats()["calls"] > 20, within=20)
    assert not (await whole.api.job(job)).ended
    return job


def kill(whole: Whole, name: str) -> int:
    pid = whole.tree.pid(name)
    os.kill(pid, signal.SIGKILL)
    return pid


async def finishes(whole: Whole, job: str, most_repeats: int) -> None:
    began = monotonic()
    ended = await whole.ended(job)
    assert ended.status == "completed", ended
    made = await check(whole, job)
    counts = made.counts
    assert counts.failed == counts.not_needed == 0
    assert counts.done == counts.seeds > 60
    assert counts.accepted > 20
    stats = whole.simulator.stats()
    log.warning(
        "%d seeds, %d calls, %d repeated, %d paid twice, ended %.1f s after the fault",
        counts.seeds, stats["calls"], stats["repeats"], stats["paid_twice"], monotonic() - began,
    )  # fmt: skip
    assert stats["repeats"] <= most_repeats


@pytest.mark.parametrize(
    ("name", "most_repeats"),
    [
        ("generate", CONCURRENCY),
        ("curate", 0),
        ("ledger", 0),
        ("nats", CONCURRENCY),
        ("postgres", 0),
        pytest.param("export", 0, marks=pytest.mark.faults),
    ],
)
async def test_a_job_survives_the_death_of(
    whole: Whole, job: str, until: Until, name: str, most_repeats: int
) -> None:
    pid = kill(whole, name)
    await until(lambda: whole.tree.pid(name) != pid)
    await finishes(whole, job, most_repeats)


@pytest.mark.parametrize(
    ("name", "seconds", "most_repeats"), [("generate", 3.0, CONCURRENCY), ("ledger", 1.5, 0)]
)
async def test_a_job_survives_that_somebody_is_stopped_for_long_and_goes_on(
    whole: Whole, job: str, until: Until, name: str, seconds: float, most_repeats: int
) -> None:
    """Longer than others wait for it: it must notice that it may have been replaced."""
    pid, began = whole.tree.pid(name), monotonic()
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: monotonic() - began > seconds)
    os.kill(pid, signal.SIGCONT)
    await finishes(whole, job, most_repeats)
    assert whole.tree.pid(name) == pid


async def test_a_rolling_restart_of_every_service_fails_nothing_and_repeats_no_call(
    whole: Whole, job: str, until: Until, capsys: pytest.CaptureFixture[str]
) -> None:
    """`gristmill drain`, one service after the other: each finishes what it holds, ends and is started anew."""
    for name in ("generate", "curate", "export", "ledger", "gateway"):
        pid = whole.tree.pid(name)
        await asyncio.to_thread(drain, name, whole.api.url, Path(), one=False)
        assert f"{name}: 1 process left" in capsys.readouterr().out
        await until(lambda name=name, pid=pid: whole.tree.pid(name) != pid)
    await finishes(whole, job, 0)
    async with whole.api._session.post("/api/v1/services/nobody/drain") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "unknown_service")


@pytest.mark.faults  # `make test` has each of them die once, in test_failpoints
@pytest.mark.parametrize("name", ["ingest", "chunk"])
async def test_documents_are_processed_though_they_died(
    whole: Whole, until: Until, name: str
) -> None:
    project = await whole.api.make_project(f"{name} dies")
    documents = await whole.api.upload(project.id, [DOCUMENTS / text for text in TEXTS])
    body = {
        "project_id": project.id,
        "document_ids": [document.id for document in documents],
        "chunk_strategy": "markdown",
    }
    job = await whole.post("/documents/process", body)
    pid = kill(whole, name)
    await until(lambda: whole.tree.pid(name) != pid)
    assert (await whole.ended(job)).status == "completed"
    found = await whole.api.documents(project.id)
    assert [document.status for document in found] == ["chunked"] * len(TEXTS)
    assert await whole.ask_database("select max(pos) - count(*) from ledger.events") == 0


Heard = tuple[Position, dict[str, Any]]
SAME = ("job_id", "job_type", "project_id", "dataset_id", "created_at", "started_at")
"""What no later answer about a running job says otherwise."""


class Listener:
    """A client of server-sent events that comes again, after the last it has, when its stream breaks."""

    def __init__(self, whole: Whole, path: str) -> None:
        self._session = whole.api._session
        self._path = f"/api/v1{path}"
        self.heard: list[Heard] = []
        self.opened = 0

    async def follow(self, last: Callable[[dict[str, Any]], bool]) -> None:
        """Until the event that ``last`` knows, or the end of the stream."""
        while not (self.heard and last(self.heard[-1][1])):
            headers = {"Last-Event-ID": str(self.heard[-1][0])} if self.heard else {}
            try:
                async with self._session.get(self._path, headers=headers) as answer:
                    if answer.status != 503:
                        assert answer.status == 200, await answer.text()
                        self.opened += 1
                        await self._read(answer, last)
            except aiohttp.ClientError:
                log.info("%s broke", self._path)
            await pause()

    async def _read(
        self, answer: aiohttp.ClientResponse, last: Callable[[dict[str, Any]], bool]
    ) -> None:
        at = ""
        async for line in answer.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                at = value
            elif name == "data":
                self.heard.append((Position.parse(at), json.loads(value)))
                if last(self.heard[-1][1]):
                    return


def counts_of(status: dict[str, Any]) -> dict[str, int]:
    """The counts of a generation that only ever grow."""
    grow = ("seeds", "done", "failed", "generated", "accepted", "rejected")
    counts = status["result"]["counts"]
    return {"progress": status["progress"]} | {name: counts[name] for name in grow}


async def bytes_of(whole: Whole, job: str) -> bytes:
    """The status of a job as it is sent; a gateway that is away is waited for."""
    await whole.api.job(job)
    async with whole.api._session.get(f"/api/v1/jobs/status/{job}") as answer:
        assert answer.status == 200
        return await answer.read()


async def test_a_jobs_status_is_the_same_answer_after_the_gateway_was_killed(
    whole: Whole, job: str, until: Until
) -> None:
    """Its live stream and the log's go on where they were: nothing is left out, nothing comes twice."""
    states = Listener(whole, f"/jobs/{job}/stream")
    events = Listener(whole, f"/events/stream?stream={job}")
    following = [
        asyncio.create_task(states.follow(lambda said: said["status"] == "completed")),
        asyncio.create_task(events.follow(lambda said: said["type"].endswith("job.completed.v1"))),
    ]
    await until(lambda: len(states.heard) > 1 and len(events.heard) > 1, within=20)
    before = json.loads(await bytes_of(whole, job))
    assert before["status"] == "running"
    pid = kill(whole, "gateway")
    await until(lambda: whole.tree.pid("gateway") != pid)
    after = json.loads(await bytes_of(whole, job))
    assert [after[name] for name in SAME] == [before[name] for name in SAME]
    assert after["updated_at"] >= before["updated_at"]
    assert all(counts_of(after)[name] >= count for name, count in counts_of(before).items())
    await finishes(whole, job, 0)

    async with asyncio.timeout(10):
        await asyncio.gather(*following)
    assert states.opened == events.opened == 2
    positions = [at for at, _ in states.heard]
    assert positions == sorted(set(positions), key=lambda at: at.n)
    everything = await whole.get("/events", stream=job, limit=1000)
    assert [said for _, said in events.heard] == everything["events"]

    ended = await bytes_of(whole, job)
    pid = kill(whole, "gateway")
    await until(lambda: whole.tree.pid("gateway") != pid)
    assert await bytes_of(whole, job) == ended


Answered = tuple[int, dict[str, Any]]


async def said(whole: Whole, path: str, key: str, **body: Any) -> Answered:
    url, headers = f"/api/v1{path}", {"Idempotency-Key": key}
    async with whole.api._session.post(url, headers=headers, **body) as answer:
        return answer.status, await answer.json()


async def uploaded(whole: Whole, project: str, key: str) -> Answered:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("project_id", project)
    text = b"Of the night. " + (DOCUMENTS / "tea.txt").read_bytes()[:1500]
    form.add_field("files", text, filename="of-the-night.txt")
    return await said(whole, "/documents/upload", key, data=form)


async def test_what_is_asked_for_while_postgres_is_away_is_done_when_it_is_back(
    whole: Whole, project: str, until: Until
) -> None:
    """A file, and a dataset made of it: both are queued on the bus under the ids that they keep."""
    whole.simulator.reset(mode="grounded", latency_ms=1)
    asked: dict[str, Any] = {
        "project_id": project,
        "model": MODEL,
        "generation_mode": "question and answer",
    }

    async def generated() -> Answered:
        return await said(whole, "/datasets/generate", "night/generate", json=asked)

    async with without_postgres(whole):
        status, stored = await uploaded(whole, project, "night/upload")
        assert (status, stored["state"]) == (202, "queued"), stored
        (document,) = stored["uploaded_files"]
        assert (document["status"], document["project_id"]) == ("queued", project)
        asked["document_ids"] = [document["id"]]
        status, begun = await generated()
        assert (status, begun["state"]) == (202, "queued"), begun
        job = begun["job_id"]
        async with whole.api._session.get(f"/api/v1/jobs/status/{job}") as answer:
            assert answer.status == 503

    answers: list[Answered] = []

    async def recorded() -> bool:
        answers.append(await generated())
        return answers[-1][0] == 200

    await until(recorded, within=30)
    assert {status for status, _ in answers} <= {200, 202, 503}
    again = answers[-1][1]
    assert (again["job_id"], again["state"]) == (job, "recorded")
    assert again["dataset_id"] == begun["dataset_id"]
    assert (await whole.ended(job)).status == "completed"
    assert (await check(whole, job)).counts.seeds > 0

    status, repeated = await uploaded(whole, project, "night/upload")
    assert (status, repeated["job_id"]) == (200, stored["job_id"])
    assert [each["id"] for each in repeated["uploaded_files"]] == [document["id"]]
    assert (await whole.ended(stored["job_id"])).status == "completed"
    jobs = (await whole.get("/jobs", project_id=project, per_page=200))["jobs"]
    assert [each["job_id"] for each in jobs].count(job) == 1
