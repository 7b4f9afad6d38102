"""Entries and their chains, and the files of a dataset, as the API shows them."""

import io
import zipfile
from uuid import UUID

import asyncpg
import pytest

from contracts.export import ExportRequested
from contracts.identity import body_id, dataset_id, entry_id, job_id, seed_unit
from contracts.job import JobCancelled, JobCompleted, JobFailed
from contracts.message import Request
from services.gateway.routes import downloads
from shared.stack import Database
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import JOB, PROJECT, QUOTE, TENANT, TEXT, Line, Story

DATASET = dataset_id(JOB)
FIRST = entry_id(seed_unit(JOB, 0), 0, 0)


async def test_accepted_entries_come_in_the_order_of_their_sources(
    gateway: Gateway, told: Story
) -> None:
    page = await gateway.get(f"/datasets/{DATASET}/entries")
    assert (page["total"], page["page"], page["per_page"]) == (3, 1, 50)
    assert [entry["metadata"]["seed"] for entry in page["entries"]] == [0, 1, 2]
    assert page["quality_summary"] == {
        "average_score": 0.9, "distribution": {"high": 3, "medium": 0, "low": 0},
    }  # fmt: skip
    first = page["entries"][0]
    assert (first["id"], first["question"]) == (str(FIRST), "When was mill 0/0 built?")
    assert (first["answer"], first["category"]) == ("It was built in 1823.", "Mills")
    assert first["evidence"][0]["quote"] == QUOTE
    assert first["metadata"]["document"] == "mill.txt"
    assert first["metadata"]["heading_path"] == ["Mills", "Ufa"]


async def test_entries_are_filtered_and_paged(gateway: Gateway, told: Story) -> None:
    async def found(query: str) -> list[tuple[int, str]]:
        page = await gateway.get(f"/datasets/{DATASET}/entries?{query}")
        return [(entry["metadata"]["seed"], entry["status"]) for entry in page["entries"]]

    assert await found("status=rejected") == [(0, "rejected"), (1, "rejected")]
    assert await found("reason=ungrounded") == [(1, "rejected")]
    assert await found("reason=duplicate") == [(0, "rejected")]
    assert await found("status=surplus") == [(2, "surplus")]
    assert len(await found("status=all")) == 6
    assert await found("per_page=1&page=2") == [(1, "accepted")]
    assert await found("page=1000000000") == []
    assert await found("kind=definition") == []
    assert await found("filter_quality=0.95") == []
    assert len(await found("status=all&filter_quality=0.5")) == 5
    assert (await found("status=all&sort_by=quality"))[-1] == (1, "rejected")
    said = await gateway.get(f"/datasets/{DATASET}/entries?status=nonsense", 400)
    assert said["field"] == "status"


async def test_a_rejected_entry_keeps_its_reason(gateway: Gateway, told: Story) -> None:
    page = await gateway.get(f"/datasets/{DATASET}/entries?reason=ungrounded")
    assert page["entries"][0]["reasons"] == [{"reason": "ungrounded", "detail": "1824"}]


async def test_an_entry_leads_back_to_the_bytes_of_its_file(gateway: Gateway, told: Story) -> None:
    chain = await gateway.get(f"/datasets/{DATASET}/entries/{FIRST}")
    assert chain["source"]["file_name"] == "mill.txt"
    assert len(chain["source"]["sha256"]) == 64
    assert chain["chunk"]["text"] == TEXT[:60]
    evidence = chain["evidence"][0]
    assert evidence["found"] == evidence["quote"] == QUOTE
    assert evidence["before"] + evidence["found"] + evidence["after"] == TEXT
    assert (chain["prompt"]["system"], chain["prompt"]["user"]) == ("You write.", "passage")
    assert chain["call"]["exchanges"][0]["response"] == "{}"
    assert chain["verdict"]["quality_parts"] == {"grounded": 1.0}
    verdict = chain["verdict"]
    assert verdict["generated_at"] < verdict["judged_at"] < verdict["admitted_at"]
    assert await gateway.get(f"/entries/{FIRST}") == chain


async def test_the_first_seeds_are_shown_with_all_that_was_said(
    gateway: Gateway, told: Story
) -> None:
    shown = await gateway.get(f"/datasets/{DATASET}/preview")
    assert [seed["status"] for seed in shown["seeds"]] == ["done", "done", "done", "failed"]
    assert (shown["chunks"], shown["useful"], shown["status"]) == (4, 3, "completed")
    first, second, *_, failed = shown["seeds"]
    assert (first["system"], first["user"], first["passage"]) == (
        "You write.",
        "passage",
        TEXT[:60],
    )
    assert first["exchanges"][0]["response"] == "{}"
    assert [each["verdict"]["status"] for each in first["entries"]] == ["accepted", "rejected"]
    assert second["entries"][1]["verdict"]["reasons"] == [
        {"reason": "ungrounded", "detail": "1824"}
    ]
    assert second["entries"][1]["entry"]["question"] == "When was mill 1/1 built?"
    assert (failed["code"], failed["message"], failed["entries"]) == ("timeout", "no answer", [])
    assert len((await gateway.get(f"/datasets/{DATASET}/preview?limit=2"))["seeds"]) == 2
    assert (await gateway.get(f"/datasets/{DATASET}/preview?limit=0", 400))["field"] == "limit"


