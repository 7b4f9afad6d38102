"""What a service says of itself over loopback HTTP."""

import asyncio
import json

import pytest

from shared.health import Health
from shared.stack import free_port


async def ask(port: int, line: bytes) -> tuple[int, dict[str, object]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


async def test_a_service_is_alive_at_once_and_ready_when_it_says_so() -> None:
    health, port = Health("curate"), free_port("127.0.0.1")
    async with health.served(port):
        assert (await ask(port, get("/healthz")))[0] == 200
        status, body = await ask(port, get("/readyz"))
        assert (status, body) == (
            503,
            {"service": "curate", "ready": False, "detail": "starting"},
        )
        health.ready("hearing")
        assert (await ask(port, get("/readyz")))[0] == 200
        health.unready("the store is away")
        status, body = await ask(port, get("/readyz"))
        assert (status, body["detail"]) == (503, "the store is away")
        assert (await ask(port, get("/healthz")))[0] == 200


@pytest.mark.parametrize("line", [get("/elsewhere"), b"\r\n", b"GET\r\n\r\n", b"\xff\xfe\r\n"])
async def test_what_is_no_question_of_health_is_not_found(line: bytes) -> None:
    port = free_port("127.0.0.1")
    async with Health("curate").served(port):
        assert (await ask(port, line))[0] == 404
        assert (await ask(port, get("/healthz")))[0] == 200


async def test_port_0_serves_nothing() -> None:
    async with Health("curate").served(0):
        pass


async def test_nobody_is_answered_once_it_is_over() -> None:
    port = free_port("127.0.0.1")
    async with Health("curate").served(port):
        pass
    with pytest.raises(ConnectionRefusedError):
        await ask(port, get("/healthz"))
