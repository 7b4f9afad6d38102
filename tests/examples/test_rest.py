"""What the README and the documentation show, run as they stand against everything at once."""

import asyncio
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.cli.tree import Tree, running
from shared.api_keys import hash_of
from tests.examples.documented_requests import REQUESTS

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TEA = ROOT / "tests" / "data" / "documents" / "tea.txt"
KEY = "key-of-the-examples"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def _seven_calls(tree: Tree, folder: Path) -> str:
    """Run rest.sh; return what it says."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        HERE / "rest.sh",
        TEA,
        tree.url,
        cwd=folder,
        env={**os.environ, "GRISTMILL_API_KEY": KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


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


async def test_seven_calls_lead_from_a_file_to_a_dataset_and_the_documented_requests_work() -> None:
    folder = Path(tempfile.mkdtemp(prefix="gm-"))
    folder.chmod(0o711)
    try:
        async with (
            running(folder / "data", keys=[hash_of(KEY)], durable=False) as tree,
            aiohttp.ClientSession(tree.url, headers={"X-API-Key": KEY}) as http,
        ):
            shown = json.loads(await _seven_calls(tree, folder))
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
    finally:
        shutil.rmtree(folder)
