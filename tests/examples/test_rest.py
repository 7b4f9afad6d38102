"""What the README and the documentation show, run as they stand against everything at once."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from shared.api_keys import hash_of
from tests.examples.documented_requests import REQUESTS

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TEA = ROOT / "tests" / "data" / "documents" / "tea.txt"
KEY = "key-of-the-examples"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def _seven_calls(url: str, folder: Path) -> str:
    """Run rest.sh; return what it says."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        HERE / "rest.sh",
        TEA,
        url,
        cwd=folder,
        env={**os.environ, "GRISTMILL_API_KEY": KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


@contextmanager
def _up(data: Path) -> Iterator[subprocess.Popen[str]]:
    """``gristmill up`` as a user starts it, with a key; killed where it has not ended by itself."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("gristmill"), "up", "--port", "0", "--data", data],
        env={**os.environ, "GRISTMILL_API_KEYS": f"sha256:{hash_of(KEY)}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


async def _ready(process: subprocess.Popen[str]) -> str:
    """Where it answers."""
    assert process.stdout is not None
    while line := await asyncio.to_thread(process.stdout.readline):
        if line.startswith("ready"):
            return line.split()[1]
    raise AssertionError(await asyncio.to_thread(process.communicate))


async def _shut_down(http: aiohttp.ClientSession, process: subprocess.Popen[str]) -> None:
    """By REST, for which the key is needed; nothing of what ran is left."""
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) >= 7 + 2 + 1
    async with http.post("/shutdown", headers={"X-API-Key": "another"}) as answer:
        assert answer.status == 401
    async with http.post("/shutdown") as answer:
        assert (answer.status, (await answer.json())["scope"]) == (202, "everything")
    async with asyncio.timeout(30):
        said, complaint = await asyncio.to_thread(process.communicate)
    assert (process.returncode, complaint) == (0, "")
    assert said.endswith("stopped\n")
    running = psutil.process_iter(["pid", "status"])
    left = {each.pid for each in running if each.info["status"] != psutil.STATUS_ZOMBIE}
    assert not left & {each.pid for each in below}


async def _documented(http: aiohttp.ClientSession, names: dict[str, str]) -> list[str]:
    """The documented requests that were not answered as they must be."""
    wrong = []

    def told(text: str) -> str:
        for word, id in names.items():
            text = text.replace(word, id)
        return text

    for method, path, body, status, code in REQUESTS:
        sent = json.loads(told(json.dumps(body)))
        async with http.request(method, f"/api/v1{told(path)}", json=sent) as answer:
            kind = answer.content_type
            said = await answer.json() if kind == "application/json" else await answer.text()
        found = said.get("code") if isinstance(said, dict) else None
        if (answer.status, found) != (status, code):
            wrong.append(f"{method} {path} {body}: {answer.status} {str(said)[:300]}")
    return wrong


async def _get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(f"/api/v1{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_seven_calls_make_a_dataset_the_documented_requests_work_and_a_call_shuts_all_down() -> (
    None
):
    folder = Path(tempfile.mkdtemp(prefix="gm-"))
    folder.chmod(0o711)
    try:
        with _up(folder / "data") as process:
            url = await _ready(process)
            async with aiohttp.ClientSession(url, headers={"X-API-Key": KEY}) as http:
                shown = json.loads(await _seven_calls(url, folder))
                text = (folder / "dataset.jsonl").read_text(encoding="utf-8")
                rows = [json.loads(line) for line in text.splitlines()]
                assert len(rows) == shown["total"] == 3
                assert all(row["evidence"] for row in rows)
                [job] = (await _get(http, "/jobs?kind=dataset_generation"))["jobs"]
                names = {
                    "PROJECT": job["project_id"],
                    "JOB": job["job_id"],
                    "DATASET": job["dataset_id"],
                    "ENTRY": rows[0]["id"],
                }
                assert await _documented(http, names) == []
                listed = await _get(http, "/datasets/list/1?search=DATASET&page_size=1")
                assert listed["total_count"] == 3
                async with http.delete(f"/api/v1/datasets/{job['dataset_id']}/delete") as answer:
                    assert (await answer.json())["deleted_count"] == 1
                async with http.get(f"/api/v1/datasets/{job['dataset_id']}") as answer:
                    assert answer.status == 404
                assert (await _get(http, f"/jobs/status/{job['job_id']}"))["status"] == "completed"
                await _shut_down(http, process)
    finally:
        shutil.rmtree(folder)
