"""A connection to the bus hears again after the network, or the server, stood still for a while."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client
from pydantic import SecretStr

from shared.connecting import connect
from shared.settings import Settings
from shared.stack import Nats
from tests.chaos.proxy import Proxy

Until = Callable[..., Awaitable[None]]


@pytest.fixture
async def proxy(nats_server: Nats) -> AsyncIterator[Proxy]:
    made = Proxy(lambda: nats_server.port)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def client(nats_server: Nats, proxy: Proxy, tmp_path: Path) -> AsyncIterator[Client]:
    url = nats_server.url("operator").replace(str(nats_server.port), str(proxy.port))
    made = await connect(Settings(nats_url=SecretStr(url), data=tmp_path), "operator")
    yield made
    await made.close()


async def hears(client: Client) -> bool:
    try:
        await client.jetstream(timeout=1).account_info()
    except (nats.errors.Error, TimeoutError):
        return False
    return True


async def test_an_answer_that_comes_after_its_asker_gave_up_makes_nobody_deaf(
    client: Client, proxy: Proxy, until: Until
) -> None:
    proxy.hush()
    with pytest.raises(nats.errors.FlushTimeoutError):
        await client.flush(timeout=1)
    proxy.heal()
    await until(lambda: hears(client))
    assert client.stats["reconnects"] == 0


async def test_a_connection_whose_reading_ended_for_whatever_reason_is_made_anew(
    client: Client, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def broken(_: bytes) -> None:
            patch.undo()
            raise RuntimeError("a fault in the library")

        patch.setattr(client._ps, "parse", broken)
        await client._send_ping()
        await until(lambda: client.stats["reconnects"] == 1)
    await until(lambda: hears(client))
