"""A ledger's process that was stopped is replaced; when it wakes up it writes nothing, neither here nor there.

The database itself writes down which process wrote what while which one led, and the checker judges by that. Without
the fence the same scenario must show the damage: otherwise the test would prove nothing.
"""

import asyncio
import signal
from typing import Any
from uuid import UUID

import asyncpg

from contracts.entries import EntriesGenerated
from contracts.job import JobCompleted
from shared.stack import Database
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, generated
from tests.services.ledger.processes import process

WRITES = """
    create table public.writes (n bigint generated always as identity, writer text, epoch bigint, what text);
    grant select, insert on public.writes to ledger;
    create function public.note() returns trigger language plpgsql as $$
    begin
        insert into public.writes (writer, epoch, what)
        select current_setting('application_name'), l.epoch, tg_table_name from ledger.leader l;
        return null;
    end $$;
    create trigger noted after insert or update on ledger.events for each statement execute function public.note();
    create trigger noted after insert or update on ledger.work for each statement execute function public.note();
    create trigger noted after update on ledger.checkpoints for each row execute function public.note();
    create trigger noted after update on ledger.commands for each row execute function public.note();
"""


async def leads(mill: Mill, name: str) -> bool:
    """Whether this process was the last that wrote under the newest epoch."""
    return (
        await mill.pool.fetchval(
            "select (select writer from public.writes order by n desc limit 1) = $1", name
        )
        is True
    )


async def epoch(mill: Mill) -> int:
    found: int = await mill.pool.fetchval("select epoch from ledger.leader")
    return found


async def written(mill: Mill, name: str) -> int:
    found: int = await mill.pool.fetchval(
        "select count(*) from public.writes where writer = $1", name
    )
    return found


async def usurped(mill: Mill) -> int:
    """Writes of a process under an epoch that was not its own: each epoch belongs to who wrote under it first."""
    found: int = await mill.pool.fetchval(
        """
        select count(*) from public.writes w join (
            select distinct on (epoch) epoch, writer from public.writes order by epoch, n
        ) owner using (epoch) where w.writer <> owner.writer
        """
    )
    return found


async def one_is_stopped_and_wakes_up(mill: Mill, database: Database, module: str) -> UUID:
    """Two ledgers, a job in its middle; the leader is stopped until it was replaced. The job, which has ended."""
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute(WRITES)
    await admin.close()
    held, gate = asyncio.Semaphore(0), asyncio.Event()

    async def slowly(task: Task[Any]) -> Done:
        if not gate.is_set():
            await held.acquire()
        return generated(task)

    async with process(mill, "ledger", "first", module) as first:
        mill.documents()
        mill.generation(generate=slowly)
        job = await mill.generate_from(80, concurrency=8)
        assert await leads(mill, "first")
        async with process(mill, "ledger", "second", module):
            before = await epoch(mill)
            for _ in range(20):
                held.release()
            await mill.until(lambda: some_done(mill, job, 10), within=30)
            first.signal(signal.SIGSTOP)
            # Outcomes come while nobody records: the one that was stopped is handed some of them.
            for _ in range(20):
                held.release()

            async def replaced() -> bool:
                return await epoch(mill) > before and await leads(mill, "second")

            await mill.until(replaced, within=30)
            count = await written(mill, "first")
            first.signal(signal.SIGCONT)
            gate.set()
            for _ in range(80):
                held.release()
            if module == "services.ledger":
                await mill.until(lambda: b"LeadershipLost" in first.log.read_bytes(), within=30)
            else:
                await mill.until(lambda: more(mill, "first", count), within=30)
            assert await mill.ended(job, within=30) == [JobCompleted()]
    return job


async def some_done(mill: Mill, job: UUID, least: int) -> bool:
    return len(await mill.said(EntriesGenerated, job)) >= least


async def more(mill: Mill, name: str, than: int) -> bool:
    return await written(mill, name) > than


async def whole(mill: Mill, job: UUID) -> None:
    """Unique keys hold whoever wrote: nothing is there twice, and nothing is missing."""
    counts = (await mill.state(job))["counts"]
    assert counts["seeds"] == counts["done"] == counts["accepted"] == 80
    made = [each.unit_id for each in await mill.said(EntriesGenerated, job)]
    assert len(made) == len(set(made)) == 80
    log = await mill.log()
    assert [each.position for each in log] == [f"1.{n}" for n in range(1, len(log) + 1)]


async def test_a_stopped_ledger_is_replaced_and_writes_nothing_when_it_wakes_up(
    mill: Mill, database: Database
) -> None:
    job = await one_is_stopped_and_wakes_up(mill, database, "services.ledger")
    await whole(mill, job)
    assert await usurped(mill) == 0


async def test_without_the_fence_two_ledgers_write_at_once_and_the_checker_sees_it(
    mill: Mill, database: Database
) -> None:
    """The negative control. Even so the log's keys keep every fact to once."""
    job = await one_is_stopped_and_wakes_up(mill, database, "tests.services.ledger.unfenced")
    assert await usurped(mill) > 0
    await whole(mill, job)
