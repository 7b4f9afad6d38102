"""Wires ingest: ``python -m services.ingest``."""

import contextlib
from collections.abc import AsyncIterator, Iterable

from services.ingest.app import work
from services.ingest.pool import ParserPool
from shared.blobs import Blobs
from shared.service import serve
from shared.settings import Settings
from shared.worker import Work


@contextlib.asynccontextmanager
async def wiring(settings: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
    parsers = ParserPool(children=settings.workers)
    try:
        yield work(blobs, parsers)
    finally:
        await parsers.close()


if __name__ == "__main__":
    serve("ingest", wiring)
