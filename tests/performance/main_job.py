"""The main job beside a bare client on the same simulated model: efficiency, processor time, growth, first entry, disk.

All jobs run one after another in one Gristmill with one process of each service; each has prose of its own.
"""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

from tests.performance import bare_client, bare_openai
from tests.performance.figures import Figure
from tests.performance.mill import Ground, Mill, milling
from tests.performance.progress import Tell

LATENCY_MS, SIGMA = 500.0, 0.7
WIDE = 256
"""Model calls at once where a job has many."""
SETTLED = """
select extract(epoch from min(recorded_at) filter (where type = 'gristmill.generation.requested.v1')) as asked,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.generation.planned.v1')) as planned,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.entries.generated.v1')) as generated,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.entries.curated.v1')) as curated,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.entries.admitted.v1')) as admitted,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.dataset.completed.v1')) as closed,
    extract(epoch from max(recorded_at) filter (where type = 'gristmill.dataset.exported.v1')) as exported
from ledger.events where job_id = $1
"""


def measure(tell: Tell, chunks: int, concurrency: int) -> list[Figure]:
    return asyncio.run(_measure(tell, chunks, concurrency))


async def _measure(tell: Tell, chunks: int, concurrency: int) -> list[Figure]:
    small = max(1, chunks // 10)
    async with milling() as mill:
        tell(f"a job of {small} chunks, {LATENCY_MS:g} ms, {concurrency} at once")
        first = await mill.grind(small, concurrency, LATENCY_MS)
        before = await stored(mill)
        tell(f"a job of {chunks} chunks")
        job = await mill.grind(chunks, concurrency, LATENCY_MS)
        after = await stored(mill)
        stages = await settled(mill, job)
        tell(f"a bare client making {chunks} calls")
        bare = await asyncio.to_thread(
            bare_client.measure, mill.simulation, chunks, concurrency, LATENCY_MS
        )
        tell(f"a job of {chunks} chunks, lognormal latency (sigma {SIGMA})")
        varied = await mill.grind(chunks, concurrency, LATENCY_MS, SIGMA)
        tell(f"a bare client making {chunks} calls, lognormal latency")
        bare_varied = await asyncio.to_thread(
            bare_client.measure, mill.simulation, chunks, concurrency, LATENCY_MS, SIGMA
        )
        tell(f"a job of {chunks} chunks, {WIDE} at once")
        wide = await mill.grind(chunks, WIDE, LATENCY_MS)
        tell(f"a bare client making {chunks} calls, {WIDE} at once")
        bare_wide = await asyncio.to_thread(
            bare_client.measure, mill.simulation, chunks, WIDE, LATENCY_MS
        )
        tell(f"the openai client making {chunks} calls and writing JSONL")
        script = await asyncio.to_thread(
            bare_openai.measure, mill.simulation, chunks, concurrency, LATENCY_MS
        )
    grown = {name: after[name] - before.get(name, 0.0) for name in after}
    return [
        efficiency(f"efficiency, {job.calls} x {LATENCY_MS:g} ms, c={concurrency}", job, bare),
        efficiency(f"efficiency, lognormal, sigma {SIGMA}", varied, bare_varied),
        efficiency(f"efficiency, {wide.calls} x {LATENCY_MS:g} ms, c={WIDE}", wide, bare_wide),
        tail(job, stages),
        *processor(job, bare, script),
        *first_entry(first, job),
        *growth(first, job),
        *disk(job, grown),
    ]


def efficiency(what: str, job: Ground, bare: dict[str, Any]) -> Figure:
    note = (
        f"{job.calls} calls of {job.ideal * job.concurrency / job.calls * 1000:.0f} ms in {job.wall:.1f} s "
        f"(ideal {job.ideal:.1f}); bare {bare['wall_s']:.1f} s; "
        f"calls alone took {job.stats['last'] - job.stats['first']:.1f} s"
    )
    return Figure(
        what, "share of 1", (job.efficiency,), "bare aiohttp", (bare["efficiency"],), "more", note
    )


def tail(job: Ground, stages: dict[str, float]) -> Figure:
    """The wall time beside that of the ideal, with where it went by the log's own clock."""
    note = "in the log after: " + ", ".join(f"{name} {at:.1f} s" for name, at in stages.items())
    return Figure("the whole job", "s", (job.wall,), "ideal", (job.ideal,), "less", note)


def processor(job: Ground, bare: dict[str, Any], script: dict[str, Any]) -> list[Figure]:
    """Milliseconds of processor time per model call, in all and by process."""
    by_bare, calls = bare["cpu_ms_per_call"], job.calls
    in_all = sum(job.cpu.values()) * 1000 / calls
    simulated = job.stats["cpu_s"] * 1000 / calls
    beside = bare["simulator_cpu_s"] * 1000 / bare["calls"]
    rows = [
        Figure(
            "CPU of all processes", "ms a call", (in_all,),
            "openai client writing JSONL", (script["cpu_ms_per_call"],), "less",
            f"{len(job.cpu)} processes, servers included; the client's efficiency: {script['efficiency']:.2f}",
        ),
        Figure(
            "CPU of all processes", "ms a call", (in_all,), "bare aiohttp", (by_bare,), "less",
            f"the simulated model itself: {simulated:.2f} ms a call, {beside:.2f} under the bare client",
        )
    ]  # fmt: skip
    rows += [
        Figure(
            f"  of which {name}",
            "ms a call",
            (used * 1000 / calls,),
            "bare aiohttp",
            (by_bare,),
            "less",
        )
        for name, used in sorted(job.cpu.items(), key=lambda each: -each[1])
        if used * 1000 / calls >= 0.05
    ]
    return rows


def first_entry(small: Ground, large: Ground) -> list[Figure]:
    """From the request to the first accepted entry that can be read over REST."""
    return [
        Figure(
            f"first accepted entry over REST, {job.calls} chunks", "s", (job.first_entry,),
            "one model call", (LATENCY_MS / 1000,), "less",
        )
        for job in (small, large)
    ]  # fmt: skip


def growth(small: Ground, large: Ground) -> list[Figure]:
    """Ten times the work: ten times the calls, and no more memory."""
    most = [sum(job.rss.values()) for job in (small, large)]
    by_process = ", ".join(
        f"{name} {small.rss[name]:.0f}→{large.rss[name]:.0f}" for name in large.rss
    )
    times = large.calls / small.calls
    return [
        Figure(
            f"growth of wall time at {times:g}x the chunks", "x", (large.wall / small.wall,),
            "growth of the ideal", (large.ideal / small.ideal,), "less",
            f"{small.wall:.1f} s at {small.calls}, {large.wall:.1f} s at {large.calls}",
        ),
        Figure(
            f"peak memory at {large.calls} chunks", "MB", (most[1],),
            f"at {small.calls} chunks", (most[0],), "less",
            f"RSS by process, without Postgres: {by_process}",
        ),
    ]  # fmt: skip


def disk(job: Ground, grown: dict[str, float]) -> list[Figure]:
    """Bytes that one generated entry takes, with what it was made from, beside its line in the exported file."""
    made = job.counts["generated"]
    exported = grown["blobs/export"] / max(1, job.counts["accepted"])
    blobs = {name: size for name, size in grown.items() if name.startswith("blobs/")}
    tables = {name: size for name, size in grown.items() if "." in name}
    than, beside = "jsonl line with provenance", (exported,)
    return [
        Figure("Postgres", "bytes an entry", (grown["database"] / made,), than, beside, "less",
            f"{made} entries; by table with indexes: {_shares(tables, made)}"),
        Figure("blobs", "bytes an entry", (sum(blobs.values()) / made,), than, beside, "less",
            f"by kind: {_shares(blobs, made)}"),
    ]  # fmt: skip


def _shares(sizes: dict[str, float], made: int) -> str:
    """The largest first; what is less than 10 bytes an entry is left out."""
    largest = sorted(sizes.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {size / made:.0f}" for name, size in largest if size >= 10 * made)


async def settled(mill: Mill, job: Ground) -> dict[str, float]:
    """Seconds from the request to the last event of each stage, by the clock of the log."""
    connection = await asyncpg.connect(mill.tree.stack.admin_url)
    try:
        row = await connection.fetchrow(SETTLED, job.status["job_id"])
    finally:
        await connection.close()
    assert row is not None
    return {name: float(at - row["asked"]) for name, at in list(row.items())[1:] if at is not None}


async def stored(mill: Mill) -> dict[str, float]:
    """Bytes of the database, of each of its tables with their indexes, and of the blobs by kind."""
    connection = await asyncpg.connect(mill.tree.stack.admin_url)
    try:
        rows = await connection.fetch(
            """
            select schemaname || '.' || relname as name, pg_total_relation_size(relid)::float8 as size
            from pg_stat_user_tables
            """
        )
        whole = await connection.fetchval("select pg_database_size(current_database())::float8")
    finally:
        await connection.close()
    found: dict[str, float] = {row["name"]: row["size"] for row in rows} | {"database": whole}
    root: Path = mill.tree.stack.data / "blobs"
    for path in root.rglob("*"):
        if path.is_file():
            kind = f"blobs/{path.relative_to(root).parts[1]}"
            found[kind] = found.get(kind, 0.0) + path.stat().st_size
    return found
