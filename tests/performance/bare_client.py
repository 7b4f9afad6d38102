"""The least that any client must pay: asyncio and aiohttp, a window of calls, nothing kept and nothing retried.

``python -m tests.performance.bare_client http://127.0.0.1:PORT/v1 --calls 500 --concurrency 64`` prints one line of
JSON. What a pipeline costs is said next to this, in one run on one machine.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from typing import Any

import aiohttp
import orjson

from tests.performance.prompts import prompt
from tests.simulator.process import ROOT, Simulation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--first", type=int, default=0, help="number of the first prompt")
    given = parser.parse_args()
    prompts = [prompt(number) for number in range(given.first, given.first + given.calls)]
    began, used = time.perf_counter(), cpu()
    characters = asyncio.run(ask(given.base_url, prompts, given.concurrency))
    figures = {
        "client": "aiohttp",
        "calls": given.calls,
        "concurrency": given.concurrency,
        "wall_s": round(time.perf_counter() - began, 3),
        "cpu_s": round(cpu() - used, 3),
        "cpu_ms_per_call": round((cpu() - used) * 1000 / given.calls, 3),
        "characters": characters,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def measure(
    simulation: Simulation, calls: int, concurrency: int, latency_ms: float, sigma: float = 0
) -> dict[str, Any]:
    """What a process of this module says of so many calls, with ``efficiency`` and the model's own account."""
    simulation.reset(latency_ms=latency_ms, latency_sigma=sigma)
    busy = simulation.stats()["cpu_s"]
    command = [sys.executable, "-m", __name__, simulation.openai_base_url]
    command += ["--calls", str(calls), "--concurrency", str(concurrency)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    stats = simulation.stats()
    figures["efficiency"] = stats["latency_s"] / concurrency / figures["wall_s"]
    figures["simulator_cpu_s"] = stats["cpu_s"] - busy
    return figures


def cpu() -> float:
    """Seconds of processor time that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def ask(base_url: str, prompts: list[tuple[str, str]], concurrency: int) -> int:
    """Send every prompt, ``concurrency`` at a time; the number of characters that came back."""
    waiting = iter(prompts)
    url = f"{base_url}/chat/completions"

    async def one_after_another(session: aiohttp.ClientSession) -> int:
        total = 0
        for system, user in waiting:
            body = {
                "model": "simulated",
                "messages": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": user},
                ],
                "max_tokens": 2000,
                "temperature": 0.7,
            }
            async with session.post(url, data=orjson.dumps(body)) as response:
                answer = orjson.loads(await response.read())
                total += len(answer["choices"][0]["message"]["content"])
        return total

    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        return sum(await asyncio.gather(*(one_after_another(session) for _ in range(concurrency))))


if __name__ == "__main__":
    main()
