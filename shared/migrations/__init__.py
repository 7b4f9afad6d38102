"""The migrations of the ledger's schema: numbered files beside this one, applied forward only, each exactly once.

``ledger.schema_version`` holds a row for each file that was applied: number, name, checksum, time, and the lowest
version of code that still works with the result. Nothing else makes DDL in schema ``ledger``; the gateway's views are
no matter of migrations but folded beside each other (services.gateway.views).

Two versions of the code may run at once, so a file only adds: a table, a column that is nullable or has a default, an
index, a grant. What is to go is first left unused by a release and removed by a file of a later one. A file opens with
``-- compatible_from: N``: code that knows the migrations up to N works with the database after this one; 1 for what
only adds. A file that was released is never edited: its checksum is kept, and a changed one is refused.
"""

import hashlib
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.errors import GristmillError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]

NEEDED = 7
"""The lowest version of the database that this code's services work with; raised with the file that they rely on."""
_LOCK = 7301
"""Of pg_advisory_xact_lock: held by whoever migrates."""
_PATIENCE = "5s"
"""How long a migration waits for a table that others use; whoever comes after would have to wait behind it."""
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_COMPATIBLE = re.compile(r"-- compatible_from: (\d+)\n")
_BOOKKEEPING = """
create schema if not exists ledger;
create table if not exists ledger.schema_version (version int not null);
alter table ledger.schema_version
    add column if not exists name text,
    add column if not exists checksum text,
    add column if not exists compatible_from int not null default 1,
    add column if not exists applied_at timestamptz not null default clock_timestamp();
create unique index if not exists schema_version_once on ledger.schema_version (version);
"""
"""Brings the table of a database from before there were migrations, one row with a number, to today's shape."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. ``compatible_from`` is the lowest version of code that works with what it leaves."""

    number: int
    name: str
    sql: str
    compatible_from: int

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


@dataclass(frozen=True, slots=True)
class Applied:
    """A row of ``ledger.schema_version``; no name and no checksum: applied before these were kept."""

    number: int
    name: str | None
    checksum: str | None
    compatible_from: int


class WrongSchema(GristmillError):
    """The database is of a version that this code cannot work with."""

    def __init__(self, found: int | None, needed: int, *, too_new: bool = False) -> None:
        have = "no Gristmill schema" if found is None else f"schema version {found}"
        mend = (
            "which this older code cannot work with: start the newer Gristmill again."
            if too_new
            else f"this code needs version {needed}: run `gristmill migrate`."
        )
        super().__init__("wrong_schema", f"The database has {have}; {mend}")


class ChangedMigration(GristmillError):
    """A file is not what was applied under its number."""

    def __init__(self, migration: Migration) -> None:
        super().__init__(
            "migration_changed",
            f"The migration {migration} was changed after it was applied to this database. "
            "Restore the file, and write what is to change as a new one.",
        )


def migrations(files: Mapping[str, str] | None = None) -> list[Migration]:
    """Every migration in its order. ``files`` are texts by name; None: those beside this module.

    Raises ``ValueError`` where a name, a number or the first line is not as this module's docstring says.
    """
    if files is None:
        beside = importlib.resources.files(__name__).iterdir()
        files = {file.name: file.read_text() for file in beside if file.name.endswith(".sql")}
    found = []
    for n, name in enumerate(sorted(files), 1):
        named, compatible = _NAME.fullmatch(name), _COMPATIBLE.match(files[name])
        if named is None or int(named[1]) != n:
            raise ValueError(f"{name} is not migration {n:04}_<words>.sql")
        if compatible is None or not 1 <= int(compatible[1]) <= n:
            raise ValueError(f"{name} does not open with `-- compatible_from: N`, N from 1 to {n}")
        found.append(Migration(n, named[2], files[name], int(compatible[1])))
    return found


