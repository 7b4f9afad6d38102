"""Uploads that take long or are large: time is bounded, memory is flat."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from shared.stack import Database, Nats
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway

PIECE = 256 * 1024
HUNDRED = 100 * 1024 * 1024
HEAD = (
    "POST /api/v1/documents/upload HTTP/1.1\r\nHost: x\r\n"
    "Content-Type: multipart/form-data; boundary=frontier\r\nContent-Length: 1000000\r\n\r\n"
    '--frontier\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
)


@pytest.mark.parametrize(
    ("limits", "every", "says"),
    [
        ({"upload_idle": 0.2}, 5.0, "nothing came for 0.2 s"),
        ({"upload_time": 0.4}, 0.02, "it took over 0.4 s"),
    ],
)
async def test_an_upload_that_never_ends_is_given_up_and_its_connection_closed(
    gateway: Gateway,
    ledger: FakeLedger,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, float],
    every: float,
    says: str,
) -> None:
    short = gateway.deps.settings.model_copy(update=limits)
    monkeypatch.setattr(gateway.deps, "settings", short)
    url = gateway.http._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(HEAD.encode())

    async def trickle() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(every)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(10):
        answer = (await reader.read()).decode()
    trickling.cancel()
    writer.close()
    assert answer.startswith("HTTP/1.1 408")
    assert "body_too_slow" in answer
    assert says in answer
    assert ledger.asked == []
    await gateway.healthy()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
    return port


@pytest.fixture
async def process(
    own_database: Database, nats_server: Nats, tmp_path: Path, free_port: int
) -> AsyncIterator[tuple[psutil.Process, aiohttp.ClientSession]]:
    """A gateway in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.gateway",
        env=os.environ
        | {
            "GRISTMILL_NATS_URL": nats_server.url("gateway"),
            "GRISTMILL_DATABASE_URL": own_database.url("gateway"),
            "GRISTMILL_DATA": str(tmp_path),
            "GRISTMILL_PORT": str(free_port),
        },
    )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{free_port}") as http:
        try:
            async with asyncio.timeout(30):
                await _healthy(http)
            yield psutil.Process(child.pid), http
        finally:
            child.terminate()
            await child.wait()


async def _healthy(http: aiohttp.ClientSession) -> None:
    while True:
        try:
            async with http.get("/health") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)


async def _upload(http: aiohttp.ClientSession, project: str, size: int) -> Any:
    async def pieces() -> AsyncIterator[bytes]:
        for n in range(size // PIECE):
            yield n.to_bytes(8, "big") * (PIECE // 8)

    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    form.add_field("project_id", project)
    form.add_field("files", pieces(), filename=f"{size}.txt", content_type="text/plain")
    async with http.post("/api/v1/documents/upload", data=form) as response:
        said = await response.json()
        assert response.status == 200, said
        return said


async def test_a_file_of_a_hundred_megabytes_takes_flat_memory(
    listening_ledger: FakeLedger, process: tuple[psutil.Process, aiohttp.ClientSession]
) -> None:
    gateway, http = process
    async with http.post("/api/v1/projects", json={"name": "large"}) as response:
        project = str((await response.json())["alias"])
    await _upload(http, project, 4 * PIECE)  # what is loaded at the first upload
    before, most, done = gateway.memory_info().rss, 0, False

    async def watch() -> None:
        nonlocal most
        while not done:
            most = max(most, gateway.memory_info().rss)
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    said = await _upload(http, project, HUNDRED)
    done = True
    await watching
    [file] = said["uploaded_files"]
    assert file["size"] == HUNDRED
    assert most - before < 40 * 1024 * 1024, f"grew by {(most - before) / 1e6:.0f} MB"
