"""How long a job stands still when a process is killed with SIGKILL: until the first new outcome is in the log.

After a kill of ``generate``, outcomes that it had said before are still recorded; so the clock runs until the model is
asked again and an outcome is recorded after that.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time

import asyncpg

from tests.performance.figures import Figure
from tests.performance.mill import Mill, milling
from tests.performance.progress import Tell
from tests.performance.waiting import until
from tests.simulator.process import ROOT

LATENCY_MS = 500.0
BUSY = 32
"""Calls in flight before a process is killed: an idle one would have nothing to lose."""
NEWEST = """
select max(pos) from ledger.events where type = 'gristmill.entries.generated.v1' and pos > $1
"""


def measure(tell: Tell, chunks: int, times: int) -> list[Figure]:
    return asyncio.run(_measure(tell, chunks, times))


async def _measure(tell: Tell, chunks: int, times: int) -> list[Figure]:
    tell("starting processes that do nothing")
    fresh = {service: _starts(service, times) for service in ("generate", "ledger")}
    async with milling() as mill:
        tell(f"preparing a job of {chunks} chunks")
        project = await mill.upload(chunks)
        mill.simulation.reset(latency_ms=LATENCY_MS)
        job = await mill.generate(project, 64)
        connection = await asyncpg.connect(mill.tree.stack.admin_url)
        try:
            await _outcome_after(connection, 0)
            ledger, generate = [], []
            for n in range(times):
                tell(f"kill -9 of the ledger, {n + 1} of {times}")
                ledger.append(await _kill_ledger(mill, connection))
                tell(f"kill -9 of generate, {n + 1} of {times}")
                generate.append(await _kill_generate(mill, connection))
        finally:
            await connection.close()
        tell("waiting for the end of the job")
        status = await mill.ended(job["job_id"])
        counts = status["result"]["counts"]
        again = mill.simulation.stats()["calls"] - counts["seeds"]
    note = (
        f"job {status['status']}: {counts['done']} of {counts['seeds']} seeds done, {again} calls made again "
        f"({times} x up to 64 were in flight); waits: ack wait 10 s, deadline 8 s, leadership 3 s"
    )
    than = "process start + one call"
    return [
        Figure("after kill -9 of generate", "s", tuple(generate), than, fresh["generate"], "less"),
        Figure("after kill -9 of the ledger", "s", tuple(ledger), than, fresh["ledger"], "less", note),
    ]  # fmt: skip


def _starts(service: str, times: int) -> tuple[float, ...]:
    """Seconds until a new process has loaded the service's code, and then one model call."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", f"import services.{service}.app"], cwd=ROOT, check=True
        )
        found.append(time.perf_counter() - began + LATENCY_MS / 1000)
    return tuple(found)


async def _kill_ledger(mill: Mill, connection: "asyncpg.Connection[asyncpg.Record]") -> float:
    await _busy(mill)
    os.kill(mill.tree.pid("ledger"), signal.SIGKILL)
    began = time.perf_counter()
    await _outcome_after(connection, await _head(connection))
    return time.perf_counter() - began


async def _kill_generate(mill: Mill, connection: "asyncpg.Connection[asyncpg.Record]") -> float:
    await _busy(mill)
    os.kill(mill.tree.pid("generate"), signal.SIGKILL)
    began = time.perf_counter()
    await asyncio.sleep(0.05)  # what the dead process had sent is counted by now
    asked = mill.simulation.stats()["calls"]
    await until(lambda: mill.simulation.stats()["calls"] > asked)
    await _outcome_after(connection, await _head(connection))
    return time.perf_counter() - began


async def _busy(mill: Mill) -> None:
    await until(lambda: mill.simulation.stats()["in_flight"] >= BUSY)


async def _head(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    found: int = await connection.fetchval("select head from ledger.logs")
    return found


async def _outcome_after(connection: "asyncpg.Connection[asyncpg.Record]", position: int) -> None:
    await until(lambda: connection.fetchval(NEWEST, position))
