"""The gateway while the blob store is away: it answers, says what it misses, and goes on when the store is back."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from services.gateway.deps import Deps
from shared.settings import Settings
from shared.stack import free_port
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import listening

Until = Callable[..., Awaitable[None]]


def of(settings: Settings, port: int) -> Settings:
    s3 = {"s3_endpoint": f"http://127.0.0.1:{port}", "s3_access_key": "a", "s3_secret_key": "b"}
    return Settings.model_validate(settings.model_dump() | s3)


async def test_an_upload_is_answered_with_503_and_when_to_come_again(
    gateway_settings: Settings, listening_ledger: FakeLedger, until: Until
) -> None:
    async with listening(Deps(of(gateway_settings, free_port()))) as gateway:

        async def the_bus_is_there() -> bool:
            return (await gateway.deps.state())["bus"] == "ok"

        await until(the_bus_is_there)
        form = aiohttp.FormData({"project_id": "1"})
        form.add_field("files", b"grist" * 1000, filename="grist.txt")
        form.add_field("files", b"more" * 1000, filename="more.txt")
        async with gateway.http.post("/api/v1/documents/upload", data=form) as answer:
            said = await answer.json()
            assert (answer.status, said["code"]) == (503, "blobs_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        async with gateway.http.get("/health") as answer:
            health = await answer.json()
            assert answer.status == 503
            assert "cannot be reached" in health["blobs"] or health["blobs"] == "connecting"
        await gateway.get("/projects")


async def test_keys_that_are_wrong_from_the_start_end_the_gateway_with_one_line(
    gateway_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<Error><Code>InvalidAccessKeyId</Code></Error>"
        head = b"HTTP/1.1 403 -\r\ncontent-type: application/xml\r\nconnection: close\r\n"
        writer.write(head + b"content-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(refuse, "127.0.0.1", port):
        deps = Deps(of(gateway_settings, port))
        await deps.start()
        async with asyncio.timeout(20):
            await deps.broken.wait()
        await deps.stop()
    told = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert len(told) == 1
    assert "does not know the access key" in told[0].getMessage()
    assert told[0].exc_info is None


def test_a_service_with_half_a_configuration_says_so_in_one_line(tmp_path: Path) -> None:
    env = {"S3_ENDPOINT": "http://127.0.0.1:1", "GRISTMILL_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "services.chunk"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "set all three. [setting_missing]" in done.stderr
    assert "Traceback" not in done.stderr
