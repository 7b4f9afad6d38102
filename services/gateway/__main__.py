"""Runs the gateway: ``python -m services.gateway``, with the environment's settings."""

import asyncio

import uvicorn

from services.gateway.app import create_app
from services.gateway.deps import Deps
from shared.process import run_until_stopped
from shared.settings import Settings

GRACE = 5
"""Seconds that open requests are given when the process is asked to end."""


class Server(uvicorn.Server):
    """Leaves the signals to the process, which ends with 0 when it was asked to."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(Deps(settings)),
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GRACE,
            )
        )

    async def until(self, stop: asyncio.Event) -> None:
        serving = asyncio.create_task(self._serve())
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
        self.should_exit = True
        asked.cancel()
        await serving


async def main(stop: asyncio.Event) -> None:
    await Server(Settings()).until(stop)


if __name__ == "__main__":
    run_until_stopped("gateway", main)
