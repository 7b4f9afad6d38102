"""Many files as one zip, made while it is sent: nothing is held but the piece at hand."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Sequence

from typing_extensions import Buffer

from contracts.blob import BlobRef
from shared.blobs import Blobs

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same files make the same archive, byte for byte."""
_PACKED = (".parquet",)


class _Sink(io.RawIOBase):
    """Where zipfile writes; what came is taken out after each piece."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        before = len(self._held)
        self._held += memoryview(data)
        return len(self._held) - before

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


async def zipped(
    blobs: Blobs, tenant: str, files: Sequence[tuple[str, BlobRef]]
) -> AsyncIterator[bytes]:
    """The archive in pieces. Raise ``BlobMissing`` where the store does not hold a file."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, ref in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            packed = name.endswith(_PACKED)
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as target:
                async for piece in blobs.stream(tenant, ref):
                    await asyncio.to_thread(target.write, piece)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()
