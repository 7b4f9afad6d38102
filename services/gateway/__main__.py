"""Runs the gateway: ``python -m services.gateway``, with the environment's settings."""

import asyncio
import sys

import uvicorn

from services.gateway.app import create_app
from services.gateway.deps import Deps
from shared.api_keys import check_open
from shared.health import Health
from shared.process import run_until_stopped
from shared.settings import Settings, load_settings

GRACE = 5
"""Seconds that open requests are given when the process is asked to end."""


class Server(uvicorn.Server):
    """Leaves the signals to the process, which ends with 0 when it was asked to."""

    def __init__(self, settings: Settings) -> None:
        check_open(settings.host, settings.key_hashes)
        self._deps = Deps(settings)
        super().__init__(
            uvicorn.Config(
                create_app(self._deps),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GRACE,
            )
        )

    def wrong(self) -> str | None:
        """What is away, if anything is."""
        return self._deps.wrong

    async def until(self, stop: asyncio.Event) -> bool:
        """Serve until asked to stop; whether that is why it ended."""
        serving = asyncio.create_task(self._serve())
        ends = (stop, self._deps.broken, self._deps.dismissed)
        waits = [asyncio.create_task(event.wait()) for event in ends]
        await asyncio.wait((serving, *waits), return_when=asyncio.FIRST_COMPLETED)
        # Live streams never end by themselves, and would hold the server up.
        self._deps.broadcasts.close()
        self.should_exit = True
        for wait in waits:
            wait.cancel()
        await serving
        return stop.is_set() or self._deps.dismissed.is_set()


async def main(stop: asyncio.Event) -> None:
    settings = load_settings()
    health = Health("gateway")
    health.ready("serving")
    async with health.served(settings.health_port, settings.health_host):
        server = Server(settings)
        health.watch(server.wrong)
        if not await server.until(stop):
            sys.exit(1)


if __name__ == "__main__":
    run_until_stopped("gateway", main)
