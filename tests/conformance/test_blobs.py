"""What every blob store does: the folder, an S3 server, and their in-memory twin."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from contracts.blob import BlobRef
from shared.blobs import BlobDamaged, BlobMissing, Blobs, FolderBlobs, Held, chosen
from shared.clock import fresh_id, now
from shared.memory import MemoryBlobs
from shared.s3 import PART, STEP, S3Blobs
from shared.stack import Seaweed

GONE = BlobRef(kind="text", sha256="0" * 64, size=3)


@pytest.fixture(params=["memory", "folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blobs]:
    if request.param == "memory":
        yield MemoryBlobs()
    elif request.param == "folder":
        yield FolderBlobs(tmp_path)
    else:
        seaweed: Seaweed = request.getfixturevalue("seaweed")
        store = chosen(seaweed.settings(tmp_path))
        yield store
        store.close()


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


@pytest.mark.parametrize("size", [0, 1, PART + 1])
async def test_any_size_comes_back_from_one_piece_and_from_many(blobs: Blobs, size: int) -> None:
    data = os.urandom(size)
    cut = [data[at : at + 300_000] for at in range(0, size, 300_000)]

    ref = await blobs.put_stream("default", "upload", pieces(*cut), "application/pdf")

    assert ref.size == size
    assert await blobs.get("default", ref) == data
    assert b"".join([piece async for piece in blobs.stream("default", ref)]) == data
    assert await blobs.put("default", "upload", data, "application/pdf") == ref


async def test_a_range_may_begin_and_end_anywhere(blobs: Blobs) -> None:
    data = os.urandom(2 * STEP + 10)
    ref = await blobs.put("default", "upload", data, "application/octet-stream")

    for start, end in ((0, 1), (STEP - 1, STEP + 1), (STEP, 2 * STEP), (len(data) - 1, None)):
        part = b"".join([piece async for piece in blobs.stream("default", ref, start, end)])
        assert part == data[start:end], (start, end)
    beyond = [piece async for piece in blobs.stream("default", ref, len(data), len(data))]
    assert b"".join(beyond) == b""


async def test_many_who_put_the_same_bytes_at_once_leave_one_blob(blobs: Blobs) -> None:
    data = os.urandom(70_000)
    refs = await asyncio.gather(
        *(blobs.put("default", "text", data, "text/plain") for _ in "12345678")
    )

    assert len(set(refs)) == 1
    assert await blobs.get("default", refs[0]) == data


async def test_a_store_that_works_says_so(blobs: Blobs) -> None:
    await blobs.check()


async def test_other_bytes_than_those_of_the_reference_are_never_given(blobs: Blobs) -> None:
    ref = await blobs.put("default", "text", b"grist", "text/plain")
    await forge(blobs, ref, b"other")

    with pytest.raises(BlobDamaged, match=ref.sha256):
        await blobs.get("default", ref)
    with pytest.raises(BlobDamaged):
        [piece async for piece in blobs.stream("default", ref)]


async def forge(blobs: Blobs, ref: BlobRef, data: bytes) -> None:
    """Put other bytes in the place of a blob, as a failing disk would."""
    if isinstance(blobs, MemoryBlobs):
        blobs._held[ref.key("default")] = data
    elif isinstance(blobs, FolderBlobs):
        blobs.path("default", ref).write_bytes(data)
    else:
        assert isinstance(blobs, S3Blobs)
        upload = partial(blobs._upload, ref.key("default"), BytesIO(data), len(data), ref.media)
        await asyncio.to_thread(upload)


async def test_missing_bytes_are_named(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing, match=f"default/text/{'0' * 64}"):
        await blobs.get("default", GONE)
    with pytest.raises(BlobMissing):
        [piece async for piece in blobs.stream("default", GONE)]


@pytest.mark.parametrize("size", [4, PART + 4])
async def test_an_error_while_streaming_leaves_nothing(
    blobs: Blobs, tmp_path: Path, size: int
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"h" * size
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.put_stream("default", "upload", broken(), "text/plain")

    assert left_in(tmp_path) == []


async def test_the_blobs_of_a_tenant_and_a_kind_are_listed(blobs: Blobs) -> None:
    tenant = f"t{fresh_id().hex[:12]}"
    assert [held async for held in blobs.held(tenant, "text")] == []
    refs = [await blobs.put(tenant, "text", b"%d" % n * (n + 1), "text/plain") for n in range(5)]
    await blobs.put(tenant, "text", b"0", "text/plain")
    await blobs.put(tenant, "textile", b"other kind", "text/plain")
    await blobs.put(f"{tenant}x", "text", b"other tenant", "text/plain")

    found = [held async for held in blobs.held(tenant, "text")]

    assert sorted((held.sha256, held.size) for held in found) == sorted(
        (ref.sha256, ref.size) for ref in refs
    )
    assert {(held.tenant, held.kind) for held in found} == {(tenant, "text")}
    assert all(abs(now() - held.changed) < timedelta(minutes=5) for held in found)


async def test_what_was_listed_can_be_removed_and_put_again(blobs: Blobs) -> None:
    tenant = f"t{fresh_id().hex[:12]}"
    ref = await blobs.put(tenant, "text", b"grist", "text/plain")
    stays = await blobs.put(tenant, "text", b"stays", "text/plain")
    held = next(held for held in await listed(blobs, tenant) if held.sha256 == ref.sha256)

    assert await blobs.remove(held)

    assert not await blobs.remove(held)
    assert not await blobs.holds(tenant, ref)
    assert [held.sha256 for held in await listed(blobs, tenant)] == [stays.sha256]
    assert await blobs.put(tenant, "text", b"grist", "text/plain") == ref
    assert await blobs.get(tenant, ref) == b"grist"


async def test_what_was_put_again_since_it_was_listed_stays(blobs: Blobs) -> None:
    tenant = f"t{fresh_id().hex[:12]}"
    ref = await blobs.put(tenant, "text", b"grist", "text/plain")
    (held,) = await listed(blobs, tenant)

    assert not await blobs.remove(replace(held, changed=held.changed - timedelta(hours=1)))

    assert await blobs.holds(tenant, ref)


async def listed(blobs: Blobs, tenant: str) -> list[Held]:
    return [held async for held in blobs.held(tenant, "text")]
