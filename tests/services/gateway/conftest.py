"""What the gateway's tests share: a story, a ledger that answers, and a gateway that is listened to."""

from collections.abc import AsyncIterator

import pytest

from services.gateway.deps import Deps
from shared.blobs import FolderBlobs
from shared.clock import fresh_id
from shared.settings import Settings
from shared.stack import Database, Nats, Running
from tests.services.gateway.fake_ledger import FakeLedger, answering
from tests.services.gateway.listening import Gateway, listening
from tests.services.gateway.story import STRUCTURE, TENANT, TEXT, Story, plan_blobs


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture(scope="module")
async def own_database(migrated: Running) -> AsyncIterator[Database]:
    """A database for all tests of a module, which keep out of each other's way by projects of their own."""
    fresh = await migrated.fresh_database()
    yield fresh
    await migrated.drop_database(fresh)


@pytest.fixture(scope="module")
def gateway_settings(
    own_database: Database, nats_server: Nats, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return Settings.model_validate(
        {
            "nats_url": nats_server.url("gateway"),
            "database_url": own_database.url("gateway"),
            "data": tmp_path_factory.mktemp("gateway"),
        }
    )


@pytest.fixture(scope="module")
async def listening_ledger(own_database: Database, nats_server: Nats) -> AsyncIterator[FakeLedger]:
    async with answering(own_database, nats_server) as fake:
        yield fake


@pytest.fixture
def ledger(listening_ledger: FakeLedger) -> FakeLedger:
    """The ledger as if nobody had asked it anything."""
    listening_ledger.forget()
    return listening_ledger


@pytest.fixture(scope="module")
async def gateway(
    listening_ledger: FakeLedger, gateway_settings: Settings
) -> AsyncIterator[Gateway]:
    async with listening(Deps(gateway_settings)) as found:
        await found.healthy()
        yield found


@pytest.fixture
async def rivers(gateway: Gateway, ledger: FakeLedger) -> str:
    """The alias of a project of this test's own."""
    made = await gateway.post("/projects", {"name": f"Rivers {fresh_id()}"})
    return str(made["alias"])


@pytest.fixture(scope="module")
async def told(gateway: Gateway, listening_ledger: FakeLedger) -> Story:
    """The gateway after a whole story, with the blobs that it names."""
    story = Story()
    story.tell()
    blobs = gateway.deps.blobs
    assert isinstance(blobs, FolderBlobs)
    for kind, text in (
        ("text", TEXT),
        ("structure", STRUCTURE),
        ("prompt", "You write."),
        ("export", "one\n"),
        ("export", "two\n"),
        ("export", "whole"),
    ):
        await blobs.put(TENANT, kind, text.encode(), "text/plain")
    for ref, data in plan_blobs(story.good, 4):
        await blobs.put(TENANT, ref.kind, data, "application/json")
    await gateway.seen(await listening_ledger.keep(story))
    return story
