"""The main job under load: efficiency = (model calls × latency ÷ concurrency) ÷ wall time, from accepted to completed.

``python -m tests.performance.mill --chunks 2500 --concurrency 64 --latency-ms 500`` runs the whole process tree against
the simulated model and prints one line of JSON. Documents are uploaded, parsed and chunked before the clock starts.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from services.cli.tree import Tree, running
from tests.performance.station import section as station
from tests.simulator.process import Simulation, start

SECTIONS = 500
"""Of a document."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=2500)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=500)
    parser.add_argument("--sigma", type=float, default=0, help="of a lognormal latency; 0: fixed")
    given = parser.parse_args()
    figures = asyncio.run(measure(given.chunks, given.concurrency, given.latency_ms, given.sigma))
    sys.stdout.write(json.dumps(figures) + "\n")


async def measure(
    chunks: int, concurrency: int, latency_ms: float, sigma: float = 0
) -> dict[str, Any]:
    async with milling() as mill:
        return (await mill.grind(chunks, concurrency, latency_ms, sigma)).summary()


@dataclass(frozen=True, slots=True)
class Ground:
    """One job, as the API, the operating system and the simulated model saw it. Times are in seconds."""

    status: dict[str, Any]
    concurrency: int
    wall: float
    first_entry: float
    """Until the first accepted entry could be read over REST."""
    cpu: dict[str, float]
    """Of the job alone, by process."""
    rss: dict[str, float]
    """The most that each process held at once, in MB."""
    stats: dict[str, Any]
    """The simulated model's own account of the job."""

    @property
    def calls(self) -> int:
        return int(self.stats["calls"])

    @property
    def ideal(self) -> float:
        """Seconds that the calls alone would take, always so many at once."""
        return float(self.stats["latency_s"]) / self.concurrency

    @property
    def efficiency(self) -> float:
        return self.ideal / self.wall

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.status["result"]["counts"]
        return counts

    def summary(self) -> dict[str, Any]:
        first = self.stats["first"]
        return {
            "status": self.status["status"],
            "error": self.status["error"],
            "rejected_by_reason": self.status["result"]["rejected_by_reason"],
            "counts": self.counts,
            "calls": self.calls,
            "ideal_s": round(self.ideal, 2),
            "wall_s": round(self.wall, 2),
            "efficiency": round(self.efficiency, 3),
            "calls_s": round(self.stats["last"] - first, 2) if first else None,
            "first_entry_s": round(self.first_entry, 2),
            "in_flight_max": self.stats["in_flight_max"],
            "cpu_ms_per_call": round(sum(self.cpu.values()) * 1000 / max(1, self.calls), 2),
            "cpu_s": {name: round(used, 2) for name, used in self.cpu.items()},
            "simulator_cpu_s": round(self.stats["cpu_s"], 2),
            "rss_mb": {name: round(most) for name, most in self.rss.items()},
        }


@asynccontextmanager
async def milling() -> AsyncIterator["Mill"]:
    """A whole Gristmill in a folder of its own, with a simulated model; nothing is left behind."""
    simulation = start()
    try:
        with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
            Path(folder).chmod(0o711)
            environ = {
                "OPENAI_BASE_URL": simulation.openai_base_url,
                "OPENAI_API_KEY": "simulated",
                "PATH": "/usr/bin:/bin",
            }
            async with (
                running(Path(folder) / "data", environ=environ) as tree,
                aiohttp.ClientSession(f"{tree.url}/api/v1/") as api,
            ):
                yield Mill(tree, simulation, api)
    finally:
        simulation.stop()


