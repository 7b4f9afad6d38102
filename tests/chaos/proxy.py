"""A TCP proxy on loopback that can be cut, hushed and slowed: the network between two processes. Knows no protocol."""

import asyncio
import contextlib
from collections.abc import Callable

PIECE = 64 * 1024
Target = Callable[[], int | None]
"""The port that a connection leads to; None while it is not known."""


class Proxy:
    """One way from somebody to a server. Faults hold for open connections and for new ones until ``heal``."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._pipes: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._cut = False
        self._delay = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        self._reset()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, and every new one."""
        self._cut = True
        self._reset()

    def hush(self) -> None:
        """Let nothing through; connections stay open and nobody is told."""
        self._flowing.clear()

    def slow(self, seconds: float) -> None:
        """Hold back each piece for so long."""
        self._delay = seconds

    def heal(self) -> None:
        self._cut, self._delay = False, 0.0
        self._flowing.set()

    def _reset(self) -> None:
        for pipe, writer in self._pipes.items():
            writer.transport.abort()
            pipe.cancel()

    async def _serve(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        port = self._target()
        if self._cut or port is None:
            to_near.transport.abort()
            return
        try:
            far, to_far = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            to_near.transport.abort()
            return
        pipes = [
            asyncio.create_task(self._pump(near, to_far)),
            asyncio.create_task(self._pump(far, to_near)),
        ]
        self._pipes |= dict(zip(pipes, (to_far, to_near), strict=True))
        try:
            # Whoever ends first ends both: a half-open connection is no fault of a network that works.
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in pipes:
                pipe.cancel()
                self._pipes.pop(pipe, None)
            for writer in (to_far, to_near):
                writer.transport.abort() if self._cut else writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._flowing.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(piece)
                await writer.drain()
