"""Jobs that are asked for while the store is away: taken by the bus, with the id that they will have."""

import hashlib
from collections.abc import Callable
from uuid import UUID

import pytest

from contracts.document import DocumentSubmitted
from contracts.generation import GenerationRequested
from contracts.identity import dataset_id, document_id, job_id
from services.gateway import accepting
from services.gateway.deps import Deps
from shared.bus import connect, envelope_from
from shared.settings import Settings
from shared.stack import Nats
from shared.topology import declare
from tests.services.gateway.listening import listening
from tests.services.gateway.story import TENANT

PROJECT = str(UUID(int=5))
AWAY = "postgresql://gateway@127.0.0.1:1/nothing"


async def test_a_job_is_queued_while_the_store_is_away(
    fresh_nats: Nats, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_ledger = make_settings("ledger", nats=fresh_nats)
    ledger = await connect(of_ledger, "ledger")
    await declare(ledger, of_ledger)
    settings = make_settings("gateway", nats=fresh_nats, database_url=AWAY, request_wait=0.3)
    asked = {"project_id": PROJECT, "entries": 5}
    async with listening(Deps(settings)) as gateway:
        while gateway.deps._client is None:
            await gateway.health()
        gateway.deps.aliases["7"] = UUID(PROJECT)
        said = await gateway.post("/datasets/generate", asked, 202, key="k")
        job = job_id(TENANT, "gateway", "k")
        assert (said["job_id"], said["state"]) == (str(job), "queued")
        assert said["dataset_id"] == str(dataset_id(job))
        other = {"project_id": 7, "document_ids": [PROJECT]}
        assert (await gateway.post("/documents/process", other, 202))["state"] == "queued"
        unknown = await gateway.post("/datasets/generate", {"project_id": 8}, 503)
        assert unknown["code"] == "store_unavailable"
        assert "by its id" in unknown["detail"]
        assert (await gateway.get(f"/jobs/status/{job}", 503))["code"] == "store_unavailable"
        assert (await gateway.post("/projects", {"name": "x"}, 503))["code"]
        monkeypatch.setattr(accepting, "MOST_QUEUED", 2)
        full = await gateway.post("/datasets/generate", asked, 429)
        assert full["code"] == "too_many_queued"
    requests = await ledger.jetstream().pull_subscribe_bind("ledger", stream="REQUESTS")
    (first,) = await requests.fetch(1)
    kept = envelope_from(first.subject, first.headers, first.data)
    assert (kept.id, kept.source) == ("k", "gateway")
    request = GenerationRequested.model_validate_json(kept.body)
    assert (str(request.project_id), request.settings.entries) == (PROJECT, 5)
    await ledger.close()


async def test_files_are_stored_and_queued_while_the_store_is_away(
    fresh_nats: Nats, make_settings: Callable[..., Settings]
) -> None:
    of_ledger = make_settings("ledger", nats=fresh_nats)
    ledger = await connect(of_ledger, "ledger")
    await declare(ledger, of_ledger)
    settings = make_settings(
        "gateway",
        nats=fresh_nats,
        database_url=AWAY,
        request_wait=0.3,
        most_queued_bytes=100,
    )
    files = [(f"{n}.txt", f"Tea, part {n}.".encode()) for n in range(3)]
    async with listening(Deps(settings)) as gateway:
        while gateway.deps._client is None:
            await gateway.health()
        gateway.deps.aliases["7"] = UUID(PROJECT)
        said = await gateway.upload("7", *files, status=202, key="k")
        job = job_id(TENANT, "gateway", "k")
        assert (said["job_id"], said["state"], said["files_count"]) == (str(job), "queued", 3)
        for (name, data), shown in zip(files, said["uploaded_files"], strict=True):
            sha256 = hashlib.sha256(data).hexdigest()
            assert (shown["file_name"], shown["sha256"]) == (name, sha256)
            assert (shown["status"], shown["size"]) == ("queued", len(data))
            assert shown["id"] == str(document_id(UUID(PROJECT), sha256))
        assert await gateway.upload("7", *files, status=202, key="k") == said
        more = ("more.txt", b"x" * 80)
        assert (await gateway.upload("7", more, status=429))["code"] == "too_many_bytes"
        assert (await gateway.upload("8", *files, status=503))["code"] == "store_unavailable"
        for path, body in (
            ("/documents/url", {"project_id": 7, "url": "https://example.org/tea"}),
            ("/documents/parse", {"project_id": PROJECT, "document_ids": [PROJECT]}),
            ("/documents/split-pdf", {"project_id": PROJECT, "pdf_path": PROJECT}),
            (f"/jobs/restart/{job}", None),
        ):
            assert (await gateway.post(path, body, 202))["state"] == "queued", path
        unnamed = {"project_id": PROJECT, "pdf_path": "tea.pdf"}
        assert (await gateway.post("/documents/split-pdf", unnamed, 503))["code"]
    requests = await ledger.jetstream().pull_subscribe_bind("ledger", stream="REQUESTS")
    found = [envelope_from(m.subject, m.headers, m.data) for m in await requests.fetch(3)]
    assert {each.id for each in found} == {"k/0", "k/1", "k/2"}
    kept = [DocumentSubmitted.model_validate_json(each.body) for each in found]
    assert {each.upload_id for each in kept} == {str(job)}
    await ledger.close()
