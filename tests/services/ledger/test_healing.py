"""The bus is disposable: emptied, set back, or changed by somebody, it is mended, and a job comes to its end."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
import pytest
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy

from contracts.entries import EntriesGenerated
from contracts.job import JobCompleted
from services.ledger import audit
from shared.bus import POSITION
from shared.settings import Settings
from shared.stack import Database, Nats, Running
from shared.store import Position
from shared.topology import consumers, streams
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated

SEEDS = 60


@pytest.fixture
async def mill(
    database: Database,
    fresh_nats: Nats,
    make_settings: Callable[..., Settings],
    until: Callable[..., Awaitable[None]],
) -> AsyncIterator[Mill]:
    """A mill whose NATS may be killed, emptied and set back."""

    def settings(service: str) -> Settings:
        role = "ledger" if service == "ledger" else "reader"
        return make_settings(
            service, nats=fresh_nats, database=database, role=role,
            ack_wait=1.0, beat=0.1, deadline=0.8, leadership=2.0,
        )  # fmt: skip

    async with Mill(settings, until).opened() as mill:
        yield mill


def store_of(stack: Running, nats: Nats) -> Path:
    [folder] = [folder for server, folder in stack._extra if server is nats]
    return folder / "store"


async def set_back(mill: Mill, nats: Nats, store: Path, copy: Path | None) -> None:
    """Kill the bus and give it the store of an earlier moment, or none."""
    starts = nats.starts
    child = nats._child
    await child.stop()
    shutil.rmtree(store)
    if copy is not None:
        shutil.copytree(copy, store)
    await child.spawn()
    child.keep()
    assert nats.starts > starts
    await mill.until(lambda: mill.client.is_connected, within=20)


async def quietly(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await check()
    except (nats.errors.Error, TimeoutError):
        return False


async def half_done(mill: Mill, gate: asyncio.Semaphore) -> Any:
    """A job of which a part is done; each further unit needs a permit of ``gate``."""

    async def slowly(task: Task[Any]) -> Done:
        task.may_start()
        await gate.acquire()
        return generated(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=slowly)
    job = await mill.generate_from(SEEDS, concurrency=4)
    permit(gate, 20)
    await mill.until(lambda: recorded(mill, job, 20), within=20)
    return job


def permit(gate: asyncio.Semaphore, units: int) -> None:
    for _ in range(units):
        gate.release()


async def recorded(mill: Mill, job: Any, least: int) -> bool:
    return int((await mill.state(job))["counts"]["done"]) >= least


async def whole(mill: Mill, job: Any) -> None:
    assert await mill.ended(job, within=40) == [JobCompleted()]
    counts = (await mill.state(job))["counts"]
    assert counts["seeds"] == counts["done"] == counts["accepted"] == SEEDS


async def positions(mill: Mill) -> list[int]:
    """What EVENTS holds. (What was on its way when the bus went away may stand before what it lost.)"""
    info = await mill.client.jetstream().stream_info("EVENTS")
    found = []
    for seq in range(info.state.first_seq, info.state.last_seq + 1):
        message = await mill.client.jetstream().get_msg("EVENTS", seq=seq)
        found.append(Position.parse((message.headers or {})[POSITION]).n)
    return sorted(found)


async def is_announced(mill: Mill) -> bool:
    found: bool = await mill.pool.fetchval(
        "select c.pos = l.head from ledger.checkpoints c, ledger.logs l"
    )
    return found


@pytest.mark.parametrize("kept", ["nothing", "an older copy"])
async def test_a_job_goes_on_though_the_bus_lost_what_it_held(
    mill: Mill, stack: Running, fresh_nats: Nats, tmp_path: Path, kept: str
) -> None:
    """What is done is not done again: at most what was under way is, and what was said and not recorded."""
    gate, store, copy = asyncio.Semaphore(0), store_of(stack, fresh_nats), None
    job = await half_done(mill, gate)
    if kept == "an older copy":
        copy = tmp_path / "copy"
        # Of a server that stands still: half written files are another test's matter.
        os.kill(fresh_nats.pid, signal.SIGSTOP)
        shutil.copytree(store, copy)
        os.kill(fresh_nats.pid, signal.SIGCONT)
        permit(gate, 12)
        await mill.until(lambda: recorded(mill, job, 32), within=20)
    done = {unit for unit, times in mill.done.items() if times}
    before = {each.unit_id for each in await mill.said(EntriesGenerated, job)}
    await set_back(mill, fresh_nats, store, copy)
    permit(gate, 10 * SEEDS)
    await whole(mill, job)
    again = {unit for unit, times in mill.done.items() if times > 1}
    assert not again & before, "a recorded unit was done again"
    assert len(again) <= len(done - before)
    await mill.until(lambda: is_announced(mill), within=20)
    log = await mill.log()
    assert await positions(mill) == list(range(1, len(log) + 1))


async def test_what_somebody_deletes_or_changes_at_runtime_is_mended(
    mill: Mill, until: Callable[..., Awaitable[None]]
) -> None:
    gate = asyncio.Semaphore(0)
    job = await half_done(mill, gate)
    stream = mill.client.jetstream()
    await stream.delete_consumer("COMMANDS", "generate")
    await stream.delete_consumer("INBOX", "ledger")
    await stream.delete_stream("EVENTS")
    await stream.update_stream(streams()[2].evolve(max_msgs=3))
    # One that differs where the server lets nobody change a consumer.
    await stream.delete_consumer("COMMANDS", "curate")
    wrong = ConsumerConfig(
        durable_name="curate", filter_subject="gristmill.commands.curate", ack_policy=AckPolicy.NONE
    )
    with pytest.raises(nats.js.errors.BadRequestError):
        await stream.add_consumer("COMMANDS", wrong)
    permit(gate, 10 * SEEDS)
    await whole(mill, job)

    async def mended() -> bool:
        for name, wanted in consumers(mill.settings("ledger")):
            found = await stream.consumer_info(name, str(wanted.durable_name))
            assert found.config.filter_subject == wanted.filter_subject
        commands = await stream.stream_info("COMMANDS")
        return commands.config.max_msgs == streams()[2].max_msgs

    await until(lambda: quietly(mended), within=20)
    await mill.until(lambda: is_announced(mill), within=20)
    log = await mill.log()
    assert await positions(mill) == list(range(1, len(log) + 1))


async def test_a_stream_that_cannot_be_mended_is_refused_by_name(mill: Mill) -> None:
    """A work queue whose messages would never go: nothing is recorded on it, and health says what to do."""
    stream = mill.client.jetstream()
    await stream.delete_stream("INBOX")
    await stream.add_stream(streams()[1].evolve(retention=RetentionPolicy.LIMITS))
    health = await mill.ledger()
    await mill.until(lambda: b"nats stream rm INBOX" in health.answer("/readyz")[1])
    assert health.answer("/readyz")[0] == 503
    alarm = await mill.pool.fetchval("select alarm from ledger.leader")
    assert "INBOX" in alarm
    await stream.delete_stream("INBOX")
    assert await mill.project()
    assert await mill.pool.fetchval("select alarm from ledger.leader") is None


async def test_a_lost_stream_is_filled_with_no_more_than_is_quickly_said(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_AGAIN", 50)
    await mill.ledger()
    await mill.project()
    await mill.until(lambda: is_announced(mill))
    await mill.stop_ledger()
    most = 500
    await mill.pool.execute(
        """
        insert into ledger.events
        select 1, n, 1, gen_random_uuid(), 1, gen_random_uuid(), type, tenant, null, null, null, data,
            clock_timestamp()
        from ledger.events, generate_series(3, $1::int) n where pos = 2
        """,
        most,
    )
    await mill.pool.execute("update ledger.logs set head = $1", most)
    await mill.pool.execute("update ledger.checkpoints set pos = $1", most)
    await mill.client.jetstream().delete_stream("EVENTS")
    await mill.ledger()

    async def filled() -> bool:
        return await mill.in_stream("EVENTS") == 50

    await mill.until(lambda: quietly(filled), within=20)
    assert await positions(mill) == list(range(451, 501))
