"""A gateway that is listened to on a real port, and the requests that tests make of it."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn

from services.gateway.app import create_app
from services.gateway.deps import Deps

Heard = AsyncGenerator[tuple[str, Any], None]


@dataclass
class Gateway:
    """A gateway that is listened to on a real port."""

    deps: Deps
    http: aiohttp.ClientSession

    async def health(self) -> int:
        async with self.http.get("/health") as response:
            return response.status

    async def healthy(self) -> None:
        async with asyncio.timeout(10):
            while await self.health() != 200:  # noqa: ASYNC110 - it is asked over HTTP, as a client would
                await asyncio.sleep(0.02)

    async def get(self, path: str, status: int = 200) -> Any:
        async with self.http.get(f"/api/v1{path}") as response:
            body = await response.json()
            assert response.status == status, body
            return body

    async def post(self, path: str, body: object, status: int = 200, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        async with self.http.post(f"/api/v1{path}", json=body, headers=headers) as response:
            said = await response.json()
            assert response.status == status, said
            return said

    async def listen(self, path: str, last: str | None = None) -> Heard:
        """Id and data of each event of a stream, until it ends; data is None where only the id moved."""
        headers = {"Last-Event-ID": last} if last else {}
        async with self.http.get(f"/api/v1{path}", headers=headers) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            id, data = "", None
            async for line in response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    id = value
                elif name == "data":
                    data = json.loads(value)
                elif not name and id:
                    yield id, data
                    id, data = "", None

    async def delete(self, path: str, body: object = None, status: int = 200) -> Any:
        async with self.http.delete(f"/api/v1{path}", json=body) as response:
            said = await response.json()
            assert response.status == status, said
            return said

    async def upload(
        self, project: str, *files: tuple[str, bytes], status: int = 200, key: str | None = None
    ) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
        for name, data in files:
            form.add_field("files", data, filename=name, content_type="text/plain")
        form.add_field("project_id", project)
        path = "/api/v1/documents/upload"
        async with self.http.post(path, data=form, headers=headers) as response:
            said = await response.json()
            assert response.status == status, said
            return said

    async def seen(self, position: str) -> None:
        assert await self.deps.seen(position, 5)


@contextlib.asynccontextmanager
async def listening(deps: Deps) -> AsyncIterator[Gateway]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(deps), log_level="critical", lifespan="on", ws="none")
    )
    door = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server._serve([door]))
    port = door.getsockname()[1]
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield Gateway(deps, http)
    finally:
        deps.broadcasts.close()
        server.should_exit = True
        await task
        door.close()
