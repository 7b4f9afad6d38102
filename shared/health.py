"""A service's own answer to "are you alive, are you ready, what do you count", over HTTP. Tells nothing else.

``/healthz`` is 200 while the event loop turns; ``/readyz`` is 200 while the service can do its work, and says why not
otherwise; ``/metrics`` is for Prometheus.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import orjson

from shared.telemetry import exposition


class Health:
    """What a service says of itself."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._ready = False
        self._detail = "starting"
        self._wrong: list[Callable[[], str | None]] = []

    def watch(self, wrong: Callable[[], str | None]) -> None:
        """Count as unready while ``wrong`` says what is wrong."""
        self._wrong.append(wrong)

    def ready(self, detail: str) -> None:
        self._ready, self._detail = True, detail

    def unready(self, detail: str) -> None:
        self._ready, self._detail = False, detail

    def says(self, detail: str) -> bool:
        """Whether this is what it says of itself at present."""
        return self._detail == detail

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and JSON body for a path."""
        if path not in ("/healthz", "/readyz"):
            return 404, b"{}"
        problem = next((found for wrong in self._wrong if (found := wrong())), None)
        is_ready = self._ready and problem is None
        ready = is_ready or path == "/healthz"
        detail = problem if self._ready and problem else self._detail
        body = {"service": self._service, "ready": is_ready, "detail": detail}
        return 200 if ready else 503, orjson.dumps(body)

    @contextlib.asynccontextmanager
    async def served(self, port: int, host: str = "127.0.0.1") -> AsyncIterator[None]:
        """Answer while the context lasts; port 0 serves nothing."""
        if not port:
            yield
            return
        server = await asyncio.start_server(self._serve, host, port)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = await reader.readline()
            parts = line.decode("latin-1").split(" ")
            path, media = parts[1] if len(parts) > 1 else "", "application/json"
            if path == "/metrics":
                status, media = 200, exposition.CONTENT_TYPE
                body = await exposition.exposed(self._service)
            else:
                status, body = self.answer(path)
            writer.write(
                f"HTTP/1.1 {status} -\r\ncontent-type: {media}\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()
