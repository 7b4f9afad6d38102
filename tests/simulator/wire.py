"""A small HTTP/1.1 server on one asyncio protocol: fast, so that it is never what a measurement measures.

It takes requests with a Content-Length, keeps connections alive, and cancels a request's work when its client goes.
It knows nothing of models.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

PHRASES = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 411: "Length Required",
    422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error",
}  # fmt: skip
LARGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    """Cut the connection instead of answering."""


Handler = Callable[[Asked], Awaitable[Told]]


class Connection(asyncio.Protocol):
    """One client. Requests that it sends ahead wait in the buffer until the one before is answered."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()

    def _next(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if "transfer-encoding" in headers or not headers.get("content-length", "0").isdigit():
            self._tell(Told(411, b'{"error":{"message":"send a Content-Length"}}'))
            self.close()
            return
        stop = end + 4 + min(int(headers.get("content-length", "0")), LARGEST_BODY)
        if len(self._buffer) < stop:
            return
        body = bytes(self._buffer[end + 4 : stop])
        del self._buffer[:stop]
        method, path, *_ = [*first.split(" "), "", ""]
        self._task = asyncio.create_task(self._answer(Asked(method, path, headers, body)))

    async def _answer(self, asked: Asked) -> None:
        told = await self._handler(asked)
        self._task = None
        if told.reset and self._transport is not None:
            self._transport.abort()
            return
        self._tell(told)
        if asked.headers.get("connection", "").lower() == "close":
            self.close()
        elif self._buffer:
            self._next()

    def _tell(self, told: Told) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in told.headers.items())
        head = (
            f"HTTP/1.1 {told.status} {PHRASES.get(told.status, 'Other')}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(told.body)}\r\n{extra}\r\n"
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head.encode("latin-1") + told.body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
