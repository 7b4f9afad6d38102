"""Outcomes recorded per second by the real ledger, beside bare ``unnest`` appends of the same rows to one Postgres.

INBOX is filled while no ledger runs; then ``python -m services.ledger`` starts, and the clock of the database says how
long it took from the first batch to the last. No model is called and no worker runs: new units are not dispatched.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import psutil

from contracts.dataset import Counts
from contracts.generation import GenerationRequested
from contracts.identity import command_id, outcome_id, seed_unit
from contracts.message import wire_type
from contracts.unit import UnitFinished
from services.cli.environment import environment
from services.cli.tree import module_commands
from services.ledger.processes.generation_state import GenerationState, Round
from shared.bus import TENANT, Envelope, connect
from shared.migrations import migrate
from shared.settings import Settings
from shared.stack import Child, Database, Nats, Program, Running, start
from shared.topology import declare
from tests.performance.figures import Figure
from tests.performance.outcomes import JOB, NO_BLOB, SETTINGS, outcomes
from tests.performance.progress import Tell
from tests.performance.waiting import until

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

BATCH = 500
TENANT_NAME = "default"
GENERATED = "gristmill.entries.generated.v1"
ANNOUNCED = """
select pos >= (select max(pos) from ledger.events) from ledger.checkpoints where name = 'relay'
"""


def measure(tell: Tell, count: int, times: int) -> list[Figure]:
    return asyncio.run(_measure(tell, count, times))


async def _measure(tell: Tell, count: int, times: int) -> list[Figure]:
    tell(f"making {count:,} outcomes")
    messages = [_envelope(each) for each in outcomes(count)]
    size = sum(len(each.body) for each in messages) / count
    runs = []
    with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
        Path(folder).chmod(0o711)
        async with start(Path(folder) / "data") as stack:
            await migrate(stack.admin_url)
            for n in range(times):
                tell(f"the ledger records {count:,} outcomes, {n + 1} of {times}")
                runs.append(await _run(stack, messages))
    recorded, announced, bare, cpu, bytes_of_work = zip(*runs, strict=True)
    return [
        Figure(
            "outcomes recorded by the ledger", "1/s", recorded, "bare unnest of the same rows", bare,
            "more",
            f"{size / 1000:.1f} kB a message, 2 events and 2 bodies each; {cpu[0]:.2f} ms of CPU each"
            f" (ledger, Postgres, NATS); a unit in flight holds {bytes_of_work[0]:.0f} bytes of rows",
        ),
        Figure(
            "  and announced on EVENTS", "1/s", announced, "bare unnest of the same rows", bare, "more"
        ),
    ]  # fmt: skip


async def _run(
    stack: Running, messages: Sequence[Envelope]
) -> tuple[float, float, float, float, float]:
    """Recorded and announced a second, bare appends a second, ms of processor time, bytes of a unit's rows."""
    database, bare = await stack.fresh_database(), await stack.fresh_database()
    nats = await stack.fresh_nats()
    admin = await asyncpg.connect(database.admin_url)
    try:
        await _jsonb_as_bytes(admin)
        of_work = await _prepare(admin, len(messages))
        await _fill(stack, nats, database, messages)
        recorded, announced, cpu = await _ledger(stack, nats, database, admin, len(messages))
        beside = await _bare(admin, bare, len(messages))
    finally:
        await admin.close()
        await nats.stop()
        await stack.drop_database(database)
        await stack.drop_database(bare)
    return recorded, announced, beside, cpu, of_work


async def _jsonb_as_bytes(connection: "Connection") -> None:
    """Rows are copied as they are, so that the yardstick pays for no encoding."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
    )


async def _prepare(admin: "Connection", units: int) -> float:
    """A job whose units are all in flight, as rows; bytes that a unit's row takes with its indexes."""
    request = GenerationRequested(project_id=JOB, settings=SETTINGS)
    state = GenerationState(
        project_id=JOB, phase="running", documents=1, asked=3 * units, next=units, stop=units,
        rounds=(Round(plan=NO_BLOB, first=0, seeds=units, accepted_before=0),),
        counts=Counts(seeds=units, in_flight=units),
    )  # fmt: skip
    await admin.execute(
        """
        insert into ledger.events (pos, era, stream_id, version, event_id, type, tenant, job_id, data)
        values (1, 1, $1, 1, $1, $2, $3, $1, $4)
        """,
        JOB,
        wire_type(GenerationRequested),
        TENANT_NAME,
        b"\x01" + request.model_dump_json().encode(),
    )
    await admin.execute(
        """
        insert into ledger.streams (stream_id, tenant, kind, project_id, version, open, state)
        values ($1, $2, 'generation', $1, 1, true, $3)
        """,
        JOB,
        TENANT_NAME,
        b"\x01" + state.model_dump_json().encode(),
    )
    await admin.execute("update ledger.logs set head = 1")
    ids = [seed_unit(JOB, seed) for seed in range(units)]
    await admin.execute(
        """
        insert into ledger.work (unit_id, job_id, tenant, service, command_id, attempt)
        select u, $2, $3, 'generate', c, 1 from unnest($1::uuid[], $4::uuid[]) as t(u, c)
        """,
        ids,
        JOB,
        TENANT_NAME,
        [command_id(ids[n - n % 8]) for n in range(units)],
    )
    size: int = await admin.fetchval("select pg_total_relation_size('ledger.work')")
    return size / units


