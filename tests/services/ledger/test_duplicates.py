"""What comes twice has one effect: within the bus's window of known ids, after it, and after a restart of the bus."""

import os
import signal
from collections.abc import Sequence

import nats.errors
import orjson
from nats.aio.msg import Msg

from contracts.entries import EntriesGenerated, GenerateEntries
from contracts.job import JobCompleted
from shared.stack import Nats
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated


async def say_again(mill: Mill, messages: Sequence[Msg], *, known: bool) -> None:
    """Publish messages once more; not ``known``: the bus has forgotten their ids."""
    for message in messages:
        headers = dict(message.headers or {})
        if not known:
            headers.pop("Nats-Msg-Id", None)
        await mill.client.jetstream().publish(message.subject, message.data, headers=headers)


async def restart(mill: Mill, server: Nats) -> None:
    before = server.starts
    os.kill(server.pid, signal.SIGKILL)
    await mill.until(lambda: server.starts > before and mill.client.is_connected)
    await mill.until(lambda: settled(mill))


async def settled(mill: Mill) -> bool:
    """The queues are there and empty."""
    try:
        return not any([await mill.in_stream(each) for each in ("REQUESTS", "INBOX", "COMMANDS")])
    except (nats.errors.Error, TimeoutError):
        return False


async def test_requests_and_outcomes_that_are_said_again_change_nothing(
    own_bus: Mill, fresh_nats: Nats
) -> None:
    mill = own_bus
    await mill.ledger()
    mill.documents()
    mill.generation()
    assert await mill.ended(await mill.generate_from(5)) == [JobCompleted()]
    said = [m for m in mill.heard if m.subject.startswith(("gristmill.req", "gristmill.res"))]
    before = await mill.log()
    assert len(said) > 10
    for known in (True, False):
        await say_again(mill, said, known=known)
        await mill.until(lambda: settled(mill))
        assert await mill.log() == before
    await mill.stop_workers()
    await restart(mill, fresh_nats)
    await say_again(mill, said, known=True)
    await mill.until(lambda: settled(mill))
    assert await mill.log() == before
    assert mill.buried() == []


async def test_commands_that_are_said_again_make_no_second_entry(own_bus: Mill) -> None:
    mill = own_bus
    await mill.ledger()
    mill.documents()
    mill.generation()
    job = await mill.generate_from(5)
    assert await mill.ended(job) == [JobCompleted()]
    before = [type(each.event) for each in await mill.log(job)]
    await say_again(
        mill, [m for m in mill.heard if m.subject.startswith("gristmill.com")], known=False
    )
    await mill.until(lambda: settled(mill))
    after = [type(each.event) for each in await mill.log(job)]
    assert [each for each in after if each.__name__ != "ResultIgnored"] == before


async def test_a_full_queue_of_commands_is_waited_for_and_the_ledger_goes_on(own_bus: Mill) -> None:
    mill = own_bus
    health = await mill.ledger(deadline=30.0, leadership=30.0)  # nor is the bus declared again
    mill.documents()
    assert await mill.project()
    commands = (await mill.client.jetstream().stream_info("COMMANDS")).config
    await mill.client.jetstream().update_stream(commands.evolve(max_msgs=2))
    epoch = await mill.pool.fetchval("select epoch from ledger.leader")

    jobs = [await mill.generate_from(2) for _ in range(4)]
    left = "select count(*) > 0 from ledger.commands where not published"
    await mill.until(lambda: full(mill))
    await mill.until(lambda: mill.pool.fetchval(left))
    assert await mill.project()
    assert orjson.loads(health.answer("/readyz")[1])["detail"] == "leading"
    assert await mill.pool.fetchval("select epoch from ledger.leader") == epoch

    mill.generation()
    assert await mill.ended(*jobs, within=30) == [JobCompleted()] * 4
    assert await mill.pool.fetchval("select epoch from ledger.leader") == epoch
    assert set(mill.done.values()) == {1}


async def full(mill: Mill) -> bool:
    return await mill.in_stream("COMMANDS") == 2


async def test_what_was_done_while_the_ledger_was_away_is_not_published_again(
    own_bus: Mill, fresh_nats: Nats
) -> None:
    """The ledger died between publishing commands and noting it, and the bus has forgotten their ids."""
    mill, may_end = own_bus, False

    async def held(task: Task[GenerateEntries]) -> Done:
        await mill.until(lambda: may_end or task.command.seeds[task.index] == 3)
        return generated(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=held)
    job = await mill.generate_from(4)
    await mill.until(lambda: sum(mill.done.values()) >= 4)
    await mill.stop_ledger()
    await mill.pool.execute("update ledger.commands set published = false")
    may_end = True
    await mill.until(lambda: len(mill.outcomes("generate")) >= 5)  # a plan and four seeds

    async def all_acknowledged() -> bool:
        return await mill.in_stream("COMMANDS") == 0

    await mill.until(all_acknowledged)
    before = fresh_nats.starts
    os.kill(fresh_nats.pid, signal.SIGKILL)
    await mill.until(lambda: fresh_nats.starts > before and mill.client.is_connected)

    await mill.ledger()
    assert await mill.ended(job) == [JobCompleted()]
    assert len(await mill.said(EntriesGenerated, job)) == 4
    assert set(mill.done.values()) == {1}
