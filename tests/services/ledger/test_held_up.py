"""Somebody holds a lock and says nothing more: timeouts free it, what waited is recorded, and it shows meanwhile."""

import asyncpg
import pytest

from contracts.project import ProjectCreated
from shared.stack import Database
from tests.services.ledger.mill import Mill

LOCKS = (
    "select * from ledger.logs for update",
    "select * from ledger.leader for update",
    "lock table ledger.events in access exclusive mode",
)


@pytest.mark.parametrize("role", ["ledger", "reader", "gateway"])
async def test_a_session_of_any_role_cannot_hold_or_wait_for_ever(
    database: Database, role: str
) -> None:
    """Whatever program it is of: the role says so, not the program."""
    connection = await asyncpg.connect(database.url(role))
    found = [
        await connection.fetchval(f"show {name}_timeout")
        for name in ("idle_in_transaction_session", "lock", "statement")
    ]
    await connection.close()
    assert found == ["15s", "10s", "1min"]


@pytest.mark.parametrize("lock", LOCKS)
async def test_a_parked_session_with_a_lock_is_ended_and_nothing_is_lost(
    mill: Mill, database: Database, lock: str
) -> None:
    health = await mill.ledger()
    await mill.project()
    parked = await asyncpg.connect(database.admin_url)
    await parked.execute("set idle_in_transaction_session_timeout = '1500ms'")
    await parked.execute("begin")
    await parked.execute(lock)
    ended = mill.until(parked.is_closed, within=15)
    project = await mill.project()
    await ended
    assert project
    assert len(await mill.said(ProjectCreated)) == 2
    await mill.until(lambda: b"leading" in health.answer("/readyz")[1])
    log = await mill.log()
    assert [each.position for each in log] == [f"1.{n}" for n in range(1, len(log) + 1)]
