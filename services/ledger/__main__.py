"""Wires the ledger: ``python -m services.ledger``."""

import asyncio

from services.ledger.app import Ledger
from shared.blobs import opened
from shared.bus import connect
from shared.cancellation import end
from shared.clock import fresh_id
from shared.draining import heed
from shared.health import Health
from shared.process import run_until_stopped
from shared.settings import load_settings
from shared.store import open_pool


async def main(stop: asyncio.Event) -> None:
    settings = load_settings()
    health = Health("ledger")
    url = settings.required_database_url()
    async with (
        health.served(settings.health_port, settings.health_host),
        opened(settings) as blobs,
    ):
        client = await connect(settings, "ledger")
        pool = await open_pool(url, most=6)
        # The one that stands by leads on when this one has resigned.
        await heed(client, "ledger", str(fresh_id()), stop.set)
        ledger = Ledger(pool, client, blobs, settings, health)
        running: asyncio.Task[object] = asyncio.create_task(ledger.run())
        stopped: asyncio.Task[object] = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await end(running)
        await end(stopped)
        await pool.close()
        await client.close()
        if not running.cancelled():
            running.result()


if __name__ == "__main__":
    run_until_stopped("ledger", main)
