"""Any process may be killed at any moment: the job goes on, with exact counts and nothing twice.

One tree of real processes for all of them; what is killed is started again by its supervisor. The simulated model
counts what was asked twice, which is what a kill may cost until answers are kept by their content.
"""

import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.clock import monotonic
from tests.e2e.whole import DOCUMENTS, TEXTS, Whole, check, whole_mill

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
        ("gateway", 0),
        ("export", 0),
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
