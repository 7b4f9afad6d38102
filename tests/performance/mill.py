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
from collections.abc import Iterator
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
    simulation = start(f"latency_ms={latency_ms}", f"latency_sigma={sigma}")
    try:
        with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
            Path(folder).chmod(0o711)
            environ = {
                "OPENAI_BASE_URL": simulation.openai_base_url,
                "OPENAI_API_KEY": "simulated",
                "PATH": "/usr/bin:/bin",
            }
            async with running(Path(folder) / "data", environ=environ) as tree:
                return await _run(tree, simulation, chunks, concurrency, latency_ms)
    finally:
        simulation.stop()


async def _run(
    tree: Tree, simulation: Simulation, chunks: int, concurrency: int, latency_ms: float
) -> dict[str, Any]:
    async with aiohttp.ClientSession(f"{tree.url}/api/v1/") as api:
        project = await _post(api, "projects", {"name": "bench"})
        await _upload(api, project["id"], chunks)
        cpu, began = _cpu(tree), time.perf_counter()
        job = await _post(
            api,
            "datasets/generate",
            {
                "project_id": project["id"],
                "model": "openai/simulated",
                "concurrency": concurrency,
                "datasets_per_chunk": 3,
                "batch_size": 0,
            },
        )
        status = await _ended(api, job["job_id"])
        wall = time.perf_counter() - began
        used = {name: round(after - cpu[name], 2) for name, after in _cpu(tree).items()}
        memory = {
            name: round(psutil.Process(tree.pid(name)).memory_info().rss / 1e6) for name in used
        }
        stats = simulation.stats()
        calls = stats["calls"]
        ideal = calls * stats.get("latency_ms", latency_ms) / 1000 / concurrency
        first = stats["first"]
        return {
            "status": status["status"],
            "error": status["error"],
            "rejected_by_reason": status["result"]["rejected_by_reason"],
            "counts": status["result"]["counts"],
            "calls": calls,
            "ideal_s": round(ideal, 2),
            "wall_s": round(wall, 2),
            "efficiency": round(ideal / wall, 3),
            "calls_s": round(stats["last"] - first, 2) if first else None,
            "in_flight_max": stats["in_flight_max"],
            "cpu_ms_per_call": round(sum(used.values()) * 1000 / max(1, calls), 2),
            "cpu_s": used,
            "simulator_cpu_s": stats["cpu_s"],
            "rss_mb": memory,
        }


def _cpu(tree: Tree) -> dict[str, float]:
    """Seconds of processor time by process, children included."""
    found = {}
    for name in (*tree.children, "nats", "postgres"):
        process = psutil.Process(tree.pid(name))
        times = [process.cpu_times()]
        times += [child.cpu_times() for child in process.children(recursive=True)]
        found[name] = sum(t.user + t.system + t.children_user + t.children_system for t in times)
    return found


def _documents(chunks: int) -> Iterator[tuple[str, str]]:
    for document in range(-(-chunks // SECTIONS)):
        sections = min(SECTIONS, chunks - document * SECTIONS)
        lines = [f"# Stations of district {document}\n"]
        for section in range(sections):
            number = document * SECTIONS + section
            lines.append(station(number))
        yield f"district-{document}.md", "\n".join(lines)


async def _upload(api: aiohttp.ClientSession, project: str, chunks: int) -> None:
    form = aiohttp.FormData({"project_id": project})
    for name, text in _documents(chunks):
        form.add_field("files", text.encode(), filename=name, content_type="text/markdown")
    async with api.post("documents/upload", data=form) as response:
        documents = [each["id"] for each in (await response.json())["uploaded_files"]]
    job = await _post(
        api,
        "documents/process",
        {
            "project_id": project,
            "document_ids": documents,
            "chunk_strategy": "markdown",
            "chunk_size": 2000,
            "overlap": 0,
        },
    )
    await _ended(api, job["job_id"])


async def _post(api: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with api.post(path, json=body) as response:
        answer: dict[str, Any] = await response.json()
        if response.status >= 300:
            raise RuntimeError(f"{path}: {response.status} {answer}")
        return answer


async def _ended(api: aiohttp.ClientSession, job: str, within: float = 600) -> dict[str, Any]:
    async with asyncio.timeout(within):
        while True:
            async with api.get(f"jobs/status/{job}") as response:
                status: dict[str, Any] = await response.json()
            if status["status"] in ("completed", "failed", "cancelled"):
                return status
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    main()
