"""The main job as a user has it: real processes, REST, real documents; the model built in or simulated."""

import asyncio
import json
import os
import re
import sys
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from contracts.blob import BlobRef
from shared.blobs import FolderBlobs
from tests.e2e.collector import Collector, all_sent, collecting
from tests.e2e.columns import read_parquet
from tests.e2e.whole import DOCUMENTS, MODEL, TEXTS, Whole, check, whole_mill

Until = Callable[..., Awaitable[None]]
BUILTIN = "builtin/extractive"
CONCURRENCY = 8
OUTSIDE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SERVICES = {"gateway", "ledger", "ingest", "chunk", "generate", "curate", "export"}
EVERY = (*TEXTS, "panama-canal.pdf", "honey-bees.docx")


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
async def whole(collector: Collector) -> AsyncIterator[Whole]:
    async with whole_mill(
        GRISTMILL_OTLP_ENDPOINT=collector.url, GRISTMILL_LOG_LEVEL="debug"
    ) as whole:
        yield whole


async def test_documents_become_a_dataset_whose_evidence_stands_in_them_word_for_word(
    whole: Whole, tmp_path: Path
) -> None:
    project = (await whole.api.make_project("main path")).id
    documents = await whole.api.upload(project, [DOCUMENTS / name for name in EVERY])
    job = await whole.generate(project, model=BUILTIN, batch_size=10, output_dir="ours/main")
    ended = await whole.ended(job)
    assert ended.status == "completed", ended
    assert ended.progress == 100
    made = await check(whole, job)
    assert made.counts.accepted > 50
    assert made.ending == "seeds_used_up"
    assert len(made.batch_files) > 1

    lines = await _rows_of_batches(whole, made.id, tmp_path / "made.zip")
    assert await _rows_laid(whole, made.id, "ours/main") == lines
    parquet = tmp_path / "made.parquet"
    await whole.api.download(f"/api/v1/datasets/{made.id}/download?format=parquet", parquet)
    table = read_parquet(parquet)
    assert len(lines) == table.num_rows == made.counts.accepted
    shown = await whole.entries(made.id, "accepted")
    assert {row["id"] for row in lines} == {each["id"] for each in shown}
    assert set(table.column("id").to_pylist()) == {row["id"] for row in lines}

    texts = {document.id: await _parsed_text(whole, document.id) for document in documents}
    quotes = 0
    for entry in shown:
        text = texts[entry["metadata"]["document_id"]]
        for quote in entry["evidence"]:
            assert text[quote["start"] : quote["end"]] == quote["quote"], entry
            quotes += 1
    assert quotes >= made.counts.accepted
    assert {entry["metadata"]["document_id"] for entry in shown} == set(texts)


async def _parsed_text(whole: Whole, document: str) -> str:
    """The stored text, which offsets count in."""
    found = await whole.get(f"/documents/{document}")
    [address] = found["parsed_files"]
    kind, sha256 = address.split("/")
    blobs = FolderBlobs(whole.tree.stack.data / "blobs")
    data = await blobs.get("default", BlobRef(kind=kind, sha256=sha256, size=0))
    return data.decode()


async def _rows_of_batches(whole: Whole, dataset: str, target: Path) -> list[dict[str, object]]:
    """Of every batch file in turn, which come as one archive."""
    await whole.api.download(f"/api/v1/datasets/{dataset}/download?format=jsonl", target)
    with zipfile.ZipFile(target) as archive:
        return [
            json.loads(line)
            for name in archive.namelist()
            for line in archive.read(name).splitlines()
        ]


async def _rows_laid(whole: Whole, dataset: str, output_dir: str) -> list[dict[str, object]]:
    """Of the plain files in turn, which are all that lies in the folder."""
    shown = await whole.get(f"/datasets/{dataset}")
    assert (shown["output_dir"], shown["output_dir_failed"]) == (output_dir, None)
    data = whole.tree.stack.data
    paths = [data / file["path"] for file in shown["batch_files"]]
    assert sorted(paths) == sorted((data / "exports" / output_dir).iterdir())
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


