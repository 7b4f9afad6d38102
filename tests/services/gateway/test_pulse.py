"""The pulse of the store goes on beating after the server ended its session."""

from collections.abc import Awaitable, Callable

import asyncpg

from services.gateway.views.pulse import Pulse
from shared.stack import Database
from shared.store import open_pool

Until = Callable[..., Awaitable[None]]


async def test_a_session_that_the_server_ended_is_replaced_by_another(
    database: Database, until: Until
) -> None:
    pool = await open_pool(database.url("gateway"), most=2)
    admin = await asyncpg.connect(database.admin_url)
    try:
        pulse = Pulse(pool)
        assert await pulse._answers()
        ended = await admin.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where usename = 'gateway' and datname = current_database()"
        )
        assert ended > 0
        await until(pulse._answers)
        await pulse._let_go()
    finally:
        await admin.close()
        pool.terminate()