async def test_a_parsed_document_is_advised_how_to_be_cut(gateway: Gateway, told: Story) -> None:
    asked = {"document_id": str(told.good), "goal": "RAG by sentence", "examples": [QUOTE]}
    said = await gateway.post("/documents/analyze-chunking", asked)
    assert said["recommended_strategy"] == "sentence"
    assert said["reasons"][0] == "The goal was read as: retrieval, sentences."
    assert said["measures"]["characters"] == len(TEXT)
    assert 0 < len(said["alternative_strategies"]) <= 3
    assert all(each["reasons"] for each in said["alternative_strategies"])
    for change, code, field in (
        ({"goal": "nice ones"}, "invalid_parameter", "goal"),
        ({"model": "openai/gpt"}, "not_available", "model"),
        ({"document_id": str(told.bad)}, "not_parsed", "document_id"),
    ):
        problem = await gateway.post("/documents/analyze-chunking", asked | change, 400)
        assert (problem["code"], problem["field"]) == (code, field)
    lost = {"document_id": str(PROJECT)}
    assert (await gateway.post("/documents/analyze-chunking", lost, 404))["code"]


async def test_an_entry_of_another_dataset_is_not_found(gateway: Gateway, told: Story) -> None:
    said = await gateway.get(f"/datasets/{DATASET}/entries/{DATASET}", 404)
    assert said["code"] == "entry_not_found"


async def test_an_erased_text_leaves_the_rest_of_the_entry(
    gateway: Gateway, told: Story, own_database: Database
) -> None:
    unit = seed_unit(JOB, 2)
    admin = await asyncpg.connect(own_database.admin_url)
    await admin.execute(
        "delete from ledger.bodies where body_id = any($1::uuid[])",
        [body_id(unit, "entries"), body_id(unit, "call")],
    )
    await admin.close()
    page = await gateway.get(f"/datasets/{DATASET}/entries")
    assert [entry["content"] is None for entry in page["entries"]] == [False, False, True]
    assert page["entries"][2]["category"] == "Mills"
    chain = await gateway.get(f"/datasets/{DATASET}/entries/{entry_id(unit, 0, 0)}")
    assert chain["call"]["exchanges"] is None
    assert chain["verdict"]["status"] == "accepted"


async def test_batches_are_downloaded_one_by_one_or_as_a_zip(gateway: Gateway, told: Story) -> None:
    url = f"/api/v1/datasets/{DATASET}/download"
    async with gateway.http.get(f"{url}?format=jsonl&batch=1") as response:
        assert await response.read() == b"two\n"
        assert "mills_batch_1.jsonl" in response.headers["Content-Disposition"]
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Content-Length"] == "4"
    async with gateway.http.get(url) as response:
        assert response.headers["Content-Type"] == "application/zip"
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "mills_batch_0.jsonl": b"one\n",
        "mills_batch_1.jsonl": b"two\n",
    }
    said = await gateway.get(f"/datasets/{DATASET}/download?batch=7", 404)
    assert said["code"] == "batch_not_found"


async def test_a_whole_file_is_downloaded_as_it_is(gateway: Gateway, told: Story) -> None:
    url = f"/api/v1/datasets/{DATASET}/download?format=parquet"
    async with gateway.http.get(url) as response:
        assert await response.read() == b"whole"


async def test_a_format_that_was_never_written_is_written_now(
    gateway: Gateway, told: Story, ledger: FakeLedger
) -> None:
    def exported(request: Request, job: UUID) -> list[Line]:
        assert isinstance(request, ExportRequested)
        more = Story()
        more.export(job, request.dataset_id, request.format, ["whole"])
        more.say(job, "export", JobCompleted(), job=job)
        return more.lines

    ledger.follow[ExportRequested] = exported
    url = f"/api/v1/datasets/{DATASET}/download?format=alpaca"
    async with gateway.http.get(url) as response:
        assert (response.status, await response.read()) == (200, b"whole")
    ledger.asked.clear()
    async with gateway.http.get(url) as response:
        assert (response.status, await response.read()) == (200, b"whole")
    assert ledger.asked == []


async def test_a_format_that_takes_long_is_answered_with_its_job(
    gateway: Gateway, told: Story, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.05)
    path = f"/datasets/{DATASET}/download?format=chatml"
    first = await gateway.get(path, 202)
    assert first["status"] == "submitted"
    assert await gateway.get(path, 202) == first
    assert len([each for each in ledger.asked if isinstance(each[1], ExportRequested)]) == 1
    status = await gateway.get(f"/jobs/status/{first['job_id']}")
    assert (status["job_type"], status["current_step"]) == ("dataset_export", "Exporting as chatml")


