"""Blobs in S3 when something is wrong: who is away, what is not configured, and what is said of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.blobs import Blobs, FolderBlobs, chosen, opened
from shared.errors import GristmillError, Unavailable
from shared.s3 import PART, S3Blobs, address
from shared.settings import Settings
from shared.stack import Seaweed, free_port

Until = Callable[..., Awaitable[None]]


@pytest.fixture
async def blobs(seaweed: Seaweed, tmp_path: Path) -> AsyncIterator[Blobs]:
    store = chosen(seaweed.settings(tmp_path))
    yield store
    store.close()


def changed(settings: Settings, **others: object) -> Settings:
    return Settings.model_validate(settings.model_dump() | others)


async def complaint(settings: Settings) -> GristmillError:
    with pytest.raises(GristmillError) as found:
        async with opened(settings):
            pass
    return found.value


def test_without_an_endpoint_the_blobs_lie_in_the_data_folder(tmp_path: Path) -> None:
    assert isinstance(chosen(Settings(data=tmp_path)), FolderBlobs)


def test_the_endpoint_may_have_its_common_name_or_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT", "http://common")
    monkeypatch.setenv("S3_BUCKET", "grain")
    assert Settings().s3_endpoint == "http://common"
    monkeypatch.setenv("GRISTMILL_S3_ENDPOINT", "http://ours")
    assert (Settings().s3_endpoint, Settings().s3_bucket) == ("http://ours", "grain")


@pytest.mark.parametrize(
    "endpoint",
    ["127.0.0.1:9000", "ftp://host", "http://", "http://host/bucket", "http://user:pw@host"],
)
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(GristmillError, match="S3_ENDPOINT must be") as found:
        address(endpoint)
    assert found.value.code == "setting_invalid"


async def test_an_endpoint_without_keys_is_refused(tmp_path: Path) -> None:
    found = await complaint(Settings(data=tmp_path, s3_endpoint="http://127.0.0.1:1"))
    assert found.code == "setting_missing"
    assert "S3_SECRET_KEY" in found.message


async def test_wrong_keys_and_a_missing_bucket_are_told_at_the_start(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    good = seaweed.settings(tmp_path)

    unknown = await complaint(changed(good, s3_access_key="nobody"))
    wrong = await complaint(changed(good, s3_secret_key="guessed"))
    nowhere = await complaint(changed(good, s3_bucket="elsewhere"))

    assert (unknown.code, wrong.code) == ("blobs_refused", "blobs_refused")
    assert "does not know the access key" in unknown.message
    assert "does not take the secret key" in wrong.message
    assert nowhere.code == "blobs_bucket_missing"
    assert f"bucket elsewhere at {seaweed.endpoint}" in nowhere.message
    for each in (unknown, wrong, nowhere):
        assert not isinstance(each, Unavailable)
        assert "guessed" not in each.message


async def test_keys_that_are_taken_away_while_at_work_are_waited_for(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    store = chosen(changed(seaweed.settings(tmp_path), s3_secret_key="taken-away"))
    with pytest.raises(Unavailable) as found:
        await store.put("default", "text", b"grist", "text/plain")
    store.close()
    assert found.value.code == "blobs_refused"
    assert found.value.waiting_for == "the blob store"


async def test_a_server_that_is_away_is_unavailable_and_waited_for_at_the_start(
    tmp_path: Path, until: Until
) -> None:
    port = free_port()
    away = Settings.model_validate(
        {
            "data": tmp_path,
            "s3_endpoint": f"http://127.0.0.1:{port}",
            "s3_access_key": "a",
            "s3_secret_key": "b",
        }
    )
    store = chosen(away)
    with pytest.raises(Unavailable) as found:
        await store.put("default", "text", b"grist", "text/plain")
    store.close()
    assert found.value.code == "blobs_unavailable"
    assert f"127.0.0.1:{port}" in found.value.message
    assert "HTTPConnection" not in found.value.message

    waiting = asyncio.create_task(complaint(away))
    accepted = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<Error><Code>NoSuchBucket</Code></Error>"
        writer.write(
            b"HTTP/1.1 404 -\r\ncontent-type: application/xml\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()
        accepted.set()

    async with await asyncio.start_server(accept, "127.0.0.1", port):
        assert (await waiting).code == "blobs_bucket_missing"
    assert accepted.is_set()


async def test_what_was_put_is_there_after_the_server_was_killed(
    seaweed: Seaweed, blobs: Blobs, until: Until
) -> None:
    refs = [await blobs.put("default", "text", os.urandom(500), "text/plain") for _ in range(20)]
    before = seaweed.pid
    os.kill(before, signal.SIGKILL)
    with pytest.raises(Unavailable):
        await blobs.get("default", refs[0])

    async def answers() -> bool:
        try:
            await blobs.check()
        except GristmillError:
            return False
        return True

    await until(answers, within=30)
    assert seaweed.pid != before
    for ref in refs:
        assert await blobs.holds("default", ref)
        await blobs.get("default", ref)


async def test_a_large_blob_passes_in_flat_memory(blobs: Blobs, tmp_path: Path) -> None:
    piece, pieces = os.urandom(1024 * 1024), 40
    process, peak = psutil.Process(), 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal peak
        for _ in range(pieces):
            yield piece
            peak = max(peak, process.memory_info().rss)

    await blobs.put_stream("default", "upload", iter_once(piece), "text/plain")
    before = process.memory_info().rss
    ref = await blobs.put_stream("default", "upload", large(), "application/octet-stream")
    size = 0
    async for part in blobs.stream("default", ref):
        size += len(part)
        peak = max(peak, process.memory_info().rss)

    assert size == ref.size == pieces * len(piece)
    assert peak - before < 32 * 1024 * 1024
    assert list((tmp_path / "incoming").iterdir()) == []


async def iter_once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


async def test_a_large_blob_is_sent_again_only_where_it_might_soon_be_collected(
    seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(PART + 1)
    sent: list[float] = []
    for grace in (3600.0, 1e-6, 0.0):
        store = chosen(changed(seaweed.settings(tmp_path), blob_grace=grace))
        assert isinstance(store, S3Blobs)
        upload = store._upload
        await store.put("default", "upload", data, "application/pdf")

        def noted(*given: Any, grace: float = grace, upload: Any = upload) -> None:
            sent.append(grace)
            upload(*given)

        monkeypatch.setattr(store, "_upload", noted)
        await store.put("default", "upload", data, "application/pdf")
        store.close()

    assert sent == [1e-6]
