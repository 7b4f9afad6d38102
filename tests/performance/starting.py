"""From ``gristmill up`` to the first healthy answer, beside a bare start of the two servers that it starts."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from services.cli.tree import answers
from shared.stack import free_port, start
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.simulator.process import ROOT

WITHIN = 30.0


def measure(tell: Tell, times: int) -> list[Figure]:
    return asyncio.run(_measure(tell, times))


async def _measure(tell: Tell, times: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "data"
        tell("the first start over an empty folder")
        first = await _healthy_after(data)
        bare_first = await _servers_after(Path(folder) / "bare")
        ours, beside = [], []
        for n in range(times):
            tell(f"a start over what is there, {n + 1} of {times}")
            ours.append(await _healthy_after(data))
            beside.append(await _servers_after(data))
    than = "Postgres and NATS alone"
    return [
        Figure("gristmill up, empty folder", "s", (first,), than, (bare_first,), "less"),
        Figure("gristmill up, warm", "s", tuple(ours), than, tuple(beside), "less"),
    ]


async def _healthy_after(data: Path) -> float:
    """Seconds until ``/health`` says so; what was started is stopped again."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "services.cli", "up"]
    command += ["--port", str(port), "--data", str(data)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=_environment())
    try:
        while not await answers(f"http://127.0.0.1:{port}", "/health"):
            if process.poll() is not None or time.perf_counter() - began > WITHIN:
                raise RuntimeError("gristmill up does not come up")
            await asyncio.sleep(0.01)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, WITHIN)
        except subprocess.TimeoutExpired:
            # The benchmark goes on; what is left of the tree ends with this process, by its watchdog.
            process.kill()
            await asyncio.to_thread(process.wait)


async def _servers_after(data: Path) -> float:
    began = time.perf_counter()
    async with start(data):
        return time.perf_counter() - began


def _environment() -> dict[str, str]:
    """This one without what would point to other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRISTMILL_")}