def pending(applied: Sequence[Applied], known: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied. Raise ``ChangedMigration`` or ``WrongSchema`` where nothing may be."""
    kept = {row.number: row for row in applied}
    for each in known:
        row = kept.get(each.number)
        if row is not None and row.checksum not in {None, each.checksum}:
            raise ChangedMigration(each)
    if kept:
        refuse_unfit(applied, newest=len(known), needed=1)
    return [each for each in known if each.number not in kept]


def refuse_unfit(applied: Sequence[Applied], *, newest: int, needed: int) -> None:
    """Raise ``WrongSchema`` where code that knows migrations up to ``newest`` and needs ``needed`` cannot work."""
    version = max((row.number for row in applied), default=None)
    if version is None or version < needed:
        raise WrongSchema(version, needed)
    if version > newest and max(row.compatible_from for row in applied) > newest:
        raise WrongSchema(version, needed, too_new=True)


async def migrate(
    admin_url: str, known: Sequence[Migration] | None = None
) -> tuple[int, list[Migration]]:
    """Apply what is pending, each file in its own transaction; two who migrate at once take turns.

    Returns:
        The version before (0: there was none), and what was applied.

    Raises:
        WrongSchema, ChangedMigration: nothing was done.
        GristmillError: ``database_unreachable``; ``migration_blocked`` where a table stayed locked and
            ``migration_failed`` where Postgres refuses a statement: what was applied before stays.
    """
    known = migrations() if known is None else known
    connection = await connect(admin_url)
    done: list[Migration] = []
    before = None
    try:
        while True:
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
                applied = await versions(connection)
                if before is None:
                    before = max((row.number for row in applied), default=0)
                left = pending(applied, known)
                if any(row.checksum is None for row in applied):
                    await _adopt(connection, known)
                if not left:
                    return before, done
                await _apply(connection, left[0])
            done.append(left[0])
    finally:
        await connection.close()


async def behind(
    admin_url: str, known: Sequence[Migration] | None = None
) -> tuple[int, list[Migration]]:
    """The version of the database and what ``migrate`` would apply; raises as that does and changes nothing."""
    connection = await connect(admin_url)
    try:
        applied = await versions(connection)
    finally:
        await connection.close()
    left = pending(applied, migrations() if known is None else known)
    return max((row.number for row in applied), default=0), left


async def connect(admin_url: str) -> "asyncpg.Connection[Any]":
    try:
        return await asyncpg.connect(admin_url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as problem:
        # The text of a refused login names the role; that of a bad address could repeat the password in it.
        said = f": {problem}" if isinstance(problem, asyncpg.PostgresError) else ""
        raise GristmillError(
            "database_unreachable",
            f"The database cannot be reached ({type(problem).__name__}{said}). "
            "The address is postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, of a role that may create "
            "schemas and roles.",
        ) from None


async def _adopt(connection: "Connection", known: Sequence[Migration]) -> None:
    """Write down what was applied before checksums were kept."""
    await connection.execute(_BOOKKEEPING)
    await connection.execute("revoke insert on ledger.schema_version from ledger")
    for each in known:
        await connection.execute(
            "update ledger.schema_version set name = $2, checksum = $3, compatible_from = $4"
            " where version = $1 and checksum is null",
            each.number,
            each.name,
            each.checksum,
            each.compatible_from,
        )


async def _apply(connection: "Connection", migration: Migration) -> None:
    await connection.execute(f"set local lock_timeout = '{_PATIENCE}'")
    try:
        if migration.number == 1:
            await connection.execute(_BOOKKEEPING)
        await connection.execute(migration.sql)
    except asyncpg.LockNotAvailableError:
        raise GristmillError(
            "migration_blocked",
            f"The migration {migration} waited {_PATIENCE} for a table that somebody has locked. "
            "Run `gristmill migrate` again when less is going on.",
        ) from None
    except asyncpg.PostgresError as problem:
        raise GristmillError(
            "migration_failed",
            f"Postgres refused the migration {migration}, which left nothing behind: {problem}.",
        ) from None
    await connection.execute(
        "insert into ledger.schema_version (version, name, checksum, compatible_from)"
        " values ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.checksum,
        migration.compatible_from,
    )


async def versions(connection: "Connection") -> list[Applied]:
    """What was applied to the database; nothing where Gristmill never was."""
    if await connection.fetchval("select to_regclass('ledger.schema_version')") is None:
        return []
    # Columns that a database from before there were migrations lacks come out as null.
    rows = await connection.fetch(
        """
        select version, to_jsonb(v) ->> 'name' as name, to_jsonb(v) ->> 'checksum' as checksum,
               coalesce((to_jsonb(v) ->> 'compatible_from')::int, 1) as compatible_from
        from ledger.schema_version v order by version
        """
    )
    return [
        Applied(row["version"], row["name"], row["checksum"], row["compatible_from"])
        for row in rows
    ]


async def check(connection: "Connection", needed: int = NEEDED) -> None:
    """Raise ``WrongSchema`` unless this code's services can work with the database."""
    refuse_unfit(await versions(connection), newest=len(migrations()), needed=needed)
