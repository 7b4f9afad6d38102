"""How a worker service's process is wired: settings, blobs, health, the runtime. Knows no service by name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from shared.blobs import Blobs, opened
from shared.health import Health
from shared.process import run_until_stopped
from shared.settings import Settings, load_settings
from shared.worker import Work, Worker

Wiring = Callable[[Settings, Blobs], AbstractAsyncContextManager[Iterable[Work]]]
"""Opens what a service needs, yields what it does, closes again."""


def serve(service: str, wiring: Wiring) -> None:
    """Run a service until it is told to stop."""

    async def main(stop: asyncio.Event) -> None:
        settings = load_settings()
        health = Health(service)
        async with (
            health.served(settings.health_port, settings.health_host),
            opened(settings) as blobs,
            wiring(settings, blobs) as work,
        ):
            await Worker(service, work, blobs, settings, health).run(stop)

    run_until_stopped(service, main)


def wired(work: Callable[[Blobs], Iterable[Work]]) -> Wiring:
    """The wiring of a service that needs nothing but blobs."""

    @contextlib.asynccontextmanager
    async def opened(_: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
        yield work(blobs)

    return opened
