"""Bytes by content: ``<tenant>/<kind>/<sha256>`` in a local folder, or in S3. Never holds a fact of its own.

A blob is written whole under a temporary name and then linked into place, so a reader sees all of it or none;
writing the same bytes again is free. Names never come from users.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from contracts.blob import BlobRef
from shared.errors import GristmillError, Unavailable
from shared.failpoints import failpoint
from shared.settings import Settings
from shared.telemetry.metrics import BLOB_BYTES, BLOBS

PIECE = 256 * 1024
log = logging.getLogger(__name__)


class BlobMissing(GristmillError):
    """A reference names bytes that the store does not hold."""

    def __init__(self, key: str) -> None:
        super().__init__("blob_missing", f"The blob store does not hold {key}.")


class BlobDamaged(GristmillError):
    """The store gave other bytes than those that were put there."""

    def __init__(self, key: str) -> None:
        super().__init__("blob_damaged", f"The blob store holds other bytes than those of {key}.")


@dataclass(frozen=True, slots=True)
class Held:
    """A blob as its store lists it."""

    tenant: str
    kind: str
    sha256: str
    size: int
    changed: datetime
    """When it was put last, on the store's clock."""

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.kind}/{self.sha256}"


class Blobs(Protocol):
    """What every blob store does. Sizes are in bytes. A store that is away for now raises ``Unavailable``."""

    async def put(self, tenant: str, kind: str, data: bytes, media: str) -> BlobRef: ...

    async def put_stream(
        self, tenant: str, kind: str, pieces: AsyncIterator[bytes], media: str
    ) -> BlobRef:
        """Store what ``pieces`` yields, without holding it in memory; an error in it leaves nothing."""
        ...

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        """Raise ``BlobMissing`` where the bytes are not held, ``BlobDamaged`` where they are not the same."""
        ...

    def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of ``[start, end)`` in pieces.

        Raise ``BlobMissing`` before the first; ``BlobDamaged`` after the last, where all were asked for.
        """
        ...

    async def holds(self, tenant: str, ref: BlobRef) -> bool: ...

    def held(self, tenant: str, kind: str) -> AsyncIterator[Held]:
        """Every blob of a kind, in no order; few of them are in memory at a time.

        What is put or removed meanwhile may be among them or not.
        """
        ...

    async def remove(self, held: Held) -> bool:
        """Take a blob away, unless it was put again since it was listed; whether it was taken."""
        ...

    async def check(self) -> None:
        """Find out whether all this will work.

        Raise ``Unavailable`` where the store is away, ``GristmillError`` where waiting does not help:
        ``blobs_refused``, ``blobs_bucket_missing``.
        """
        ...

    def close(self) -> None:
        """Let go of what is held; the store is not used afterwards."""
        ...


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
            failpoint("blobs.written")
            await asyncio.to_thread(self._place, Path(name), self.path(tenant, ref))
            failpoint("blobs.placed")
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                await asyncio.to_thread(Path(name).unlink)
            raise
        BLOBS.add("put")
        BLOB_BYTES.add("put", by=size)
        return ref

    def _place(self, temporary: Path, final: Path) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(fcntl.LOCK_SH):
            temporary.replace(final)

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Between the look at a blob that is to go and its going nothing is put in its place, by no process."""
        folder = os.open(self._root / "incoming", os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, how)
            yield
        finally:
            os.close(folder)

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        try:
            data = await asyncio.to_thread(self.path(tenant, ref).read_bytes)
        except FileNotFoundError:
            raise BlobMissing(ref.key(tenant)) from None
        BLOBS.add("get")
        BLOB_BYTES.add("get", by=len(data))
        return await asyncio.to_thread(verified, tenant, ref, data)

    async def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        opening = asyncio.create_task(asyncio.to_thread(self.path(tenant, ref).open, "rb"))
        try:
            file = await asyncio.shield(opening)
        except FileNotFoundError:
            raise BlobMissing(ref.key(tenant)) from None
        except asyncio.CancelledError:
            opening.add_done_callback(_closed)  # a reader that left while the thread opened it
            raise
        end, digest = ref.size if end is None else end, hashlib.sha256()
        with file:
            await asyncio.to_thread(file.seek, start)
            left = end - start
            while left > 0 and (piece := await asyncio.to_thread(file.read, min(PIECE, left))):
                left -= len(piece)
                digest.update(piece)
                yield piece
        if start == 0 and end >= ref.size and digest.hexdigest() != ref.sha256:
            raise BlobDamaged(ref.key(tenant))

    async def holds(self, tenant: str, ref: BlobRef) -> bool:
        return await asyncio.to_thread(self.path(tenant, ref).is_file)

    async def held(self, tenant: str, kind: str) -> AsyncIterator[Held]:
        root = self._root / tenant / kind
        for folder in await asyncio.to_thread(_names, root):
            for name, size, changed in await asyncio.to_thread(_listed, root / folder):
                yield Held(tenant, kind, name, size, changed)

    async def remove(self, held: Held) -> bool:
        return await asyncio.to_thread(self._remove, held)

    def _remove(self, held: Held) -> bool:
        path = self._root / held.tenant / held.kind / held.sha256[:2] / held.sha256
        try:
            with self._locked(fcntl.LOCK_EX):
                unchanged = _changed(path.stat()) == held.changed
                if unchanged:
                    path.unlink()
        except FileNotFoundError:
            return False
        return unchanged

    async def check(self) -> None:
        try:
            await asyncio.to_thread(self._root.mkdir, mode=0o700, parents=True, exist_ok=True)
            usable = await asyncio.to_thread(os.access, self._root, os.W_OK | os.X_OK)
        except OSError:
            usable = False
        if not usable:
            raise GristmillError("blobs_refused", f"The blob store cannot write into {self._root}.")

    def close(self) -> None:
        """Nothing is held between two calls."""


