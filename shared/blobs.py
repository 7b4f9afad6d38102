"""Bytes by content: ``<tenant>/<kind>/<sha256>`` in a local folder. Never holds a fact of its own.

A blob is written whole under a temporary name and then linked into place, so a reader sees all of it or none;
writing the same bytes again is free. Names never come from users.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from contracts.blob import BlobRef
from shared.errors import GristmillError

PIECE = 256 * 1024


class BlobMissing(GristmillError):
    """A reference names bytes that the store does not hold."""

    def __init__(self, key: str) -> None:
        super().__init__("blob_missing", f"The blob store does not hold {key}.")


class Blobs(Protocol):
    """What every blob store does. Sizes are in bytes."""

    async def put(self, tenant: str, kind: str, data: bytes, media: str) -> BlobRef: ...

    async def put_stream(
        self, tenant: str, kind: str, pieces: AsyncIterator[bytes], media: str
    ) -> BlobRef:
        """Store what ``pieces`` yields, without holding it in memory; an error in it leaves nothing."""
        ...

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        """Raise ``BlobMissing`` where the bytes are not held."""
        ...

    def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of ``[start, end)`` in pieces."""
        ...

    async def holds(self, tenant: str, ref: BlobRef) -> bool: ...


class FolderBlobs:
    """Blobs as files below one folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, tenant: str, ref: BlobRef) -> Path:
        """Where the bytes lie; two characters of the hash spread the files over folders."""
        return self._root / tenant / ref.kind / ref.sha256[:2] / ref.sha256

    async def put(self, tenant: str, kind: str, data: bytes, media: str) -> BlobRef:
        async def once() -> AsyncIterator[bytes]:
            yield data

        return await self.put_stream(tenant, kind, once(), media)

    async def put_stream(
        self, tenant: str, kind: str, pieces: AsyncIterator[bytes], media: str
    ) -> BlobRef:
        incoming = self._root / "incoming"
        # The folder itself is closed to others, so that not even the hashes of what is kept can be listed.
        await asyncio.to_thread(self._root.mkdir, mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(incoming.mkdir, exist_ok=True)
        handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=incoming)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    await asyncio.to_thread(file.write, piece)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            ref = BlobRef(kind=kind, sha256=digest.hexdigest(), size=size, media=media)
            await asyncio.to_thread(self._place, Path(name), self.path(tenant, ref))
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                await asyncio.to_thread(Path(name).unlink)
            raise
        return ref

    @staticmethod
    def _place(temporary: Path, final: Path) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(final)

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        try:
            return await asyncio.to_thread(self.path(tenant, ref).read_bytes)
        except FileNotFoundError:
            raise BlobMissing(ref.key(tenant)) from None

    async def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self.path(tenant, ref).open, "rb")
        except FileNotFoundError:
            raise BlobMissing(ref.key(tenant)) from None
        with file:
            await asyncio.to_thread(file.seek, start)
            left = (ref.size if end is None else end) - start
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(PIECE, left))
                if not piece:
                    return
                left -= len(piece)
                yield piece

    async def holds(self, tenant: str, ref: BlobRef) -> bool:
        return await asyncio.to_thread(self.path(tenant, ref).is_file)
