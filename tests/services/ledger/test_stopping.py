"""No call starts two seconds after a pause or a cancellation, with 256 in flight, by the model's own account."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from contracts.entries import GenerateEntries
from contracts.generation import PlanGeneration
from contracts.job import (
    JobCancelled,
    JobCancelRequested,
    JobCompleted,
    JobPaused,
    JobPauseRequested,
    JobResumeRequested,
)
from shared.llm.model import ModelRequest
from shared.llm.registry import client_from
from shared.worker import Done, Handler, Task, Work
from tests.services.ledger.mill import Mill, generated, plan
from tests.simulator.process import Simulation, start

CALLS = 256
SOON = 2.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulation]:
    running = start()
    yield running
    running.stop()


@pytest.fixture
async def calling(mill: Mill, simulator: Simulation) -> AsyncIterator[Handler]:
    """A unit is one call, of which the simulated model keeps account."""
    settings = mill.settings("generate").model_copy(
        update={
            "openai_base_url": simulator.openai_base_url,
            "openai_api_key": SecretStr("k"),
        }
    )
    async with client_from(settings, {}) as client:

        async def generate(task: Task[GenerateEntries]) -> Done:
            seed = task.command.seeds[task.index]
            asked = ModelRequest(
                model="simulated", messages=(("user", f"Say {seed}."),), temperature=0,
                max_tokens=10, seed=0, schema=None,
            )  # fmt: skip
            await client.call("openai", asked, before_each=task.may_start)
            return generated(task)

        yield generate


@pytest.mark.faults
@pytest.mark.parametrize("kind", [JobPauseRequested, JobCancelRequested])
async def test_no_call_starts_two_seconds_after_it_was_asked_for(
    mill: Mill,
    simulator: Simulation,
    calling: Handler,
    kind: type[JobPauseRequested | JobCancelRequested],
) -> None:
    simulator.reset(latency_ms=1500)
    quick = mill.settings
    # As a mill runs; with the short times of tests a busy machine would lose its leader meanwhile.
    usual = {"ack_wait": 10.0, "beat": 1.0, "deadline": 8.0, "leadership": 3.0}
    mill.settings = lambda service: quick(service).model_copy(update=usual)
    await mill.ledger()
    mill.documents()
    for _ in range(2):
        mill.worker(
            "generate",
            Work(PlanGeneration, plan),
            Work(GenerateEntries, calling, lambda command: command.share),
        )
    mill.curation()
    job = await mill.generate_from(500, concurrency=CALLS)
    await mill.until(lambda: simulator.stats()["in_flight"] >= CALLS // 2, within=60)
    before = time.time()
    assert (await mill.ask(kind(target=job))).code is None

    if kind is JobCancelRequested:
        assert await mill.ended(job, within=60) == [JobCancelled()]
    else:

        async def rests() -> bool:
            return bool(await mill.said(JobPaused, job))

        await mill.until(rests, within=60)
    calls = simulator.calls()
    late = [each["begin"] - before for each in calls if each["begin"] > before]
    assert max(late, default=0.0) <= SOON
    assert simulator.stats()["in_flight"] == 0
    done = (await mill.state(job))["counts"]["done"]
    assert done == len(calls) < 500
    if kind is JobPauseRequested:
        simulator.control(latency_ms=0)
        await mill.ask(JobResumeRequested(target=job))
        assert await mill.ended(job, within=120) == [JobCompleted()]
        assert simulator.stats()["repeats"] == 0
