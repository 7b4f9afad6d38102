"""Fixtures that every test may use: real servers, a fresh database, a fresh bus, settings with short times.

The servers are started once per test process (about a second), lie in a folder of their own, and are gone at its end.
"""

import asyncio
import inspect
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shared.migrations import migrate
from shared.settings import Settings
from shared.stack import Database, Guard, Nats, Running, Seaweed, start
from shared.stack.seaweed import start_seaweed
from tests.containers import contained, contained_seaweed, kind

settings.register_profile("gristmill", deadline=None, print_blob=True)
settings.load_profile("gristmill")  # a busy machine fails no test for being slow

IN_CONTAINERS = kind(os.environ) == "containers"
"""Read before the fixture below clears what users set."""

MakeSettings = Callable[..., Settings]
Until = Callable[..., Awaitable[None]]

OTHERS = ("OPENAI_", "S3_", "COMPILEO_", "CORS_")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user() -> Iterator[None]:
    """Tests see no key and no address that whoever runs them has in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("GRISTMILL_", *OTHERS)):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Running]:
    """The servers, embedded or in containers. Take a `database` and a `nats` rather than the main ones."""
    folder = Path(tempfile.mkdtemp(prefix="gristmill-test-"))
    folder.chmod(0o711)
    data = folder / "data"
    try:
        async with contained(data) if IN_CONTAINERS else start(data, durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def seaweed() -> AsyncIterator[Seaweed]:
    """The S3 server, for those who ask for it: `seaweed.settings(folder)`."""
    folder = Path(tempfile.mkdtemp(prefix="gristmill-test-"))
    guard = Guard()
    try:
        if IN_CONTAINERS:
            async with contained_seaweed(folder) as found:
                yield found
            return
        server = await start_seaweed(folder / "s3", folder, "of-tests", guard)
        yield server
        await server.stop()
    finally:
        guard.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def migrated(stack: Running) -> Running:
    """The servers, with the schema in the main database, from which each fresh one is copied."""
    await migrate(stack.admin_url)
    return stack


@pytest.fixture
async def database(migrated: Running) -> AsyncIterator[Database]:
    """A database of this test's own, with the schema: `database.url("ledger")`, `database.admin_url`."""
    fresh = await migrated.fresh_database()
    yield fresh
    await migrated.drop_database(fresh)


@pytest.fixture(scope="module")
async def nats_server(stack: Running) -> AsyncIterator[Nats]:
    """A NATS server of this module's own: `nats_server.url("generate")`."""
    fresh = await stack.fresh_nats()
    yield fresh
    await fresh.stop()


@pytest.fixture
async def fresh_nats(stack: Running) -> AsyncIterator[Nats]:
    """A NATS server of this test's own, to be killed and emptied at will."""
    fresh = await stack.fresh_nats()
    yield fresh
    await fresh.stop()


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings of one service with the short times of tests; what a test does not name is as nobody set it."""

    def make(
        service: str,
        *,
        nats: Nats | None = None,
        database: Database | None = None,
        role: str | None = None,
        **others: object,
    ) -> Settings:
        known: dict[str, object] = {
            "data": tmp_path,
            "ack_wait": 2.0,
            "beat": 0.5,
            "deadline": 2.0,
            "leadership": 1.0,
        }
        if nats is not None:
            known["nats_url"] = nats.url(service)
        if database is not None:
            known["database_url"] = database.url(role or service)
        return Settings.model_validate(known | others)

    return make


@pytest.fixture
def until() -> Until:
    """Wait until a question, plain or async, is answered with something true; fail after `within` seconds."""

    async def wait(check: Callable[[], object], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while True:
                found = check()
                if await found if inspect.isawaitable(found) else found:
                    return
                await asyncio.sleep(0.01)

    return wait
