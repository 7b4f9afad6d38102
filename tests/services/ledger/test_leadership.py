"""One ledger records at a time, by a row on the database's clock that is checked in every transaction."""

import asyncio

import pytest

from contracts.project import ProjectCreated, ProjectRequested
from services.ledger import leadership
from services.ledger.leadership import LeadershipLost
from services.ledger.recorder import Recorder
from services.ledger.relay import Relay
from services.ledger.rows import House
from services.ledger.turn import Turn
from shared.bus import Asker
from shared.clock import monotonic
from shared.errors import Unavailable
from tests.services.ledger.mill import Mill, job

LONG = 60.0


async def claim(mill: Mill, holder: str, seconds: float) -> int | None:
    lease = await leadership.claim(mill.pool, holder, seconds)
    return None if lease is None else lease.epoch


async def epoch(mill: Mill) -> int:
    found: int = await mill.pool.fetchval("select epoch from ledger.leader")
    return found


async def test_nobody_becomes_leader_while_another_leads(mill: Mill) -> None:
    assert await claim(mill, "one", LONG) == 1
    assert await claim(mill, "other", LONG) is None
    await leadership.resign(mill.pool, 1)
    assert await claim(mill, "other", LONG) == 2


async def test_of_many_that_claim_at_once_one_leads(mill: Mill) -> None:
    claims = [claim(mill, str(n), LONG) for n in range(8)]
    found = await asyncio.gather(*claims)
    assert sorted(found, key=str) == [1] + [None] * 7


async def test_who_was_succeeded_or_is_too_late_may_not_write(mill: Mill) -> None:
    assert await claim(mill, "one", 0.0) == 1
    async with mill.pool.acquire() as connection, connection.transaction():
        with pytest.raises(LeadershipLost):
            await leadership.confirm(connection, 1, LONG)
    assert await claim(mill, "other", LONG) == 2
    async with mill.pool.acquire() as connection, connection.transaction():
        with pytest.raises(LeadershipLost):
            await leadership.confirm(connection, 1, LONG)
        await leadership.confirm(connection, 2, LONG)


async def test_a_lease_is_over_when_nobody_prolonged_it(mill: Mill) -> None:
    """What goes to the bus is checked against it, since no transaction sees that."""
    short = await leadership.claim(mill.pool, "one", 0.0)
    assert short is not None
    with pytest.raises(LeadershipLost):
        short.check()
    with pytest.raises(LeadershipLost):
        await leadership.keep(mill.pool, short)
    long = await leadership.claim(mill.pool, "other", LONG)
    assert long is not None
    await leadership.keep(mill.pool, long)
    long.check()


async def test_a_relay_of_an_older_epoch_says_nothing_and_notes_nothing(mill: Mill) -> None:
    await mill.ledger()
    await mill.project()
    await mill.stop_ledger()
    await mill.pool.execute("update ledger.checkpoints set pos = 0")
    old = await leadership.claim(mill.pool, "one", 0.0)
    assert old is not None
    heard = len(mill.heard)
    with pytest.raises(LeadershipLost):
        await Relay(mill.pool, mill.client, mill.blobs, House(), old)._events.publish()
    # One that was stopped just after it looked: the bus knows the events by their ids, the database its epoch.
    late = leadership.Lease(old.epoch, LONG, monotonic())
    assert await claim(mill, "other", LONG) == old.epoch + 1
    assert await Relay(mill.pool, mill.client, mill.blobs, House(), late)._events.publish()
    assert await mill.pool.fetchval("select pos from ledger.checkpoints") == 0
    assert await mill.in_stream("EVENTS") == 2
    await mill.until(lambda: len(mill.heard) == heard + 2)


async def test_who_resigns_too_late_does_not_depose_its_successor(mill: Mill) -> None:
    await claim(mill, "one", 0.0)
    await claim(mill, "other", LONG)
    await leadership.resign(mill.pool, 1)
    assert await claim(mill, "third", LONG) is None


async def test_nobody_takes_over_in_the_middle_of_a_leaders_transaction(mill: Mill) -> None:
    """The row is held from the check to the commit, however late that is."""
    assert await claim(mill, "one", 0.3) == 1
    async with mill.pool.acquire() as connection, connection.transaction():
        await leadership.confirm(connection, 1, LONG)

        async def over_as_others_see_it() -> bool:
            return (
                await mill.pool.fetchval("select expires_at < clock_timestamp() from ledger.leader")
                is True
            )

        await mill.until(over_as_others_see_it)
        claiming = asyncio.create_task(claim(mill, "other", LONG))

        async def waits() -> bool:
            return (
                await mill.pool.fetchval(
                    "select exists (select from pg_stat_activity where wait_event_type = 'Lock')"
                )
                is True
            )

        await mill.until(waits)
    assert await claiming is None


async def test_a_second_ledger_records_nothing_until_the_first_has_stopped(mill: Mill) -> None:
    first = await mill.ledger()
    await mill.until(lambda: b"leading" in first.answer("/readyz")[1])
    second = await mill.ledger()
    await mill.until(lambda: b"standing by" in second.answer("/readyz")[1])
    project = await mill.project()
    assert await epoch(mill) == 1
    assert b"standing by" in second.answer("/readyz")[1]

    await mill.stop_ledger(0)
    document = await mill.document(project, "1")
    assert document
    assert await epoch(mill) == 2
    assert b"leading" in second.answer("/readyz")[1]


async def test_a_ledger_takes_over_when_the_leaders_time_is_over(mill: Mill) -> None:
    """Whoever was killed resigns nothing."""
    assert await claim(mill, "killed", 0.5) == 1
    await mill.ledger()
    assert await mill.project()
    assert await epoch(mill) == 2


async def test_a_leader_that_was_succeeded_commits_nothing_and_stands_by(mill: Mill) -> None:
    health = await mill.ledger()
    await mill.project()
    # Its time is over while it does not look, and another one leads.
    await mill.pool.execute(
        """
        update ledger.leader set epoch = epoch + 1, holder = 'other',
            expires_at = clock_timestamp() + make_interval(secs => 60)
        """
    )
    with pytest.raises(Unavailable):
        await Asker(mill.outside, mill.settings("gateway")).ask(
            ProjectRequested(name="late"), tenant="default", source=mill.source, request_id="key"
        )
    await mill.until(lambda: b"standing by" in health.answer("/readyz")[1])
    assert len(await mill.said(ProjectCreated)) == 1

    # What it had taken is not lost: it comes back to whoever leads next.
    await leadership.resign(mill.pool, 2)
    assert job(await mill.ask(ProjectRequested(name="late"), "key"))
    assert len(await mill.said(ProjectCreated)) == 2
    assert await epoch(mill) == 3


async def test_a_recorder_of_an_older_epoch_leaves_nothing_behind(mill: Mill) -> None:
    assert await claim(mill, "one", LONG) == 1

    async def does_something(turn: Turn) -> None:
        await turn.connection.execute(
            "insert into ledger.requests values ('t', 's', 'k', '', '{}'::jsonb)"
        )

    recorder = Recorder(
        mill.pool,
        mill.client,
        mill.blobs,
        House(),
        lease=leadership.Lease(1, LONG, monotonic()),
        committed=lambda _: None,
    )
    await recorder.turn(does_something)
    await leadership.resign(mill.pool, 1)
    await claim(mill, "other", LONG)
    with pytest.raises(LeadershipLost):
        await recorder.turn(does_something)
    assert await mill.pool.fetchval("select count(*) from ledger.requests") == 1