def _names(folder: Path) -> list[str]:
    """What lies in a folder; nothing in one that is not there."""
    try:
        return [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return []


def _listed(folder: Path) -> list[tuple[str, int, datetime]]:
    """Name, bytes and time of each file, of which a folder holds a 256th of its kind."""
    found = []
    for name in _names(folder):
        with contextlib.suppress(FileNotFoundError):
            about = (folder / name).stat()
            found.append((name, about.st_size, _changed(about)))
    return found


def _changed(about: os.stat_result) -> datetime:
    """To the microsecond, without the rounding of a float."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=about.st_mtime_ns // 1000)


def _closed(opening: "asyncio.Task[BinaryIO]") -> None:
    """Close what was opened for nobody."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def verified(tenant: str, ref: BlobRef, data: bytes) -> bytes:
    """The bytes themselves. Raise ``BlobDamaged`` where they are not those that the reference names."""
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise BlobDamaged(ref.key(tenant))
    return data


def chosen(settings: Settings) -> Blobs:
    """The blob store of these settings, not yet asked for anything: S3 where an endpoint is set, else a folder.

    Raises:
        GristmillError: ``setting_missing`` or ``setting_invalid``.
    """
    if settings.s3_endpoint is None:
        return FolderBlobs(settings.data / "blobs")
    from shared.s3 import S3Blobs

    return S3Blobs.of(settings)


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Blobs]:
    """The blob store of these settings once it answers; one that is away is waited for.

    Raise what ``chosen`` raises, and what ``check`` raises and no waiting mends.
    """
    blobs = chosen(settings)
    try:
        await answering(blobs)
        yield blobs
    finally:
        blobs.close()


async def answering(blobs: Blobs) -> None:
    """Wait until the store can be used, saying once what is waited for."""
    said = False
    while True:
        try:
            await blobs.check()
        except Unavailable as away:
            if not said:
                log.warning("%s Waiting for it.", away.message)
            said = True
            await asyncio.sleep(1)
        else:
            return
