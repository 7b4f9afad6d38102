"""The journal between a real worker and a real ledger: an answer that was paid for is found again, by its tenant."""

import asyncio
import json

import pytest

from contracts.call import CallSettled, KeptAnswer
from contracts.entries import GenerateEntries
from contracts.identity import answered_id, body_id, call_id
from contracts.job import JobCompleted
from contracts.unit import Body
from shared.errors import Unavailable
from shared.journal import Journal
from shared.saying import Saying
from shared.task import Done, Task
from tests.services.ledger.mill import Mill, generated

KEY, OTHER = "a" * 64, "b" * 64


def call(task: Task[GenerateEntries], *answers: str) -> Body:
    """The exchanges of a unit so far, as they are kept."""
    exchanges = [{"feedback": None, "response": a, "finish_reason": "stop"} for a in answers]
    text = json.dumps({"system": "0" * 64, "user": "Passage", "exchanges": exchanges})
    id = body_id(answered_id(task.outcome, len(task.calls)), "call")
    return Body(body_id=id, kind="call", text=text, documents=(task.command.job_id,))


def pay(task: Task[GenerateEntries]) -> None:
    number = len(task.calls)
    task.calls.append(
        CallSettled(
            call_id=call_id(task.unit, task.attempt, task.incarnation, number),
            unit_id=task.unit, attempt=task.attempt, number=number, model="openai/m", outcome="ok",
            latency_ms=1, prompt_tokens=1, completion_tokens=1, cached_tokens=0,
        )
    )  # fmt: skip


async def test_an_answer_that_led_to_no_outcome_is_found_by_the_next_attempt_and_paid_once(
    mill: Mill,
) -> None:
    await mill.ledger()
    mill.documents()
    found: list[str] = []

    async def generate(task: Task[GenerateEntries]) -> Done:
        if task.attempt == 1:
            pay(task)
            kept = KeptAnswer(key=KEY, body=call(task, "x").body_id, exchange=0)
            await task.journal.keep(task, (kept,), (call(task, "no JSON"),))
            await task.journal.keep(task, (kept,), (call(task, "no JSON"),))  # said once more
            await asyncio.Event().wait()
        before = await task.journal.find(task.tenant, KEY)
        found.append(before.response if before else "nothing")
        assert await task.journal.find(task.tenant, OTHER) is None
        assert await task.journal.find("somebody-else", KEY) is None
        return generated(task)

    mill.generation(generate=generate)
    job = await mill.generate_from(1)

    async def first_is_paid() -> bool:
        return len(await mill.said(CallSettled, job)) == 1

    await mill.until(first_is_paid)
    stopped, mill.workers = mill.workers, []
    mill.generation(generate=generate)
    for _, running in stopped:
        running.cancel()  # as a kill would: nothing more is said
    await asyncio.gather(*(running for _, running in stopped), return_exceptions=True)
    mill.documents()
    assert await mill.ended(job) == [JobCompleted()]
    assert found == ["no JSON"]
    assert len(await mill.said(CallSettled, job)) == 1
    assert await mill.pool.fetchval("select count(*) from ledger.journal") == 1


async def test_answers_said_with_an_outcome_are_found_too(
    mill: Mill,
) -> None:
    await mill.ledger()
    mill.documents()
    bodies: list[Body] = []

    async def generate(task: Task[GenerateEntries]) -> Done:
        bodies.append(call(task, "first", "second"))
        answers = (
            KeptAnswer(key=KEY, body=bodies[0].body_id, exchange=0),
            KeptAnswer(key=OTHER, body=bodies[0].body_id, exchange=1),
        )
        return Done(generated(task).events, tuple(bodies), answers)

    mill.generation(generate=generate)
    assert await mill.ended(await mill.generate_from(1)) == [JobCompleted()]

    journal = asking(mill)
    answers = await asyncio.gather(
        *(journal.find("default", key) for key in (KEY, OTHER, KEY, "c" * 64))
    )
    said = [each.response if each else None for each in answers]
    assert said == ["first", "second", "first", None]


async def test_where_no_ledger_answers_nobody_takes_it_for_a_no(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.journal.WAIT", 0.2)
    with pytest.raises(Unavailable, match="did not say"):
        await asking(mill).find("default", KEY)


def asking(mill: Mill) -> Journal:
    return Journal("generate", mill.client, mill.blobs, Saying("generate", mill.client, mill.blobs))
