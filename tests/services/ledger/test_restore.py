"""Postgres restored to an older point, the blobs newer, the bus empty: a new era, and the jobs go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from contracts.job import JobCompleted
from contracts.project import ProjectRequested
from shared.errors import Refused
from shared.migrations.restoring import Restored, begin_era
from shared.settings import Settings
from shared.stack import Database, Nats, Running
from shared.store import Eras, Position, eras
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated, job

SEEDS = 40


@pytest.fixture
async def mill(
    database: Database,
    fresh_nats: Nats,
    make_settings: Callable[..., Settings],
    until: Callable[..., Awaitable[None]],
) -> AsyncIterator[Mill]:
    def settings(service: str) -> Settings:
        role = "ledger" if service == "ledger" else "reader"
        return make_settings(
            service, nats=fresh_nats, database=database, role=role,
            ack_wait=1.0, beat=0.1, deadline=0.8, leadership=2.0,
        )  # fmt: skip

    async with Mill(settings, until).opened() as mill:
        yield mill


async def alone(stack: Running, *statements: str) -> None:
    """As the administrator, outside of the database that is copied."""
    connection = await asyncpg.connect(stack.admin_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def copied(mill: Mill, stack: Running, source: str, target: str) -> None:
    """What pg_dump and pg_restore do for an operator: the database as it is now, under another name."""
    await mill.pool.expire_connections()
    connection = await asyncpg.connect(stack.admin_url)
    try:
        await connection.execute(f'drop database if exists "{target}" with (force)')
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", source
        )
        await connection.execute(f'create database "{target}" template "{source}"')
    finally:
        await connection.close()
    await mill.pool.expire_connections()


async def emptied(mill: Mill) -> None:
    for name in ("REQUESTS", "INBOX", "COMMANDS", "EVENTS", "DEAD"):
        await mill.client.jetstream().delete_stream(name)


async def test_a_job_goes_on_in_a_new_era_after_the_database_was_set_back(
    mill: Mill, database: Database, stack: Running
) -> None:
    gate = asyncio.Semaphore(0)

    async def slowly(task: Task[Any]) -> Done:
        await gate.acquire()
        return generated(task)

    await mill.ledger()
    mill.documents()
    mill.generation(generate=slowly)
    made = await mill.generate_from(SEEDS, concurrency=4)
    for _ in range(10):
        gate.release()

    async def some() -> bool:
        return int((await mill.state(made))["counts"]["done"]) >= 10

    await mill.until(some, within=20)
    await mill.stop_ledger()
    await copied(mill, stack, database.name, f"{database.name}_copy")
    kept = (await mill.reader.head()).n

    # What follows is lost: the rest of the job, and a request that was answered.
    await mill.ledger()
    for _ in range(10 * SEEDS):
        gate.release()
    assert await mill.ended(made, within=30) == [JobCompleted()]
    lost = await mill.ask(ProjectRequested(name="lost"), "the lost one")
    assert lost.position is not None
    before = [each.id for each in await mill.log()]
    with pytest.raises(Refused) as running:
        await begin_era(database.admin_url, patience=0.0)
    assert running.value.code == "still_running"
    await mill.stop_ledger()

    await copied(mill, stack, f"{database.name}_copy", database.name)
    # Nobody has said yet that this is wanted: a ledger sees it by itself, and records nothing.
    health = await mill.ledger()
    await mill.until(lambda: b"gristmill restore" in health.answer("/readyz")[1], within=20)
    assert health.answer("/readyz")[0] == 503
    alarm = await mill.pool.fetchval("select alarm from ledger.leader")
    assert lost.position in alarm
    await mill.stop_ledger()

    restored = await begin_era(database.admin_url)
    assert restored == Restored(restored.era, kept, ())
    assert restored.era > 1
    known = await eras(mill.pool)
    assert known.holds(Position(1, kept))
    assert not known.holds(Position.parse(lost.position))
    assert known.holds(Position(restored.era, kept + 1))

    await emptied(mill)
    await mill.ledger()
    assert await mill.ended(made, within=40) == [JobCompleted()]
    counts = (await mill.state(made))["counts"]
    assert counts["seeds"] == counts["done"] == counts["accepted"] == SEEDS
    again = await mill.ask(ProjectRequested(name="lost"), "the lost one")
    assert job(again) == job(lost)
    assert again.position is not None
    assert Position.parse(again.position).era == restored.era
    log = await mill.log()
    assert [Position.parse(each.position).n for each in log] == list(range(1, len(log) + 1))
    assert [each.id for each in log][:kept] == before[:kept]
    assert await mill.pool.fetchval("select alarm from ledger.leader") is None
    await alone(stack, f'drop database "{database.name}_copy" with (force)')


def test_a_position_holds_unless_a_later_era_began_before_it() -> None:
    known = Eras(((1, 0), (7, 100), (9, 80)))
    assert known.newest == 9
    held = [(1, 80), (7, 80), (9, 80), (9, 10_000)]
    assert [known.holds(Position(*each)) for each in held] == [True] * 4
    lost = [(1, 81), (1, 100), (7, 90), (7, 120), (10, 1)]
    assert [known.holds(Position(*each)) for each in lost] == [False] * 5


async def test_each_restore_begins_an_era_of_its_own(database: Database) -> None:
    first = await begin_era(database.admin_url)
    second = await begin_era(database.admin_url)
    assert second.era > first.era > 1
    assert first.after == second.after == 0
