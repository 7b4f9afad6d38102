"""A mill of each test's own: a fresh database, an emptied bus, short times."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.settings import Settings
from shared.stack import Database, Nats
from tests.services.ledger.mill import Mill

QUICK = {"ack_wait": 1.0, "beat": 0.1, "deadline": 0.8, "leadership": 0.8}


@pytest.fixture
async def mill(
    database: Database,
    nats_server: Nats,
    make_settings: Callable[..., Settings],
    until: Callable[..., Awaitable[None]],
) -> AsyncIterator[Mill]:
    """No ledger runs yet, nor any worker."""

    def settings(service: str) -> Settings:
        role = "ledger" if service == "ledger" else "reader"
        return make_settings(service, nats=nats_server, database=database, role=role, **QUICK)

    async with Mill(settings, until).opened() as mill:
        yield mill


@pytest.fixture
async def own_bus(
    database: Database,
    fresh_nats: Nats,
    make_settings: Callable[..., Settings],
    until: Callable[..., Awaitable[None]],
) -> AsyncIterator[Mill]:
    """A mill whose NATS may be killed and emptied."""

    def settings(service: str) -> Settings:
        role = "ledger" if service == "ledger" else "reader"
        return make_settings(
            service,
            nats=fresh_nats,
            database=database,
            role=role,
            **QUICK,
        )

    async with Mill(settings, until).opened() as mill:
        yield mill
