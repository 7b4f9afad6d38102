"""What every blob store does: the folder and its in-memory twin."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.blob import BlobRef
from shared.blobs import BlobMissing, Blobs, FolderBlobs
from shared.memory import MemoryBlobs

GONE = BlobRef(kind="text", sha256="0" * 64, size=3)


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return MemoryBlobs() if request.param == "memory" else FolderBlobs(tmp_path)


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_was_put_comes_back(blobs: Blobs) -> None:
    ref = await blobs.put("default", "text", b"grist", "text/plain")

    assert ref.sha256 == hashlib.sha256(b"grist").hexdigest()
    assert ref.size == 5
    assert await blobs.get("default", ref) == b"grist"
    assert await blobs.holds("default", ref)


async def test_the_same_bytes_are_one_blob(blobs: Blobs) -> None:
    first = await blobs.put("default", "text", b"grist", "text/plain")
    second = await blobs.put_stream("default", "text", pieces(b"gr", b"ist"), "text/plain")

    assert first == second


async def test_a_tenant_does_not_see_another_ones_bytes(blobs: Blobs) -> None:
    ref = await blobs.put("default", "text", b"grist", "text/plain")

    assert not await blobs.holds("other", ref)
    with pytest.raises(BlobMissing):
        await blobs.get("other", ref)


async def test_a_range_is_streamed(blobs: Blobs) -> None:
    data = bytes(range(256)) * 4000
    ref = await blobs.put("default", "upload", data, "application/octet-stream")

    part = b"".join([piece async for piece in blobs.stream("default", ref, 1000, 700_000)])
    whole = b"".join([piece async for piece in blobs.stream("default", ref)])

    assert part == data[1000:700_000]
    assert whole == data


async def test_missing_bytes_are_named(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing, match=f"default/text/{'0' * 64}"):
        await blobs.get("default", GONE)
    with pytest.raises(BlobMissing):
        [piece async for piece in blobs.stream("default", GONE)]


async def test_an_error_while_streaming_leaves_nothing(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.put_stream("default", "upload", broken(), "text/plain")

    assert left_in(tmp_path) == []
