"""Everything at once as a user of its REST sees it, with a model endpoint that nobody listens on.

``Mill`` keeps a list of what was not as it must be, so that one test can walk long tables and tell all of it.
"""

import asyncio
import io
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from services.cli.tree import Tree, running
from shared.clock import fresh_id, monotonic
from shared.stack import free_port
from tests.e2e.bad_requests import JSON, Answered

MULTIPART = "multipart/form-data; boundary=x"
LOST: tuple[str, ...] = ("Traceback", 'File "', "asyncpg", "pydantic", "/site-packages/")
"""Words of a stack trace."""

Files = Iterable[tuple[bytes, bytes]]


def encoded(files: Files, project: str) -> bytes:
    """An upload as it travels, with names that no well-behaved client would send."""
    body = f'--x\r\nContent-Disposition: form-data; name="project_id"\r\n\r\n{project}\r\n'.encode()
    for name, data in files:
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n\r\n' % name
        body += head + data + b"\r\n"
    return body + b"--x--\r\n"


class Mill:
    """The tree as a user sees it, and a list of what was not as it must be."""

    def __init__(self, tree: Tree, http: aiohttp.ClientSession, folder: Path, port: int) -> None:
        self.tree = tree
        self.http = http
        self.folder = folder
        self.port = port
        """Where the model's endpoint is expected."""
        self.wrong: list[str] = []

    async def say(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = JSON,
        url: str = "",
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer, which must hold no trace."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        data = io.BytesIO(data) if isinstance(data, bytes) else data
        async with self.http.request(
            method,
            f"{url or self.tree.url}/api/v1{path}",
            data=data,
            headers={"Content-Type": kind},
        ) as answer:
            text = await answer.text()
        shown = f"{method} {path[:60]} {str(body)[:80]}"
        for word in (*LOST, str(self.folder)):
            self.expect(word not in text, shown, text)
        return answer.status, json.loads(text)

    async def good(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Any:
        status, said = await self.say(method, path, body, kind)
        assert status == 200, (path, said)
        return said

    def expect(self, holds: bool, what: str, said: object) -> None:
        if not holds:
            self.wrong.append(f"{what}: {str(said)[:400]}")

    async def refused(
        self, answered: Answered, method: str, path: str, body: Any, kind: str = JSON, url: str = ""
    ) -> None:
        status, code, words = answered
        got, said = await self.say(method, path, body, kind, url)
        as_told = (got, said.get("code")) == (status, code) and words in said["detail"]
        whole = set(said) == {"detail", "code", "field"} and len(said["detail"]) < 500
        self.expect(as_told and whole, f"{path[:60]} {str(body)[:80]} → {answered}", (got, said))

    async def project(self) -> str:
        return str((await self.good("POST", "/projects", {"name": str(fresh_id())}))["id"])

    async def upload(self, project: str, files: Files) -> list[dict[str, Any]]:
        said = await self.good("POST", "/documents/upload", encoded(files, project), MULTIPART)
        return list(said["uploaded_files"])

    async def generate(self, project: str, **settings: object) -> str:
        body = {"project_id": project, "generation_mode": "question and answer", **settings}
        return str((await self.good("POST", "/datasets/generate", body))["job_id"])

    async def reached(
        self, job: str, wanted: Callable[[dict[str, Any]], bool], within: float = 60.0
    ) -> dict[str, Any]:
        deadline = monotonic() + within
        while True:
            found: dict[str, Any] = await self.good("GET", f"/jobs/status/{job}")
            if wanted(found):
                return found
            assert monotonic() < deadline, found
            await asyncio.sleep(0.1)

    async def ended(self, job: str) -> dict[str, Any]:
        return await self.reached(job, lambda found: found["completed_at"] is not None)


@asynccontextmanager
async def mill_without_a_model() -> AsyncIterator[Mill]:
    """Everything runs but the model's endpoint, which nobody listens on."""
    folder = Path(tempfile.mkdtemp(prefix="gm-bad-"))
    folder.chmod(0o711)
    port = free_port()
    environ = {
        **os.environ,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        # Short, yet long enough for a good body on a busy machine.
        "GRISTMILL_UPLOAD_IDLE": "5",
    }
    try:
        async with (
            running(folder / "data", environ=environ, durable=False) as tree,
            aiohttp.ClientSession() as http,
        ):
            yield Mill(tree, http, folder, port)
    finally:
        shutil.rmtree(folder)
