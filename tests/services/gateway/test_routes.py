"""The routes against a real bus and a real store, with a ledger that answers."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from contracts.document import Chunking
from contracts.generation import GenerationRequested
from contracts.identity import job_id, project_id
from contracts.job import (
    JobCancelRequested,
    JobPaused,
    JobPauseRequested,
    JobResumeRequested,
    JobStarted,
)
from contracts.processing import ProcessingRequested
from contracts.project import ProjectRequested
from services.gateway import uploading
from shared.bus import Answer
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import TENANT, Line

UNKNOWN = "00000000-0000-0000-0000-000000000009"


async def test_a_project_is_seen_by_the_very_next_get(gateway: Gateway) -> None:
    made = await gateway.post("/projects", {"name": "Brooks", "description": "wet"}, key="k1")
    assert made["id"] == str(project_id(TENANT, "gateway", "k1"))
    assert (made["name"], made["document_count"], made["status"]) == ("Brooks", 0, "active")
    assert await gateway.get(f"/projects/{made['id']}") == made
    assert await gateway.get(f"/projects/{made['alias']}") == made
    assert await gateway.get(f"/projects/{made['alias']}/") == made
    total = (await gateway.get("/projects"))["total"]
    last = await gateway.get(f"/projects?page={total}&per_page=1")
    assert (last["projects"], last["total"]) == ([made], total)
    assert (await gateway.get("/projects?page=1000000000"))["projects"] == []


async def test_the_same_key_has_one_effect(gateway: Gateway, ledger: FakeLedger) -> None:
    first = await gateway.post("/projects", {"name": "Lakes"}, key="same")
    total = (await gateway.get("/projects"))["total"]
    assert await gateway.post("/projects/", {"name": "Lakes"}, key="same") == first
    assert [id for id, _ in ledger.asked] == ["same", "same"]
    assert (await gateway.get("/projects"))["total"] == total


async def test_what_the_ledger_refuses_is_answered_with_its_status(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    taken = "Project with name 'Rivers' already exists"
    ledger.answers[ProjectRequested] = Answer(code="project_exists", message=taken, field="name")
    said = await gateway.post("/projects", {"name": "Rivers"}, 400)
    assert said == {"detail": taken, "code": "project_exists", "field": "name"}


async def test_a_project_is_changed(gateway: Gateway, rivers: str) -> None:
    async with gateway.http.put(f"/api/v1/projects/{rivers}", json={"name": "Seas"}) as response:
        assert (await response.json())["name"] == "Seas"
    assert (await gateway.get(f"/projects/{rivers}"))["name"] == "Seas"


NOWHERE = (
    f"/projects/{UNKNOWN}",
    "/projects/77",
    "/projects/99999999999999999999",
    "/projects/%00",
    "/projects/\u0663",
    "/projects/77/documents",
    f"/documents/{UNKNOWN}",
    f"/documents/{UNKNOWN}/content",
    f"/documents/upload/{UNKNOWN}/status",
    f"/documents/process/{UNKNOWN}/status",
    f"/chunks/{UNKNOWN}",
    "/chunks/nonsense",
    f"/chunks/document/{UNKNOWN}",
    "/chunks/project/77",
    f"/jobs/status/{UNKNOWN}",
    "/jobs/status/nonsense",
    f"/datasets/{UNKNOWN}",
    f"/datasets/{UNKNOWN}/entries",
    f"/datasets/{UNKNOWN}/entries/{UNKNOWN}",
    f"/datasets/{UNKNOWN}/download",
    f"/datasets/generate/{UNKNOWN}/status",
    "/nowhere",
)


async def test_what_is_not_there_is_404(gateway: Gateway) -> None:
    for path in NOWHERE:
        said = await gateway.get(path, 404)
        assert said["detail"], path
        assert said["code"].endswith("not_found"), path


async def test_404_texts_are_those_that_clients_know(gateway: Gateway, rivers: str) -> None:
    assert (await gateway.get("/projects/77", 404))["detail"] == "Project with ID 77 not found"
    said = await gateway.post(f"/jobs/cancel/{UNKNOWN}", None, 404)
    assert said["detail"] == f"Job {UNKNOWN} not found or cannot be cancelled"


BAD_BODIES: tuple[tuple[bytes, str, str | None], ...] = (
    (b"{nonsense", "malformed_json", None),
    (b"", "missing_parameter", None),
    (b"[]", "invalid_parameter", None),
    (b"{}", "missing_parameter", "project_id"),
    (b'{"project_id": 1, "entries": -1}', "invalid_parameter", "entries"),
    (b'{"project_id": 1, "concurrency": 0}', "invalid_parameter", "concurrency"),
    (b'{"project_id": 1, "entries": "many"}', "invalid_parameter", "entries"),
    (b'{"project_id": 1, "flavour": 1}', "unknown_parameter", "flavour"),
    (b'{"project_id": 1, "run_benchmarks": true}', "not_available", "run_benchmarks"),
    (b'{"project_id": 1, "model": "moon/large"}', "unknown_provider", "model"),
    (b'{"project_id": 1, "model": "openai/gpt"}', "api_key_missing", "model"),
    (b'{"project_id": 1, "model": "large"}', "unknown_provider", "model"),
)


async def test_a_bad_body_is_400_and_names_the_field(gateway: Gateway) -> None:
    headers = {"Content-Type": "application/json"}
    url = "/api/v1/datasets/generate"
    for body, code, field in BAD_BODIES:
        async with gateway.http.post(url, data=body, headers=headers) as response:
            said = await response.json()
        assert (response.status, said["code"], said["field"]) == (400, code, field), body


async def test_impossible_pages_are_400(gateway: Gateway) -> None:
    for query in ("page=0", "per_page=0", "per_page=1001", "page=x", "page=-1", "page=1e9"):
        assert (await gateway.get(f"/projects?{query}", 400))["code"] == "invalid_parameter"


async def test_a_body_over_two_megabytes_is_413(gateway: Gateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield b"x" * 65536

    url, large = "/api/v1/projects", str(48 * 65536)
    for headers in ({}, {"Content-Length": large}):
        async with gateway.http.post(url, data=pieces(), headers=headers) as response:
            assert response.status == 413
            assert (await response.json())["code"] == "body_too_large"


async def test_a_wrong_method_is_405(gateway: Gateway) -> None:
    async with gateway.http.patch("/api/v1/projects") as response:
        assert response.status == 405
        assert (await response.json())["code"] == "method_not_allowed"


async def test_files_become_documents_of_one_job(gateway: Gateway, rivers: str) -> None:
    said = await gateway.upload(rivers, ("../../a.txt", b"alpha"), ("b.md", b"# beta"))
    assert (said["files_count"], said["message"]) == (2, "Documents uploaded successfully")
    first = said["uploaded_files"][0]
    assert (first["file_name"], first["status"], first["size"]) == ("a.txt", "uploaded", 5)
    job = await gateway.get(f"/jobs/status/{said['job_id']}")
    assert (job["status"], job["progress"], job["job_type"]) == (
        "completed",
        100,
        "document_upload",
    )
    assert len(job["result"]["documents"]) == 2
    listed = await gateway.get(f"/documents?project_id={rivers}")
    assert (listed["total"], listed["documents"][0]) == (2, first)
    assert await gateway.get(f"/documents/{first['id']}") == first
    assert len((await gateway.get(f"/projects/{rivers}/documents"))["documents"]) == 2
    assert (await gateway.get(f"/projects/{rivers}"))["document_count"] == 2


BAD_FILES = (
    ("a.txt", b"", 400, "empty_file"),
    ("a.exe", b"x", 400, "unsupported_file_type"),
    ("a.dot", b"x", 400, "legacy_format"),
    ("..", b"x", 400, "bad_file_name"),
    ("a.txt", b"x" * 3000, 413, "file_too_large"),
)


async def test_a_file_that_cannot_be_taken_refuses_the_upload(
    gateway: Gateway, rivers: str, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "MOST_BYTES", 2000)
    ledger.asked.clear()
    for name, data, status, code in BAD_FILES:
        said = await gateway.upload(rivers, ("good.txt", b"fine"), (name, data), status=status)
        assert said["code"] == code
    assert ledger.asked == []


async def test_too_many_files_refuse_the_upload(
    gateway: Gateway, rivers: str, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "MOST_FILES", 2)
    ledger.asked.clear()
    files = [(f"{n}.txt", str(n).encode()) for n in range(3)]
    assert (await gateway.upload(rivers, *files, status=400))["code"] == "too_many_files"
    assert ledger.asked == []


async def test_bytes_that_no_job_has_processed_are_bounded(
    gateway: Gateway, rivers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, waiting = await gateway.deps.views.unprocessed([])
    few = gateway.deps.settings.model_copy(update={"most_queued_bytes": waiting + 60})
    monkeypatch.setattr(gateway.deps, "settings", few)
    said = await gateway.upload(rivers, ("a.txt", b"Bounded. " * 5))
    assert (await gateway.deps.views.unprocessed([]))[1] == waiting + 45
    assert (await gateway.upload(rivers, ("b.txt", b"x" * 16), status=429))[
        "code"
    ] == "too_many_bytes"
    same = await gateway.upload(rivers, ("again.txt", b"Bounded. " * 5), ("c.txt", b"x" * 15))
    assert same["uploaded_files"][0]["id"] == said["uploaded_files"][0]["id"]
    fetch = {"project_id": rivers, "url": "https://example.org/"}
    async with gateway.http.post("/api/v1/documents/url", json=fetch) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "5")
        assert (await response.json())["code"] == "too_many_bytes"


async def test_an_upload_without_files_or_to_no_project_is_refused(
    gateway: Gateway, rivers: str
) -> None:
    assert (await gateway.upload(rivers, status=400))["code"] == "missing_parameter"
    said = await gateway.upload("77", ("a.txt", b"x"), status=404)
    assert said["code"] == "project_not_found"
    said = await gateway.upload("", ("a.txt", b"x"), status=400)
    assert said["field"] == "project_id"


async def test_documents_are_processed_as_the_request_says(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    uploaded = (await gateway.upload(rivers, ("a.txt", b"alpha")))["uploaded_files"]
    asked = {
        "project_id": int(rivers),
        "document_ids": [uploaded[0]["id"]],
        "chunk_strategy": "sentence",
        "chunk_size": 4,
        "overlap": 1,
    }
    said = await gateway.post("/documents/process", asked)
    assert said["status"] == "submitted"
    request = ledger.asked[-1][1]
    assert isinstance(request, ProcessingRequested)
    assert request.chunking == Chunking(strategy="sentence", size=4, overlap=1)
    job = await gateway.get(f"/jobs/status/{said['job_id']}")
    assert job["current_step"] == "Processing (0/1 documents)"


async def test_a_tokenizer_is_a_name_in_the_data_folder(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    folder = gateway.deps.settings.data / "tokenizers"
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    (folder / "words.json").write_text(tokenizer.to_str())
    (folder / "broken.json").write_text("{}")
    uploaded = (await gateway.upload(rivers, ("a.txt", b"alpha")))["uploaded_files"]
    process: dict[str, Any] = {
        "project_id": rivers,
        "document_ids": [uploaded[0]["id"]],
        "chunk_strategy": "token",
    }
    cut = {"strategy": "token", "size": 9}
    for name, code in (
        ("none", "tokenizer_not_found"),
        ("../words", "tokenizer_not_found"),
        ("broken", "invalid_parameter"),
    ):
        said = await gateway.post("/documents/process", {**process, "tokenizer": name}, 400)
        assert (said["code"], said["field"]) == (code, "tokenizer")
        asked = {"project_id": rivers, "chunking": {**cut, "tokenizer": name}}
        said = await gateway.post("/datasets/generate", asked, 400)
        assert (said["code"], said["field"]) == (code, "chunking.tokenizer")

    await gateway.post("/documents/process", {**process, "tokenizer": "words"})
    first = ledger.asked[-1][1]
    asked = {"project_id": rivers, "chunking": {**cut, "tokenizer": "words"}}
    await gateway.post("/datasets/generate", asked)
    second = ledger.asked[-1][1]
    assert isinstance(first, ProcessingRequested)
    assert isinstance(second, GenerationRequested)
    assert first.chunking is not None
    assert second.settings.recut
    ref = second.settings.chunking.tokenizer
    assert ref is not None
    assert first.chunking.tokenizer == ref
    assert await gateway.deps.blobs.get(TENANT, ref) == tokenizer.to_str().encode()


async def test_documents_of_other_projects_are_not_processed(gateway: Gateway, rivers: str) -> None:
    said = await gateway.post(
        "/documents/process", {"project_id": rivers, "document_ids": [UNKNOWN]}, 404
    )
    assert said["detail"] == f"Document {UNKNOWN} not found or doesn't belong to project {rivers}"


async def test_a_document_that_is_not_parsed_cannot_skip_parsing(
    gateway: Gateway, rivers: str
) -> None:
    id = (await gateway.upload(rivers, ("a.txt", b"alpha")))["uploaded_files"][0]["id"]
    asked = {"project_id": int(rivers), "document_ids": [id], "skip_parsing": True}
    said = await gateway.post("/documents/process", asked, 400)
    assert said["detail"] == f"Document {id} is not parsed yet (status: uploaded)"


async def test_a_dataset_is_asked_for_and_followed(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    await gateway.upload(rivers, ("a.txt", b"alpha"), ("b.txt", b"beta"))
    asked = {"project_id": int(rivers), "entries": 5, "dataset_name": "Flow"}
    said = await gateway.post("/datasets/generate", asked, key="g1")
    assert said["job_id"] == str(job_id(TENANT, "gateway", "g1"))
    assert said["message"] == "Dataset generation started"
    request = ledger.asked[-1][1]
    assert isinstance(request, GenerationRequested)
    assert (request.document_ids, request.settings.entries) == (None, 5)
    status = await gateway.get(f"/datasets/generate/{said['job_id']}/status")
    assert (status["status"], status["current_step"]) == ("pending", "Waiting for 2 documents")
    assert status["result"]["wanted"] == 5
    assert await gateway.get(f"/jobs/status/{said['job_id']}") == status
    dataset = await gateway.get(f"/datasets/{said['dataset_id']}")
    assert (dataset["name"], dataset["status"], dataset["total_entries"]) == ("Flow", "pending", 0)


async def test_nothing_to_grind_is_said_with_the_id_that_the_user_gave(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    ledger.answers[GenerationRequested] = Answer(code="no_chunks", message="No chunks found for x")
    said = await gateway.post("/datasets/generate", {"project_id": rivers}, 400)
    assert said["detail"] == f"No chunks found for project {rivers}"


async def test_a_project_that_was_seen_and_is_deleted_is_said_with_the_id_that_the_user_gave(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    await gateway.post("/datasets/generate", {"project_id": rivers})
    ledger.answers[GenerationRequested] = Answer(
        code="project_not_found", message="Project with ID x not found", status=404
    )
    said = await gateway.post("/datasets/generate", {"project_id": rivers}, 404)
    assert said["detail"] == f"Project with ID {rivers} not found"
    assert (said["code"], said["field"]) == ("project_not_found", "project_id")


async def test_a_running_job_is_cancelled_and_says_so_at_once(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    job = (await gateway.post("/datasets/generate", {"project_id": rivers}))["job_id"]
    said = await gateway.post(f"/jobs/cancel/{job}", None)
    assert (said["job_id"], said["status"]) == (job, "cancelling")
    assert isinstance(ledger.asked[-1][1], JobCancelRequested)
    assert (await gateway.get(f"/jobs/status/{job}"))["current_step"] == "cancelling"


async def test_a_job_shows_that_it_is_pausing_that_it_rests_and_that_it_goes_on(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    job = (await gateway.post("/datasets/generate", {"project_id": rivers}))["job_id"]
    line = partial(Line, UUID(job), "generation", job=UUID(job))
    await gateway.seen(await ledger.append([line(event=JobStarted(documents=1))], salt="starts"))

    said = await gateway.post(f"/jobs/pause/{job}", None)
    assert (said["job_id"], said["status"]) == (job, "pausing")
    shown = await gateway.get(f"/jobs/status/{job}")
    assert (shown["status"], shown["current_step"]) == ("running", "pausing")
    before = (await gateway.get("/jobs/queue/stats"))["paused_jobs"]

    await gateway.seen(await ledger.append([line(event=JobPaused())], salt="rests"))
    shown = await gateway.get(f"/jobs/status/{job}")
    assert (shown["status"], shown["current_step"]) == ("paused", "Paused")
    assert shown["completed_at"] is None
    listed = await gateway.get("/jobs?status=paused&per_page=1000")
    assert job in {each["job_id"] for each in listed["jobs"]}
    assert (await gateway.get("/jobs/queue/stats"))["paused_jobs"] == before + 1

    said = await gateway.post(f"/jobs/resume/{job}", None)
    assert (said["job_id"], said["status"]) == (job, "resumed")
    assert (await gateway.get(f"/jobs/status/{job}"))["status"] == "running"
    assert [type(asked) for _, asked in ledger.asked[-2:]] == [
        JobPauseRequested,
        JobResumeRequested,
    ]


async def test_a_refusal_to_pause_says_why(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    job = (await gateway.post("/datasets/generate", {"project_id": rivers}))["job_id"]
    ledger.answers[JobResumeRequested] = Answer(code="job_not_paused", message="no", status=409)
    assert (await gateway.post(f"/jobs/resume/{job}", None, 409))["code"] == "job_not_paused"
    for verb, become in (("pause", "paused"), ("resume", "resumed")):
        said = await gateway.post(f"/jobs/{verb}/{UNKNOWN}", None, 404)
        assert said["detail"] == f"Job {UNKNOWN} not found or cannot be {become}"