def _envelope(report: UnitFinished) -> Envelope:
    outcome = str(outcome_id(report.unit_id, report.attempt, report.incarnation))
    return Envelope(
        type=wire_type(UnitFinished),
        id=outcome,
        source="generate",
        subject="gristmill.results.generate",
        body=report.model_dump_json().encode(),
        headers={TENANT: TENANT_NAME, "Nats-Msg-Id": outcome},
    )


async def _fill(
    stack: Running, nats: Nats, database: Database, messages: Sequence[Envelope]
) -> None:
    settings = _settings(stack, nats, database, "ledger")
    client = await connect(settings, "ledger")
    await declare(client, settings)
    await client.close()
    client = await connect(_settings(stack, nats, database, "generate"), "generate")
    stream = client.jetstream()
    for first in range(0, len(messages), 100):
        await asyncio.gather(
            *(
                stream.publish(each.subject, each.body, timeout=30, headers=each.all_headers())
                for each in messages[first : first + 100]
            )
        )
    await client.close()


def _settings(stack: Running, nats: Nats, database: Database, service: str) -> Settings:
    return Settings.model_validate(
        {
            "data": stack.data,
            "nats_url": nats.url(service),
            "database_url": database.url("ledger"),
        }
    )


async def _ledger(
    stack: Running, nats: Nats, database: Database, admin: "Connection", count: int
) -> tuple[float, float, float]:
    """Let a ledger process record what is in INBOX; recorded and announced a second, ms of CPU for each."""
    given = {
        "GRISTMILL_DATA": str(stack.data),
        "GRISTMILL_NATS_URL": nats.url("ledger"),
        "GRISTMILL_DATABASE_URL": database.url("ledger"),
    }
    inherited = {name: value for name, value in os.environ.items() if "GRISTMILL" not in name}
    program = Program(
        name="ledger",
        argv=module_commands()["ledger"],
        env=environment("ledger", inherited, given),
    )
    child = Child(program, stack.logs, stack.guard)
    await child.spawn()
    try:
        pids = (child.pid, nats.pid, stack.pid("postgres"))
        await until(lambda: _count(admin))
        begun, before = await _count(admin), _cpu(pids)
        await until(lambda: _is_recorded(admin, count))
        used = (_cpu(pids) - before) / max(1, count - begun)
        await until(lambda: admin.fetchval(ANNOUNCED))
        announced_at = await admin.fetchval("select clock_timestamp()")
    finally:
        await child.stop()
    batches = await admin.fetch(
        "select recorded_at, count(*) as n from ledger.events where type = $1 group by 1 order by 1",
        GENERATED,
    )
    took = (batches[-1]["recorded_at"] - batches[0]["recorded_at"]).total_seconds()
    in_all = (announced_at - batches[0]["recorded_at"]).total_seconds()
    # A batch bears the time at which its transaction began, so the last one is not in the span.
    return (count - batches[-1]["n"]) / took, count / in_all, used * 1000


async def _count(admin: "Connection") -> int:
    found: int = await admin.fetchval(
        "select count(*) from ledger.events where type = $1", GENERATED
    )
    return found


async def _is_recorded(admin: "Connection", count: int) -> bool:
    return await _count(admin) >= count


def _cpu(pids: Sequence[int]) -> float:
    """Seconds of processor time of processes with their children."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in tuple(processes):
        processes += process.children(recursive=True)
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def _bare(source: "Connection", database: Database, count: int) -> float:
    """Append the rows that the ledger wrote to an empty copy: a transaction for each batch, nothing else."""
    columns = {
        "events": "pos era stream_id version event_id type tenant job_id cause_id trace data recorded_at",
        "bodies": "body_id kind data",
        "body_sources": "document_id body_id",
    }
    rows: dict[str, list[list[Any]]] = {}
    for table, names in columns.items():
        found = await source.fetch(f"select {names.replace(' ', ', ')} from ledger.{table}")  # noqa: S608 - fixed names
        rows[table] = [list(column) for column in zip(*found, strict=True)]
    connection = await asyncpg.connect(database.url("ledger"))
    try:
        await _jsonb_as_bytes(connection)
        statements = {table: await _insert(connection, table, columns[table]) for table in columns}
        batches = max(1, count // BATCH)
        began = time.perf_counter()
        for n in range(batches):
            async with connection.transaction():
                for table, insert in statements.items():
                    total = len(rows[table][0])
                    part = slice(total * n // batches, total * (n + 1) // batches)
                    await insert(*(column[part] for column in rows[table]))
        return count / (time.perf_counter() - began)
    finally:
        await connection.close()


async def _insert(connection: "Connection", table: str, names: str) -> Callable[..., Any]:
    types = {
        row["attname"]: row["type"]
        for row in await connection.fetch(
            """
            select attname, format_type(atttypid, atttypmod) as type from pg_attribute
            where attrelid = $1::text::regclass and attnum > 0
            """,
            f"ledger.{table}",
        )
    }
    arrays = ", ".join(f"${n}::{types[name]}[]" for n, name in enumerate(names.split(), 1))
    listed = names.replace(" ", ", ")
    statement = f"insert into ledger.{table} ({listed}) select * from unnest({arrays})"  # noqa: S608 - fixed names
    prepared = await connection.prepare(statement)
    return prepared.fetch
