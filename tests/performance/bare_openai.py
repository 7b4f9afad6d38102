"""What a short script costs that does the same with the openai package: a window of calls, a JSON line for each entry.

``python -m tests.performance.bare_openai http://127.0.0.1:PORT/v1 --calls 500 --concurrency 64`` prints one line of
JSON. It keeps no state, so a kill loses what it had not written; that is the least that a user would write by hand.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TextIO

from openai import AsyncOpenAI

from tests.performance.bare_client import cpu
from tests.performance.prompts import prompt
from tests.simulator.process import ROOT, Simulation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    prompts = [prompt(number) for number in range(given.calls)]
    with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
        path = Path(folder) / "entries.jsonl"
        began, used = time.perf_counter(), cpu()
        with path.open("w", encoding="utf-8") as file:
            asyncio.run(ask(given.base_url, prompts, given.concurrency, file))
        wall = time.perf_counter() - began
        figures = {
            "calls": given.calls,
            "wall_s": round(wall, 3),
            "cpu_ms_per_call": round((cpu() - used) * 1000 / given.calls, 3),
            "bytes": path.stat().st_size,
        }
    sys.stdout.write(json.dumps(figures) + "\n")


def measure(
    simulation: Simulation, calls: int, concurrency: int, latency_ms: float, sigma: float = 0
) -> dict[str, Any]:
    """What a process of this module says of so many calls, with its ``efficiency``."""
    simulation.reset(latency_ms=latency_ms, latency_sigma=sigma)
    command = [sys.executable, "-m", __name__, simulation.openai_base_url]
    command += ["--calls", str(calls), "--concurrency", str(concurrency)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    figures["efficiency"] = simulation.stats()["latency_s"] / concurrency / figures["wall_s"]
    return figures


async def ask(
    base_url: str, prompts: list[tuple[str, str]], concurrency: int, file: TextIO
) -> None:
    """Send every prompt, ``concurrency`` at a time, and write each entry of each answer as a line."""
    waiting = iter(prompts)

    async def one_after_another(client: AsyncOpenAI) -> None:
        for system, user in waiting:
            answer = await client.chat.completions.create(
                model="simulated",
                messages=[
                    {"role": "system", "content": system},
                    {"role": "user", "content": user},
                ],
                max_tokens=2000,
                temperature=0.7,
            )
            entries = json.loads(answer.choices[0].message.content or "{}")["entries"]
            file.writelines(json.dumps(entry) + "\n" for entry in entries)

    async with AsyncOpenAI(base_url=base_url, api_key="simulated") as client:
        await asyncio.gather(*(one_after_another(client) for _ in range(concurrency)))


if __name__ == "__main__":
    main()
