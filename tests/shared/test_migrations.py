"""The store's migrations: forward only, each once, from any older state, with another version of the code beside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from shared.clock import fresh_id
from shared.errors import GristmillError, Refused
from shared.migrations import (
    Applied,
    ChangedMigration,
    Migration,
    WrongSchema,
    behind,
    migrate,
    migrations,
    pending,
    refuse_unfit,
)
from shared.stack import Database, Running, start
from shared.store import open_pool

BEFORE = Path(__file__).parents[1] / "data" / "schemas" / "before_migrations.sql"
SHAPES = {
    "columns": "select table_name, column_name, data_type, is_nullable from information_schema.columns",
    "rights": "select table_name, grantee, privilege_type from information_schema.role_table_grants",
}
ADD = Migration(len(migrations()) + 1, "notes", "create table ledger.notes (note text);", 1)
NEXT = Migration(ADD.number + 1, "more", "alter table ledger.notes add column pos bigint;", 1)
FALSE = Migration(ADD.number + 1, "false", "alter table ledger.nothing add column n int;", 1)


@pytest.fixture
async def empty(stack: Running) -> AsyncIterator[Database]:
    """A database in which nothing is."""
    found = stack.postgres.database.of(f"empty_{fresh_id().hex[:12]}")
    await do(stack.postgres.database.of("postgres"), f'create database "{found.name}"')
    yield found
    await stack.drop_database(found)


async def do(database: Database, sql: str) -> list[Any]:
    connection = await asyncpg.connect(database.admin_url)
    try:
        if sql.startswith("select"):
            return [tuple(row) for row in await connection.fetch(sql)]
        await connection.execute(sql)
        return []
    finally:
        await connection.close()


async def shape(database: Database) -> dict[str, set[Any]]:
    return {
        name: set(await do(database, f"{sql} where table_schema = 'ledger'"))
        for name, sql in SHAPES.items()
    }


async def test_an_empty_database_gets_every_migration_once(empty: Database) -> None:
    assert await migrate(empty.admin_url) == (0, migrations())
    assert await migrate(empty.admin_url) == (len(migrations()), [])
    rows = await do(empty, "select version, name, checksum, applied_at from ledger.schema_version")
    assert [row[:3] for row in rows] == [(m.number, m.name, m.checksum) for m in migrations()]
    assert all(row[3] is not None for row in rows)


async def test_a_database_from_before_there_were_migrations_becomes_like_a_new_one(
    empty: Database, database: Database
) -> None:
    await do(empty, BEFORE.read_text())
    left = migrations()[1:]
    assert await behind(empty.admin_url) == (1, left)
    if not left:
        await (await open_pool(empty.url("ledger"))).close()
    assert await migrate(empty.admin_url) == (1, left)
    assert await shape(empty) == await shape(database)
    assert await migrate(empty.admin_url) == (len(migrations()), [])


async def test_two_who_migrate_at_once_take_turns(empty: Database) -> None:
    found = await asyncio.gather(*(migrate(empty.admin_url) for _ in range(4)))
    assert sum(len(done) for _, done in found) == len(migrations())


async def test_a_file_that_fails_leaves_those_before_it_and_nothing_of_its_own(
    database: Database,
) -> None:
    with pytest.raises(GristmillError, match="nothing") as problem:
        await migrate(database.admin_url, [*migrations(), ADD, FALSE])
    assert problem.value.code == "migration_failed"
    assert await behind(database.admin_url, [*migrations(), ADD, NEXT]) == (ADD.number, [NEXT])
    assert await migrate(database.admin_url, [*migrations(), ADD, NEXT]) == (ADD.number, [NEXT])


async def test_a_file_that_was_applied_and_then_changed_is_refused(database: Database) -> None:
    await migrate(database.admin_url, [*migrations(), ADD])
    changed = Migration(ADD.number, ADD.name, ADD.sql + " -- mended", 1)
    with pytest.raises(ChangedMigration, match="Restore the file"):
        await migrate(database.admin_url, [*migrations(), changed, NEXT])
    with pytest.raises(ChangedMigration):
        await behind(database.admin_url, [*migrations(), changed])


async def test_a_service_works_with_a_newer_database_that_says_it_may(database: Database) -> None:
    await migrate(database.admin_url, [*migrations(), ADD])
    pool = await open_pool(database.url("reader"))
    await pool.close()
    assert await migrate(database.admin_url) == (ADD.number, [])
    breaking = Migration(NEXT.number, "gone", "drop table ledger.notes", NEXT.number)
    await migrate(database.admin_url, [*migrations(), ADD, breaking])
    with pytest.raises(WrongSchema, match="start the newer Gristmill"):
        await open_pool(database.url("reader"))
    with pytest.raises(WrongSchema):
        await migrate(database.admin_url)


async def test_a_service_refuses_a_database_older_than_it_needs(
    database: Database, empty: Database
) -> None:
    with pytest.raises(WrongSchema, match="run `gristmill migrate`"):
        await open_pool(database.url("reader"), needed=len(migrations()) + 1)
    await do(empty, 'grant connect on database "' + empty.name + '" to reader')
    with pytest.raises(WrongSchema, match="no Gristmill schema"):
        await open_pool(empty.url("reader"))


def test_what_fits_is_said_by_the_newest_row_and_by_what_came_between() -> None:
    rows = [Applied(1, "a", "x", 1), Applied(2, "b", "y", 2), Applied(3, "c", "z", 1)]
    refuse_unfit(rows, newest=3, needed=3)
    refuse_unfit(rows, newest=2, needed=1)
    for newest, needed in ((1, 1), (4, 4)):
        with pytest.raises(WrongSchema):
            refuse_unfit(rows, newest=newest, needed=needed)
    with pytest.raises(WrongSchema):
        refuse_unfit([], newest=1, needed=1)
    assert pending([], [ADD]) == [ADD]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0002_late.sql", "-- compatible_from: 1\n"),
        ("0001_a b.sql", "-- compatible_from: 1\n"),
        ("0001_a.sql", "create table a ();"),
        ("0001_a.sql", "-- compatible_from: 2\n"),
        ("0001_a.sql", "-- compatible_from: 0\n"),
    ],
)
def test_a_file_must_be_named_and_opened_by_the_rules(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        migrations({name: text})


async def test_the_ledger_may_not_write_down_a_version(database: Database) -> None:
    async with await open_pool(database.url("ledger")) as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("insert into ledger.schema_version (version) values (99)")


@pytest.mark.parametrize(
    "url",
    ["postgresql://admin:secret@127.0.0.1:1/x", "mysql://a:secret@b", "postgresql://a:secret@b:x"],
)
async def test_an_address_that_leads_nowhere_is_said_without_its_password(url: str) -> None:
    with pytest.raises(GristmillError) as problem:
        await migrate(url)
    assert problem.value.code == "database_unreachable"
    assert "secret" not in problem.value.message


async def test_a_role_that_may_not_is_told_so(empty: Database) -> None:
    await do(empty, 'grant connect on database "' + empty.name + '" to reader')
    with pytest.raises(GristmillError, match="permission denied"):
        await migrate(empty.url("reader"))


async def test_the_command_says_what_is_pending_applies_it_and_then_has_nothing_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("migrate")
    for above in (folder, folder.parent, folder.parent.parent):
        above.chmod(0o711)
    async with start(folder / "data", durable=False):
        pass

    def run(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(app, ["migrate", "--data", str(folder / "data"), *words])
        return found.exit_code, found.output

    code, said = await asyncio.to_thread(run, "--check")
    assert code == 1
    assert f"pending  {migrations()[0]}" in said
    code, said = await asyncio.to_thread(run)
    assert code == 0
    assert f"applied  {migrations()[-1]}" in said
    code, said = await asyncio.to_thread(run, "--check")
    assert (code, "nothing is to be done" in said) == (0, True)


def test_the_command_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["migrate", "--data", str(tmp_path / "none")])
    assert isinstance(found.exception, Refused)
    assert not (tmp_path / "none").exists()
