"""The embedded servers: a real NATS, a real Postgres and, when asked, a real S3 from wheels, on loopback, kept running.

``start`` needs nothing but a folder; what was in it goes on. The servers come back by themselves on the same ports
when they die, and none outlives the process that started them. No schema and no stream is made here.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from shared.stack.child import Child, ChildEnded, Program
from shared.stack.folder import (
    NATS_USERS,
    SERVICES,
    Presence,
    claimed,
    holding_database,
    make,
    passwords,
    presence,
    write,
)
from shared.stack.guard import Guard
from shared.stack.jetstream import Nats, start_nats
from shared.stack.place import Place, place
from shared.stack.ports import free_port, is_free
from shared.stack.postgres import Database, Postgres, start_postgres
from shared.stack.seaweed import Seaweed, start_seaweed

__all__ = [
    "NATS_USERS",
    "SERVICES",
    "Child",
    "ChildEnded",
    "Database",
    "Guard",
    "Nats",
    "Place",
    "Postgres",
    "Presence",
    "Program",
    "Running",
    "Seaweed",
    "claimed",
    "database_alone",
    "free_port",
    "is_free",
    "make",
    "place",
    "presence",
    "servers",
    "start",
    "write",
]


class Running:
    """The servers of one data folder. All URLs hold passwords: they are secrets."""

    def __init__(
        self,
        data: Path,
        guard: Guard,
        nats: Nats,
        postgres: Postgres,
        nats_passwords: Mapping[str, str],
        *,
        s3: Seaweed | None = None,
        durable: bool,
    ) -> None:
        self.data = data
        self.guard = guard
        self.nats = nats
        self.postgres = postgres
        self.s3 = s3
        """None where the blobs do not lie in the embedded S3 server."""
        self._nats_passwords = nats_passwords
        self._durable = durable
        self._extra: list[tuple[Nats, Path]] = []

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def admin_url(self) -> str:
        """Of the superuser, for migrations only."""
        return self.postgres.database.admin_url

    def nats_url(self, service: str) -> str:
        """With the user and password of ``service``; its client's inbox prefix is ``_INBOX.<service>``."""
        return self.nats.url(service)

    def database_url(self, role: str) -> str:
        """``ledger``, ``reader`` or ``gateway``."""
        return self.postgres.database.url(role)

    def pid(self, server: Literal["nats", "postgres"]) -> int:
        """Of ``nats`` or ``postgres``; another one after a restart."""
        return self.nats.pid if server == "nats" else self.postgres.pid

    async def fresh_database(self) -> Database:
        """A copy of the main database as it is now, to which nobody may be connected meanwhile."""
        return await self.postgres.copy()

    async def drop_database(self, database: Database) -> None:
        """Remove a copy, throwing out whoever is connected."""
        await self.postgres.drop(database)

    async def fresh_nats(self) -> Nats:
        """A further, empty NATS server with the same users; it stops with the others, or by its ``stop``."""
        folder = Path(tempfile.mkdtemp(prefix="nats-", dir=self.data))
        extra = await start_nats(
            folder, folder, self._nats_passwords, self.guard, durable=self._durable
        )
        self._extra.append((extra, folder))
        return extra

    async def stop(self) -> None:
        """Stop every server, in parallel."""
        extra = [server.stop() for server, _ in self._extra]
        if self.s3 is not None:
            extra.append(self.s3.stop())
        await asyncio.gather(self.nats.stop(), self.postgres.stop(), *extra)
        for _, folder in self._extra:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def kill(self) -> None:
        """End every server at once, without waiting; ``stop`` still has to be awaited."""
        self.nats.kill()
        self.postgres.kill()
        if self.s3 is not None:
            self.s3.kill()
        for server, _ in self._extra:
            server.kill()


@asynccontextmanager
async def start(data: Path, *, durable: bool = True) -> AsyncIterator[Running]:
    """Start the servers over folder ``data``, yield them, and stop them.

    Args:
        data: made where missing; a second start over the same folder continues.
        durable: False trades safety against a power cut for speed; for tests. A killed process loses nothing.

    Raises:
        Refused: ``already_running`` where another process holds the folder; ``postgres_as_root``.
        ChildEnded: a server could not be started; its last words are in the message.
    """
    data = make(data)
    with claimed(data):
        async with servers(data, durable=durable) as running:
            yield running


@asynccontextmanager
async def servers(data: Path, *, s3: bool = False, durable: bool = True) -> AsyncIterator[Running]:
    """What ``start`` does in a folder that the caller has made and claimed; with ``s3`` an S3 server as well."""
    known = passwords(data)
    guard = Guard()
    logs = data / "logs"
    try:
        nats = asyncio.create_task(
            start_nats(data / "nats", logs, known.nats, guard, durable=durable)
        )
        postgres = asyncio.create_task(
            start_postgres(data / "postgres", logs, known.postgres, guard, durable=durable)
        )
        seaweed = (
            asyncio.create_task(start_seaweed(data / "s3", logs, known.s3, guard)) if s3 else None
        )
        await _all([nats, postgres] if seaweed is None else [nats, postgres, seaweed])
        running = Running(
            data,
            guard,
            nats.result(),
            postgres.result(),
            known.nats,
            s3=seaweed.result() if seaweed is not None else None,
            durable=durable,
        )
        try:
            yield running
        finally:
            await running.stop()
    finally:
        guard.close()


@asynccontextmanager
async def database_alone(data: Path) -> AsyncIterator[Database]:
    """The main database of a folder that nobody runs, with no other server.

    Raises:
        Refused: ``not_found`` where the folder holds no database; ``already_running``.
    """
    data = holding_database(data)
    with claimed(data):
        guard = Guard()
        try:
            secrets = passwords(data).postgres
            postgres = await start_postgres(data / "postgres", data / "logs", secrets, guard)
            try:
                yield postgres.database
            finally:
                await postgres.stop()
        finally:
            guard.close()


async def _all(
    tasks: Sequence[asyncio.Task[Nats] | asyncio.Task[Postgres] | asyncio.Task[Seaweed]],
) -> None:
    """Wait until all servers have started; where one fails, the others are stopped before the error goes on."""
    try:
        found = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        # The tasks were cancelled with the waiting; one may have been done just before.
        for started in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(started, Nats | Postgres | Seaweed):
                await started.stop()
        raise
    failed = [each for each in found if isinstance(each, BaseException)]
    if not failed:
        return
    for started in found:
        if isinstance(started, Nats | Postgres | Seaweed):
            await started.stop()
    raise failed[0]