class Mill:
    """``tree``, the simulated model it asks, and a client of its API."""

    def __init__(self, tree: Tree, simulation: Simulation, api: aiohttp.ClientSession) -> None:
        self.tree = tree
        self.simulation = simulation
        self.api = api
        self._used = 0
        """Sections of prose that were handed out: no two jobs get the same."""

    async def grind(
        self, chunks: int, concurrency: int, latency_ms: float, sigma: float = 0
    ) -> Ground:
        """Run one job over so many chunks of fresh prose, to its end."""
        project = await self.upload(chunks)
        self.simulation.reset(latency_ms=latency_ms, latency_sigma=sigma)
        busy = self.simulation.stats()["cpu_s"]
        cpu, began = processor_time(self.tree), time.perf_counter()
        job = await self.generate(project, concurrency)
        rss: dict[str, float] = {}
        watching = asyncio.create_task(self._watch_memory(rss))
        try:
            first = await self._first_entry(job["dataset_id"], began)
            status = await self.ended(job["job_id"])
            wall = time.perf_counter() - began
            used = {name: t - cpu[name] for name, t in processor_time(self.tree).items()}
        finally:
            watching.cancel()
        stats = self.simulation.stats()
        stats["cpu_s"] -= busy
        return Ground(status, concurrency, wall, first, used, rss, stats)

    async def upload(self, chunks: int) -> str:
        """A project with parsed and chunked documents of so many chunks; its id."""
        project: str = (await self._post("projects", {"name": f"bench {self._used}"}))["id"]
        form = aiohttp.FormData({"project_id": project})
        for name, text in prose(self._used, chunks):
            form.add_field("files", text.encode(), filename=name, content_type="text/markdown")
        self._used += chunks
        async with self.api.post("documents/upload", data=form) as response:
            documents = [each["id"] for each in (await response.json())["uploaded_files"]]
        job = await self._post(
            "documents/process",
            {
                "project_id": project,
                "document_ids": documents,
                "chunk_strategy": "markdown",
                "chunk_size": 2000,
                "overlap": 0,
            },
        )
        await self.ended(job["job_id"])
        return project

    async def generate(self, project: str, concurrency: int) -> dict[str, Any]:
        """Ask for a dataset; return what the API answers."""
        return await self._post(
            "datasets/generate",
            {
                "project_id": project,
                "model": "openai/simulated",
                "concurrency": concurrency,
                "datasets_per_chunk": 3,
                "batch_size": 0,
            },
        )

    async def _first_entry(self, dataset: str, began: float) -> float:
        """Seconds from ``began`` until an accepted entry can be read."""
        async with asyncio.timeout(120):
            while True:
                async with self.api.get(f"datasets/{dataset}/entries?per_page=1") as response:
                    if response.status == 200 and (await response.json())["entries"]:
                        return time.perf_counter() - began
                await asyncio.sleep(0.05)

    async def _watch_memory(self, most: dict[str, float]) -> None:
        """Keep in ``most`` the most that each process held."""
        while True:
            for name, held in memory(self.tree).items():
                most[name] = max(held, most.get(name, 0))
            await asyncio.sleep(0.5)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.api.post(path, json=body) as response:
            answer: dict[str, Any] = await response.json()
            if response.status >= 300:
                raise RuntimeError(f"{path}: {response.status} {answer}")
            return answer

    async def ended(self, job: str, within: float = 600) -> dict[str, Any]:
        """Wait for a job to end; its status."""
        async with asyncio.timeout(within):
            while True:
                async with self.api.get(f"jobs/status/{job}") as response:
                    status: dict[str, Any] = await response.json()
                if status["status"] in ("completed", "failed", "cancelled"):
                    return status
                await asyncio.sleep(0.1)


def processor_time(tree: Tree) -> dict[str, float]:
    """Seconds of processor time by process, children included."""
    found = {}
    for name in (*tree.children, "nats", "postgres"):
        process = psutil.Process(tree.pid(name))
        times = [process.cpu_times()]
        times += [child.cpu_times() for child in process.children(recursive=True)]
        found[name] = sum(t.user + t.system + t.children_user + t.children_system for t in times)
    return found


def memory(tree: Tree) -> dict[str, float]:
    """Resident MB by process. Postgres is left out: its processes share most of what they hold."""
    return {
        name: psutil.Process(tree.pid(name)).memory_info().rss / 1e6
        for name in (*tree.children, "nats")
    }


def prose(first: int, chunks: int) -> Iterator[tuple[str, str]]:
    """Names and texts of so many sections of prose, from the section ``first``."""
    for start_at in range(first, first + chunks, SECTIONS):
        stop = min(start_at + SECTIONS, first + chunks)
        lines = [f"# Stations of district {start_at}\n"]
        lines += [station(number) for number in range(start_at, stop)]
        yield f"district-{start_at}.md", "\n".join(lines)


if __name__ == "__main__":
    main()
