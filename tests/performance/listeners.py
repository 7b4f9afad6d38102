"""What 1,000 listeners to one job cost it: model calls a second through the whole mill, with them and without.

The calls are bound by the model's latency, as those of a real job are. Both speeds are taken over the same calls of a
job: from when the listeners are connected, or as many calls were made without them, to its end.
"""

import asyncio
import sys
import time
from urllib.parse import urlsplit

from tests.performance.figures import Figure
from tests.performance.mill import Mill, milling
from tests.performance.progress import Tell
from tests.performance.waiting import until

CONCURRENCY = 16
LATENCY_MS = 200.0


def measure(tell: Tell, calls: int, times: int, listeners: int = 1000) -> list[Figure]:
    return asyncio.run(_measure(tell, calls, times, listeners))


async def _measure(tell: Tell, calls: int, times: int, listeners: int) -> list[Figure]:
    tell("starting servers")
    alone, heard, states = [], [], 0
    async with milling() as mill:
        await _speed(mill, CONCURRENCY, 0, 0)
        for n in range(times):
            tell(f"{calls} calls with {listeners} listeners and without, {n + 1} of {times}")
            speed, after, said = await _speed(mill, calls, listeners, 0)
            heard.append(speed)
            states += said
            alone.append((await _speed(mill, calls, 0, after))[0])
    note = (
        f"{CONCURRENCY} at once, {LATENCY_MS:.0f} ms each;"
        f" {states / listeners / times:.0f} states of a job to each of {listeners} listeners"
    )
    return [
        Figure(
            "model calls of a job with listeners", "1/s", tuple(heard), "without", tuple(alone),
            "more", note,
        )
    ]  # fmt: skip


async def _speed(mill: Mill, calls: int, listeners: int, after: int) -> tuple[float, int, int]:
    """Calls a second once ``after`` were made and all listen; how many that were, and the states that were heard."""
    project = await mill.upload(calls)
    mill.simulation.reset(latency_ms=LATENCY_MS, latency_sigma=0)
    job = (await mill.generate(project, CONCURRENCY))["job_id"]
    ears = await _listening(mill, job, listeners) if listeners else None
    await until(lambda: mill.simulation.stats()["calls"] >= max(1, after))
    began, before = time.perf_counter(), int(mill.simulation.stats()["calls"])
    await mill.ended(job)
    took = time.perf_counter() - began
    made = int(mill.simulation.stats()["calls"]) - before
    states = int(await _line(ears)) if ears else 0
    if ears:
        await ears.wait()
    return made / took, before, states


async def _listening(mill: Mill, job: str, listeners: int) -> asyncio.subprocess.Process:
    """The process that listens, as soon as all of them were sent the job's first state."""
    door = urlsplit(mill.tree.url)
    ears = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.performance.ears", str(door.hostname), str(door.port),
        f"/api/v1/jobs/{job}/stream", str(listeners), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if await _line(ears) != "ready":
        raise ChildProcessError("the listeners could not listen")
    return ears


async def _line(ears: asyncio.subprocess.Process) -> str:
    if ears.stdout is None:
        raise ChildProcessError("the listeners' words are not heard")
    return (await ears.stdout.readline()).decode().strip()