async def test_a_preview_pays_for_so_many_chunks_and_shows_all_that_was_said(whole: Whole) -> None:
    whole.simulator.reset(mode="grounded")
    typed = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("gristmill"),
        *("generate", str(DOCUMENTS / "tea.txt"), "--model", MODEL, "--url", whole.tree.url),
        *("--chunking", "contextual size=80 context_words=7", "--preview", "3", "--entries", "9"),
        env={**os.environ, "COLUMNS": "100"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = (part.decode() for part in await typed.communicate())
    assert typed.returncode == 0, err
    assert whole.simulator.stats()["calls"] == 3
    for word in ("Chunk 3 of 3: tea.txt", "<passage-", "raw response", "checks", "Nothing else"):
        assert word in out, word
    assert out.count("system message") == 1

    [job] = re.findall(r"^job +(\S+)$", err, re.MULTILINE)
    made = await check(whole, job)
    assert (made.counts.seeds, made.ending) == (3, "seeds_used_up")
    shown = await whole.api.preview(made.id)
    assert len(shown.seeds) == 3 < shown.useful == shown.chunks
    seed = next(seed for seed in shown.seeds if seed.start)
    before = re.search(r"<before-\w+>\n(.*?)\n</before", seed.user or "", re.DOTALL)
    assert before is not None
    text = (DOCUMENTS / "tea.txt").read_text()
    assert before[1].split() == text[: seed.start].split()[-7:]


async def test_one_connected_trace_follows_a_job_through_every_service(
    whole: Whole, collector: Collector
) -> None:
    whole.simulator.reset(mode="grounded", latency_ms=20)
    project = (await whole.api.make_project("traced")).id
    await whole.api.upload(project, [DOCUMENTS / "tea.txt"])
    asked = {"project_id": project, "generation_mode": "question and answer", "model": MODEL}
    session = whole.api._session
    async with session.post(
        "/api/v1/datasets/generate/", json=asked, headers={"traceparent": OUTSIDE}
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert len(answer.headers["X-Request-Id"]) == 36
        name = (await answer.json())["job_id"]
    assert (await whole.ended(name)).status == "completed"
    spans = await all_sent(collector, name, SERVICES, OUTSIDE[36:52])

    assert {span.trace for span in spans} == {OUTSIDE[3:35]}
    assert len({span.id for span in spans}) == len(spans)
    [root] = [span for span in spans if span.parent == OUTSIDE[36:52]]
    assert (root.service, root.name) == ("gateway", "POST /api/v1/datasets/generate")
    [job] = [span for span in spans if span.name == "job"]
    units = {span.id: span for span in spans if span.name == "GenerateEntries"}
    assert {unit.parent for unit in units.values()} == {job.id}
    assert job.seconds >= max(span.seconds for span in units.values())
    calls = [span for span in spans if span.name == "chat simulated"]
    assert {call.parent for call in calls} == set(units)
    assert all(int(call.attributes["prompt_tokens"]) > 0 for call in calls)
    recorded = {span.id for span in spans if span.parent in units and span.service == "ledger"}
    linked = {link for span in spans if span.name == "CurateEntries" for link in span.links}
    assert linked == recorded
    assert not [span for span in spans if span.failed]
    # What a span says is words and numbers, no text.
    assert not [v for s in spans for v in s.attributes.values() if len(v) > 120 or " " in v]


async def test_a_job_that_reuses_answers_pays_for_none_that_an_earlier_one_was_given(
    whole: Whole,
) -> None:
    """Also for those that could not be read and were asked for again, and with the same entries to the letter."""
    whole.simulator.reset(mode="grounded", malformed=0.3)
    project = await whole.project(*TEXTS[:2])
    first = await whole.generate(project)
    assert (await whole.ended(first)).status == "completed"
    calls = whole.simulator.stats()["calls"]
    seeds = (await whole.dataset_of(first)).counts.seeds
    assert calls > seeds > 10

    second = await whole.generate(project, reuse_answers=True)
    assert (await whole.ended(second)).status == "completed"
    assert whole.simulator.stats()["calls"] == calls
    made = await check(whole, second)
    assert made.counts == (await whole.dataset_of(first)).counts
    texts = [
        [(each["question"], each["answer"]) for each in await whole.entries(of.id, "accepted")]
        for of in (await whole.dataset_of(first), made)
    ]
    assert texts[0] == texts[1] != []


async def test_a_cancelled_job_shows_it_at_once_calls_nothing_more_and_keeps_what_it_has(
    whole: Whole, until: Until
) -> None:
    whole.simulator.reset(mode="grounded", latency_ms=300)
    project = await whole.project(*EVERY, chunk_size=190)
    job = await whole.generate(project, concurrency=CONCURRENCY)
    await until(lambda: whole.simulator.stats()["calls"] >= 30, within=20)

    await whole.api.cancel(job)
    shown = await whole.api.job(job)
    calls = whole.simulator.stats()["calls"]
    assert (shown.status, shown.current_step) == ("running", "cancelling")
    ended = await whole.ended(job)
    assert ended.status == "cancelled"
    # Those that were about to start, each in place of one that ended meanwhile.
    started_since = whole.simulator.stats()["calls"] - calls
    assert started_since <= CONCURRENCY
    calls += started_since

    made = await check(whole, job)
    assert made.ending == "cancelled"
    assert made.counts.done == calls
    assert made.counts.failed == 0
    assert made.counts.not_needed == made.counts.seeds - calls > 50


async def test_a_job_waits_for_a_model_that_is_away_and_goes_on_when_it_is_back(
    whole: Whole, until: Until
) -> None:
    whole.simulator.reset(mode="grounded", latency_ms=100)
    project = await whole.project()
    job = await whole.generate(project, concurrency=CONCURRENCY)
    await until(lambda: whole.simulator.stats()["calls"] >= 20, within=20)
    whole.simulator.kill()

    waiting = await whole.reached(job, lambda found: found.current_step.startswith("waiting for"))
    assert waiting.status == "running"
    assert waiting.current_step.startswith("waiting for openai/simulated: ")

    whole.revive("mode=grounded", "latency_ms=100")
    ended = await whole.ended(job)
    assert ended.status == "completed", ended
    made = await check(whole, job)
    assert made.counts.failed == made.counts.not_needed == 0
    assert made.counts.done == made.counts.seeds
