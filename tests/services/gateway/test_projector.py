"""The fold at work on a real store: one leader, every row once, through restarts and rebuilds."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from contracts.identity import dataset_id
from services.gateway.deps import Deps
from services.gateway.views import versions
from services.gateway.views.projector import Projector, Reached, fold
from services.gateway.views.tables import TABLES
from services.gateway.views.versions import SCHEMA, WrongViews, prepare
from services.gateway.views.writing import Overtaken, advance, begin_again, checkpoint
from shared.settings import Settings
from shared.stack import Database, Nats
from shared.store import Position, PostgresReader, open_pool
from tests.services.gateway.fake_ledger import FakeLedger, answering
from tests.services.gateway.listening import Gateway, listening
from tests.services.gateway.story import JOB, Story
from tests.services.gateway.test_fold import folded

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool

Until = Callable[..., Awaitable[None]]

MakeSettings = Callable[..., Settings]


@pytest.fixture
async def own_ledger(database: Database, nats_server: Nats) -> AsyncIterator[FakeLedger]:
    """A ledger on this test's own database."""
    async with answering(database, nats_server) as fake:
        yield fake


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    opened = await open_pool(database.url("gateway"), most=6, schema=SCHEMA)
    yield opened
    await opened.close()


async def tables(pool: Pool) -> dict[str, list[Any]]:
    """Every row of every view."""
    return {
        name: sorted(map(str, await pool.fetch(f"select * from {name}")))  # noqa: S608 - constants
        for name in TABLES
    }


async def fold_all(pool: Pool, size: int) -> dict[str, list[Any]]:
    """The views, emptied and folded anew in batches of ``size``."""
    head = await PostgresReader(pool).head()
    async with pool.acquire() as connection:
        await prepare(connection)
        at = await begin_again(connection, await checkpoint(connection), 1)
        while at.n < head.n:
            after = Position(1, min(head.n, at.n + size))
            await fold(connection, at, after)
            at = after
    return await tables(pool)


async def test_a_rebuild_gives_the_same_rows_in_batches_of_any_size(
    pool: Pool, own_ledger: FakeLedger, story: Story
) -> None:
    story.tell()
    await own_ledger.keep(story)
    whole = await fold_all(pool, 500)
    assert len(whole["entries"]) == 6
    assert await fold_all(pool, 1) == whole
    assert await fold_all(pool, 7) == whole


async def test_what_is_folded_in_the_database_is_what_each_event_says_by_itself(
    pool: Pool, own_ledger: FakeLedger, story: Story
) -> None:
    story.tell()
    await own_ledger.keep(story)
    await fold_all(pool, 500)
    events = await PostgresReader(pool).tail(0)
    expected = folded(events, range(len(events)))
    for name, table in TABLES.items():
        found = {
            tuple(row[key] for key in table.key): dict(row)
            for row in await pool.fetch(f"select * from {name}")  # noqa: S608 - constants
        }
        blank = dict.fromkeys(table.columns)
        assert found == {
            key: blank | dict(zip(table.key, key, strict=True)) | row
            for key, row in expected.get(name, {}).items()
        }, name


