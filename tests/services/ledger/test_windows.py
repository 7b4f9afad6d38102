"""How much is in flight: per job, per house, and fairly between jobs."""

import asyncio

import pytest

from contracts.entries import EntriesGenerated, GenerateEntries
from contracts.job import JobCancelled, JobCancelling, JobCancelRequested, JobCompleted
from contracts.message import wire_type
from contracts.unit import UnitFailed
from services.ledger import app
from services.ledger.processes.generation import PACK
from services.ledger.rows import House
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated


class Watched:
    """Generates, and looks each time at how many units are in flight."""

    def __init__(self, mill: Mill) -> None:
        self.mill = mill
        self.most = 0
        self.calls = 0
        self.most_calls = 0

    async def __call__(self, task: Task[GenerateEntries]) -> Done:
        task.may_start()
        self.calls += 1
        self.most_calls = max(self.most_calls, self.calls)
        in_flight = await self.mill.pool.fetchval(
            """
            select count(*) from ledger.work join ledger.commands using (command_id)
            where outcome is null and type = $1
            """,
            wire_type(GenerateEntries),
        )
        self.most = max(self.most, in_flight)
        self.calls -= 1
        return generated(task)


@pytest.mark.parametrize("concurrency", [1, 6])
async def test_no_more_units_are_dispatched_than_calls_are_allowed_and_a_pack_for_each_worker(
    mill: Mill, concurrency: int
) -> None:
    await mill.ledger()
    mill.documents()
    watched = Watched(mill)
    mill.generation(generate=watched)
    job = await mill.generate_from(60, concurrency=concurrency)
    assert await mill.ended(job) == [JobCompleted()]
    assert watched.most <= concurrency + PACK
    assert watched.most_calls <= concurrency


async def test_the_window_of_the_house_holds_for_all_jobs_together(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "House", lambda **given: House(**given, windows=12, tenant_window=12))
    await mill.ledger()
    mill.documents()
    watched = Watched(mill)
    mill.generation(generate=watched)
    jobs = [await mill.generate_from(30, concurrency=10) for _ in range(3)]
    assert await mill.ended(*jobs) == [JobCompleted()] * 3
    assert watched.most <= 12


async def test_a_small_job_does_not_wait_for_a_large_one(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large one alone would fill the windows."""
    monkeypatch.setattr(app, "House", lambda **given: House(**given, windows=16, tenant_window=16))
    await mill.ledger()
    mill.documents()
    mill.generation()
    large = await mill.generate_from(400, concurrency=64)

    async def is_under_way() -> bool:
        return len(await mill.said(EntriesGenerated, large)) >= 16

    await mill.until(is_under_way)
    small = await mill.generate_from(8, concurrency=64)
    assert await mill.ended(small) == [JobCompleted()]
    log = await mill.log()
    end = next(n for n, each in enumerate(log) if each.event == JobCompleted())
    begin = min(n for n, each in enumerate(log) if each.job_id == small)
    between = [e for e in log[begin:end] if isinstance(e.event, EntriesGenerated)]
    assert sum(each.job_id == large for each in between) < 200
    assert await mill.ended(large) == [JobCompleted()]


async def test_a_job_that_is_cancelled_shows_it_at_once_and_keeps_what_it_has(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    held: list[Task[GenerateEntries]] = []
    go_on = asyncio.Event()

    async def slow(task: Task[GenerateEntries]) -> Done:
        task.may_start()
        held.append(task)
        if len(held) > 10:
            await go_on.wait()
        return generated(task)

    mill.generation(generate=slow)
    job = await mill.generate_from(100, concurrency=4)
    await mill.until(lambda: len(held) == 14)
    assert (await mill.ask(JobCancelRequested(target=job))).code is None
    assert await mill.said(JobCancelling, job) == [JobCancelling()]
    go_on.set()
    assert await mill.ended(job) == [JobCancelled()]
    assert len(held) == 14
    counts = (await mill.state(job))["counts"]
    assert counts["seeds"] == 100 == counts["done"] + counts["not_needed"]
    assert (counts["done"], counts["in_flight"], counts["failed"]) == (14, 0, 0)
    assert (counts["generated"], counts["accepted"], counts["awaiting"]) == (14, 14, 0)
    assert {each.code for each in await mill.said(UnitFailed, job)} == {"cancelled"}
    again = await mill.ask(JobCancelRequested(target=job))
    assert (again.code, again.status) == ("job_not_found", 404)


async def test_no_more_is_generated_than_is_wanted_and_likely_to_be_needed(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    job = await mill.generate_from(200, entries=10, concurrency=64)
    assert await mill.ended(job) == [JobCompleted()]
    counts = (await mill.state(job))["counts"]
    assert counts["accepted"] == 10
    assert counts["done"] <= 20
    assert counts["surplus"] == counts["generated"] - 10


async def test_each_seed_is_asked_once(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    job = await mill.generate_from(50, concurrency=7)
    await mill.ended(job)
    packs = [
        GenerateEntries.model_validate_json(each.body)
        for each in mill.envelopes("gristmill.commands.generate")
        if each.type == wire_type(GenerateEntries)
    ]
    assert sorted(seed for pack in packs for seed in pack.seeds) == list(range(50))
    assert max(len(pack.seeds) for pack in packs) <= PACK
