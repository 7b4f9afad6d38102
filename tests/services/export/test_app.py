"""The edge of export on a real store: files are kept as blobs, and lie in the folder that was asked for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid5

import pytest

from contracts.blob import BlobRef
from contracts.dataset import DatasetExported, ExportDataset
from contracts.generation import PlanManifest
from contracts.identity import GRISTMILL
from services.export.app import work
from shared.blobs import FolderBlobs
from shared.clock import fresh_id
from shared.stack import Database
from shared.store import PostgresReader, open_pool
from shared.task import Task, Work

JOB = uuid5(GRISTMILL, "export")


@pytest.fixture
async def export(database: Database, tmp_path: Path) -> AsyncIterator[Work]:
    async with await open_pool(database.url("reader")) as pool:
        [found] = work(FolderBlobs(tmp_path / "blobs"), PostgresReader(pool), tmp_path)
        yield found


async def done(export: Work, data: Path, output_dir: str | None) -> DatasetExported:
    """Two files of three seeds that gave no entry."""
    plan = PlanManifest(first=0, seeds=3, pages=("a" * 64,), page_size=500)
    blobs = FolderBlobs(data / "blobs")
    ref: BlobRef = await blobs.put("default", "plan", plan.model_dump_json().encode(), "text/plain")
    command = ExportDataset(
        job_id=JOB,
        units=(JOB,),
        dataset_id=JOB,
        head=0,
        plan=(ref,),
        format="json",
        batch_size=2,
        source_job_id=JOB,
        name="tea",
        output_dir=output_dir,
    )
    task = Task(command, 0, "default", 1, fresh_id(), lambda: None)
    [event] = (await export.handler(task)).events
    assert isinstance(event, DatasetExported)
    return event


async def test_files_lie_where_they_were_asked_for_as_they_were_kept(
    export: Work, tmp_path: Path
) -> None:
    first, again = [await done(export, tmp_path, "a/b") for _ in range(2)]
    assert first == again
    assert (first.output_dir, first.output_dir_failed, len(first.files)) == ("a/b", None, 2)
    assert [(file.seeds, file.answered) for file in first.files] == [(2, 0), (1, 0)]
    folder = tmp_path / "exports" / "a" / "b"
    for file in first.files:
        laid = await asyncio.to_thread((folder / file.name).read_bytes)
        assert laid == await FolderBlobs(tmp_path / "blobs").get("default", file.blob)
    assert len(list(folder.iterdir())) == 2


async def test_without_a_folder_nothing_is_laid(export: Work, tmp_path: Path) -> None:
    event = await done(export, tmp_path, None)
    assert (event.output_dir, event.output_dir_failed) == (None, None)
    assert not (tmp_path / "exports").exists()


async def test_a_folder_that_leads_out_costs_no_dataset(export: Work, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "mine").symlink_to(outside)
    event = await done(export, tmp_path, "mine")
    assert event.output_dir_failed is not None
    assert event.output_dir_failed.code == "output_dir_leads_out"
    assert list(outside.iterdir()) == []
    for file in event.files:
        assert await FolderBlobs(tmp_path / "blobs").get("default", file.blob) == b"[]\n"
