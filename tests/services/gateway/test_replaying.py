"""The log folded once more beside the live views: nothing happens where they agree, else they are swapped."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from contracts.identity import dataset_id
from services.gateway.views.versions import SCHEMA
from shared.stack import Database
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import JOB, Story

Until = Callable[..., Awaitable[None]]
ENTRIES = f"/datasets/{dataset_id(JOB)}/entries?status=all"


async def replayed(gateway: Gateway, until: Until) -> Any:
    await gateway.post("/service/replay", None, 202)
    seen: list[Any] = []

    async def ended() -> bool:
        seen.append(await gateway.get("/service/replay"))
        return not seen[-1]["running"]

    await until(ended, within=30)
    return seen[-1]


async def test_views_that_are_right_stay_and_wrong_ones_are_swapped(
    gateway: Gateway, told: Story, own_database: Database, until: Until
) -> None:
    await gateway.get("/service/replay", 404)
    before = await gateway.get(ENTRIES)
    right = await replayed(gateway, until)
    assert (right["problem"], right["differences"], right["swapped"]) == (None, {}, False)
    assert right["folded"] == right["head"] > 20
    assert right["rows"] > 10

    admin = await asyncpg.connect(own_database.admin_url)
    try:
        await admin.execute(f"set search_path = {SCHEMA}")
        await admin.execute("update entries set quality = 0.123 where seed = 1")
        assert await gateway.get(ENTRIES) != before
        wrong = await replayed(gateway, until)
        assert wrong["swapped"]
        assert set(wrong["differences"]) >= {"entries"}
        schemas = await admin.fetch("select nspname from pg_namespace where nspname ~ 'view|repl'")
        assert [each["nspname"] for each in schemas] == [SCHEMA]
    finally:
        await admin.close()
    await gateway.healthy()
    assert await gateway.get(ENTRIES) == before
    assert not (await replayed(gateway, until))["differences"]
