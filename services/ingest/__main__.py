"""Wires ingest: ``python -m services.ingest``."""

import contextlib
from collections.abc import AsyncIterator, Iterable

from services.ingest.addresses import allowed
from services.ingest.app import work
from services.ingest.pool import ParserPool
from services.ingest.tessdata import find
from shared.blobs import Blobs
from shared.service import serve
from shared.settings import Settings
from shared.worker import Work


@contextlib.asynccontextmanager
async def wiring(settings: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
    tessdata = find(settings.ocr_languages)
    allow = allowed(settings.fetch_allow or "")
    parsers = ParserPool(children=settings.workers, tessdata=tessdata)
    try:
        yield work(blobs, parsers, allow, settings.fetch_timeout)
    finally:
        await parsers.close()


if __name__ == "__main__":
    serve("ingest", wiring)
