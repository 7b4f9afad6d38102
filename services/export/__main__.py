"""Wires export: ``python -m services.export``."""

import contextlib
from collections.abc import AsyncIterator, Iterable

from services.export.app import work
from shared.blobs import Blobs
from shared.service import serve
from shared.settings import Settings
from shared.store import PostgresReader, open_pool
from shared.worker import Work


@contextlib.asynccontextmanager
async def wiring(settings: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
    async with await open_pool(settings.required_database_url()) as pool:
        yield work(blobs, PostgresReader(pool), settings.data)


if __name__ == "__main__":
    serve("export", wiring)
