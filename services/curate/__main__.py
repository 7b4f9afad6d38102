"""Wires curate: ``python -m services.curate``."""

import contextlib
import gc
from collections.abc import AsyncIterator, Iterable

from services.curate.app import work
from shared.blobs import Blobs
from shared.service import serve
from shared.settings import Settings
from shared.store import PostgresReader, open_pool
from shared.worker import Work


@contextlib.asynccontextmanager
async def wiring(settings: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
    # Judging makes many objects and hardly a cycle: the collector's default costs it a sixth of its time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    async with await open_pool(settings.required_database_url()) as pool:
        yield work(blobs, PostgresReader(pool))


if __name__ == "__main__":
    serve("curate", wiring)
