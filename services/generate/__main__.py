"""Wires generate: ``python -m services.generate``."""

import contextlib
from collections.abc import AsyncIterator, Iterable

from services.generate.app import work
from services.generate.builtin import BuiltIn
from shared.blobs import Blobs
from shared.llm.registry import client_from
from shared.service import serve
from shared.settings import Settings
from shared.worker import Work


@contextlib.asynccontextmanager
async def wiring(settings: Settings, blobs: Blobs) -> AsyncIterator[Iterable[Work]]:
    async with client_from(settings, {"builtin": BuiltIn()}) as client:
        yield work(blobs, client)


if __name__ == "__main__":
    serve("generate", wiring)