async def test_a_format_that_cannot_hold_the_entries_says_why(
    gateway: Gateway, told: Story, ledger: FakeLedger
) -> None:
    why = JobFailed(code="format_cannot_hold", message="openai cannot hold questions alone")
    ledger.follow[ExportRequested] = lambda _, job: [Line(job, "export", why, job)]
    said = await gateway.get(f"/datasets/{DATASET}/download?format=openai", 409)
    assert (said["code"], said["detail"]) == (why.code, why.message)


async def test_formats_that_nobody_writes_are_refused(gateway: Gateway, told: Story) -> None:
    path = f"/datasets/{DATASET}/download?format="
    assert (await gateway.get(path + "xml", 400))["code"] == "invalid_parameter"
    assert (await gateway.get(path + "anki", 400))["code"] == "not_available"


async def test_a_dataset_that_is_not_closed_cannot_be_downloaded(
    gateway: Gateway, told: Story, ledger: FakeLedger
) -> None:
    more = Story()
    job = more.ask("unfinished")
    await gateway.seen(await ledger.append(more.lines, salt="more"))
    said = await gateway.get(f"/datasets/{dataset_id(job)}/download", 409)
    assert said["code"] == "dataset_not_complete"
    shown = await gateway.get(f"/datasets/{dataset_id(job)}/entries")
    assert (shown["entries"], shown["quality_summary"]["average_score"]) == ([], None)
    more.say(job, "generation", JobCancelled(), job=job)
    await gateway.seen(await ledger.append(more.lines[1:], salt="end"))


async def test_a_job_that_has_ended_cannot_be_cancelled(gateway: Gateway, told: Story) -> None:
    said = await gateway.post(f"/jobs/cancel/{JOB}", None, 404)
    assert said["detail"] == f"Job {JOB} not found or cannot be cancelled"


async def test_a_finished_job_says_all_that_came_of_it(gateway: Gateway, told: Story) -> None:
    status = await gateway.get(f"/datasets/generate/{JOB}/status")
    result = status["result"]
    assert (status["status"], status["progress"]) == ("completed", 100)
    assert [file["entries_count"] for file in result["batch_files"]] == [1, 1]
    assert [file["chunks_processed"] for file in result["batch_files"]] == [1, 1]
    assert (result["completed_batches"], result["total_batches"]) == (2, 2)
    paths = [f"exports/mine/mills_batch_{n}.jsonl" for n in range(2)]
    assert [file["path"] for file in result["batch_files"]] == paths
    made = await gateway.get(f"/datasets/{dataset_id(JOB)}")
    assert [file["path"] for file in made["batch_files"]] == paths
    counts = result["counts"]
    assert counts["seeds"] == sum(
        counts[name] for name in ("done", "failed", "in_flight", "not_needed")
    )
    assert (result["ending"], result["missing"]) == ("enough", 0)
    assert result["calls"]["made"] == 4
    failed = await gateway.get(f"/jobs/status/{job_id(TENANT, 'test', 'failed')}")
    assert (failed["error_code"], failed["error"]) == ("no_chunks", "none")


async def test_jobs_are_listed_newest_first(gateway: Gateway, told: Story) -> None:
    jobs = (await gateway.get(f"/jobs?project_id={PROJECT}"))["jobs"]
    # Other tests of this module add jobs to the same project, or ran in another process.
    began = [job["created_at"] for job in jobs]
    assert began == sorted(began, reverse=True)
    assert {job["status"] for job in jobs} == {"cancelled", "failed", "completed"}
    assert str(JOB) in {job["job_id"] for job in jobs}
    only = await gateway.get("/jobs?kind=dataset_generation&status=completed&project_id=1")
    assert [job["job_id"] for job in only["jobs"]] == [str(JOB)]


async def test_a_dataset_says_its_figures(gateway: Gateway, told: Story) -> None:
    dataset = await gateway.get(f"/datasets/{dataset_id(JOB)}")
    assert (dataset["name"], dataset["total_entries"], dataset["ending"]) == (
        "Old mills",
        3,
        "enough",
    )
    assert dataset["quality_summary"] == {
        "overall_score": 0.9, "diversity_score": 0.5047, "bias_score": 0.25,
    }  # fmt: skip
    assert dataset["rejected_by_reason"] == {"ungrounded": 1, "duplicate": 1}
    details = await gateway.get(f"/datasets/{dataset_id(JOB)}/details")
    assert details["generation_params"]["entries"] == 3
    assert {file["format"] for file in details["exports"]} >= {"jsonl", "parquet"}
    listed = (await gateway.get(f"/projects/{PROJECT}/datasets"))["datasets"]
    assert (listed[-1]["total_entries"], listed[-1]["status"]) == (3, "completed")
    assert listed[-1]["output_file_path"].endswith("/download?format=jsonl")
