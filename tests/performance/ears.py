"""Many listeners to one live stream in one lean process: ``python -m tests.performance.ears HOST PORT PATH COUNT``.

Raw sockets that read and discard, so that hardly anything but the server's work is measured. Says ``ready`` when each
was sent something, and at the end, when the server has closed every stream, how many states they were sent in all.
"""

import asyncio
import sys

AT_ONCE = 50
"""Connections under way."""


class Ear(asyncio.Protocol):
    """One who listens."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.states = 0
        self.heard = asyncio.Event()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(f"GET {self._path} HTTP/1.1\r\nHost: gristmill\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        found = data.count(b"\ndata: ")
        if found:
            self.states += found
            self.heard.set()
        if data.endswith(b"0\r\n\r\n"):
            self.ended.set()

    def connection_lost(self, _problem: Exception | None) -> None:
        self.heard.set()
        self.ended.set()


async def main(host: str, port: int, path: str, count: int) -> None:
    ears = [Ear(path) for _ in range(count)]
    room = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def listen(ear: Ear) -> None:
        async with room:
            await loop.create_connection(lambda: ear, host, port)
            await ear.heard.wait()

    await asyncio.gather(*(listen(ear) for ear in ears))
    _say("ready")
    for ear in ears:
        await ear.ended.wait()
    _say(str(sum(ear.states for ear in ears)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