async def test_the_tables_are_those_that_the_fold_writes(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await prepare(connection)
        await prepare(connection)
    rows = await pool.fetch(
        """
        select table_name, column_name, data_type from information_schema.columns
        where table_schema = $1
        """,
        SCHEMA,
    )
    names = {"integer": "int", "timestamp with time zone": "timestamptz"}
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        kind = names.get(row["data_type"], row["data_type"])
        found.setdefault(row["table_name"], {})[row["column_name"]] = kind
    assert {name: found[name] for name in TABLES} == {
        name: dict(table.columns) for name, table in TABLES.items()
    }


async def test_views_of_another_version_are_refused(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await prepare(connection)
        await connection.execute("update made set fingerprint = 'other'")
        with pytest.raises(WrongViews):
            await prepare(connection)


async def test_two_versions_of_the_views_are_folded_beside_each_other(
    pool: Pool,
    database: Database,
    own_ledger: FakeLedger,
    story: Story,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story.tell()
    position = Position.parse(await own_ledger.keep(story))
    async with projecting(pool) as (old, reached):
        assert await reached.wait(position, 5)
        monkeypatch.setattr(versions, "SCHEMA", "views_00000002")
        monkeypatch.setattr(versions, "FINGERPRINT", "of the next version")
        async with (
            await open_pool(database.url("gateway"), most=6, schema="views_00000002") as newer,
            projecting(newer) as (new, reached_too),
        ):
            assert await reached_too.wait(position, 5)
            await until(lambda: reached_too.built)
            assert old.leads
            assert new.leads
            assert await tables(newer) == await tables(pool)


async def test_views_that_nobody_uses_any_more_are_dropped(pool: Pool, database: Database) -> None:
    async def exist() -> set[str]:
        found = await pool.fetch("select nspname from pg_namespace where nspname ~ '^views_'")
        return {row["nspname"] for row in found}

    async with pool.acquire() as connection:
        await versions.prepare(connection)
        for name, age in (("views_0a", "59 minutes"), ("views_0b", "61 minutes")):
            await connection.execute(
                f"create schema {name};"
                f"create table {name}.made as select clock_timestamp() - interval '{age}' used_at"
            )
        await connection.execute(
            "create schema views_1; create table views_1.made (fingerprint text)"
        )
        others = {"views_0a", "views_0b", "views_1"}
        # As long as this version is not built, the older ones are all there is.
        assert await versions.tend(connection) == []
        assert await exist() == {SCHEMA, *others}
        await versions.mark_built(connection)
        async with await open_pool(database.url("gateway")) as other, other.acquire() as leader:
            # What a gateway of the first release holds while it folds.
            await leader.execute("select pg_advisory_lock(7302)")
            assert await versions.tend(connection) == ["views_0b"]
        assert await versions.tend(connection) == ["views_1"]
    assert await exist() == {SCHEMA, "views_0a"}


async def test_views_are_not_shown_before_they_have_come_to_the_head_of_the_log_once(
    pool: Pool,
    database: Database,
    own_ledger: FakeLedger,
    nats_server: Nats,
    make_settings: MakeSettings,
    story: Story,
    until: Until,
) -> None:
    story.tell()
    position = await own_ledger.keep(story)
    settings = make_settings("gateway", nats=nats_server, database=database)
    async with pool.acquire() as leader:
        await versions.prepare(leader)
        assert await versions.lead(leader)
        async with listening(Deps(settings)) as gateway:
            await until(lambda: gateway.deps.reached.head == Position.parse(position))
            said = await gateway.get("/projects", 503)
            assert said["code"] == "views_building"
            assert f"0 of {Position.parse(position).n} events" in said["detail"]
            assert (await gateway.deps.state())["views"].startswith("building: 0 of ")
            await leader.execute("select pg_advisory_unlock_all()")
            await gateway.healthy()
            assert (await gateway.get("/projects"))["total"] == 1


async def test_a_leader_that_was_overtaken_writes_nothing(
    pool: Pool, own_ledger: FakeLedger, story: Story
) -> None:
    story.tell()
    await own_ledger.keep(story)
    head = await PostgresReader(pool).head()
    async with pool.acquire() as connection:
        await prepare(connection)
        async with connection.transaction():
            await advance(connection, Position(1, 0), Position(1, 5))
        with pytest.raises(Overtaken):
            await fold(connection, Position(1, 0), head)
        assert await checkpoint(connection) == Position(1, 5)
    assert not any((await tables(pool)).values())


@contextlib.asynccontextmanager
async def projecting(pool: Pool) -> AsyncIterator[tuple[Projector, Reached]]:
    reached = Reached()
    projector = Projector(pool, reached)
    task = asyncio.create_task(projector.run())
    try:
        yield projector, reached
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_one_leads_and_the_next_takes_over(
    pool: Pool, own_ledger: FakeLedger, story: Story, until: Until
) -> None:
    story.tell()
    async with projecting(pool) as (second, reached):
        await until(lambda: second.leads)
        async with projecting(pool) as (third, reached_too):
            position = Position.parse(await own_ledger.keep(story))
            assert await reached.wait(position, 5)
            assert await reached_too.wait(position, 5)
            assert not third.leads
    async with projecting(pool) as (fourth, _):
        await until(lambda: fourth.leads)
    found = await pool.fetchval("select count(*) from entries")
    assert found == 6


async def test_a_new_era_of_the_log_is_folded_from_its_beginning(
    pool: Pool, database: Database, own_ledger: FakeLedger, story: Story
) -> None:
    story.tell()
    async with projecting(pool) as (_, reached):
        assert await reached.wait(Position.parse(await own_ledger.keep(story)), 5)
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute("delete from ledger.events where pos > 2")
        await admin.execute("update ledger.logs set era = 2, head = 2")
        await admin.close()
        assert await reached.wait(Position(2, 2), 5)
    found = await tables(pool)
    assert len(found["projects"]) == 1
    assert found["entries"] == found["jobs"] == []


async def test_lost_connections_cost_no_row_and_no_answer(
    gateway: Gateway, ledger: FakeLedger, own_database: Database, story: Story
) -> None:
    story.begin()
    await gateway.seen(await ledger.keep(story))
    admin = await asyncpg.connect(own_database.admin_url)
    await admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'gateway' and datname = $1",
        own_database.name,
    )
    await admin.close()
    assert (await gateway.get("/projects"))["total"] == 1
    rest = Story()
    rest.tell()
    position = await ledger.append(rest.lines[len(story.lines) :], salt="rest")
    assert await gateway.deps.seen(position, 5)
    assert (await gateway.get(f"/datasets/{dataset_id(JOB)}"))["total_entries"] == 3


async def test_health_says_what_is_away_and_recovers(
    fresh_nats: Nats, database: Database, make_settings: MakeSettings, until: Until
) -> None:
    settings = make_settings("gateway", nats=fresh_nats, database=database)
    async with listening(Deps(settings)) as gateway:
        await gateway.healthy()
        # The ledger has made no streams yet: nothing takes a request.
        said = await gateway.post("/projects", {"name": "Rivers"}, 503)
        assert said["detail"] == "Job queue manager not initialized"
        os.kill(fresh_nats.pid, signal.SIGKILL)

        async def unhealthy() -> bool:
            return await gateway.health() == 503

        await until(unhealthy)
        await gateway.healthy()


async def test_without_a_store_everything_but_health_is_503(
    make_settings: MakeSettings, nats_server: Nats
) -> None:
    settings = make_settings(
        "gateway", nats=nats_server, database_url="postgresql://gateway@127.0.0.1:1/nothing"
    )
    async with listening(Deps(settings)) as gateway:
        async with gateway.http.get("/health") as response:
            assert response.status == 503
            assert (await response.json())["service"] == "gristmill"
        async with gateway.http.get("/") as response:
            assert (await response.json())["health"] == "/health"
        async with gateway.http.get("/api/v1/projects") as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert (await response.json())["code"] == "store_unavailable"
