"""The edge of export: read the log in plan order, fetch texts, let a format write them, keep and lay the files."""

import asyncio
import itertools
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

from contracts.dataset import DatasetExported, ExportDataset, ExportedFile, NotLaid
from contracts.entries import EntriesAdmitted, EntriesBody, EntriesCurated, EntriesGenerated
from contracts.generation import PlannedDocument, Seed
from services.export.formats.protocol import ExportRow, Format, Provenance
from services.export.formats.registry import find
from services.export.laying import lay
from services.export.logic import PlannedFile, batches, files
from services.export.ordering import Kept, Ordering
from shared.blobs import PIECE, Blobs
from shared.errors import Rejected
from shared.failpoints import failpoint
from shared.plans import Plans
from shared.store import Reader
from shared.worker import Done, Task, Work

log = logging.getLogger(__name__)

UNITS = 200
"""Units whose texts are in memory at a time."""


def work(blobs: Blobs, store: Reader, data: Path) -> list[Work]:
    """``data`` takes the files while they are written, and those that are asked for in a folder."""
    plans, folder = Plans(blobs), data / "tmp"

    async def export(task: Task[ExportDataset]) -> Done:
        command = task.command
        form = await asyncio.to_thread(find, command.format)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            with Ordering(Path(name) / "order.sqlite") as ordering:
                await _gather(store, command, ordering)
                reason = form.refuses(ordering.types())
                if reason is not None:
                    raise Rejected("format_cannot_hold", reason)
                rows = _Rows(store, plans, task.tenant, command, ordering)
                written = await _write(form, rows, command, await _seeds(plans, task), Path(name))
                answered = [ordering.answered(file.first, file.stop) for file, _ in written]
            kept = [
                ExportedFile(
                    name=file.name,
                    blob=await blobs.put_stream(
                        task.tenant, "export", _pieces(Path(name) / file.name), form.media
                    ),
                    batch=file.batch,
                    entries=entries,
                    seeds=file.seeds,
                    answered=of_them,
                )
                for (file, entries), of_them in zip(written, answered, strict=True)
            ]
            failed = await _lay(data, command, Path(name), kept)
        failpoint("export.finished")
        exported = DatasetExported(
            dataset_id=command.dataset_id,
            format=command.format,
            batch_size=command.batch_size,
            head=command.head,
            files=tuple(kept),
            entries=sum(file.entries for file in kept),
            output_dir=command.output_dir,
            output_dir_failed=failed,
        )
        return Done((exported,))

    return [Work(ExportDataset, export)]


async def _gather(store: Reader, command: ExportDataset, ordering: Ordering) -> None:
    """Read the dataset's facts into ``ordering``."""
    async for recorded in store.stream(
        command.dataset_id, through=command.head, types=(EntriesCurated, EntriesAdmitted)
    ):
        match recorded.event:
            case EntriesCurated() as curated:
                ordering.curated(curated)
            case EntriesAdmitted() as admitted:
                ordering.admitted(admitted)
    async for recorded in store.stream(command.source_job_id, types=(EntriesGenerated,)):
        if isinstance(recorded.event, EntriesGenerated):
            ordering.generated(recorded.event)


async def _seeds(plans: Plans, task: Task[ExportDataset]) -> int:
    spans = [await plans.span(task.tenant, plan) for plan in task.command.plan]
    return max((stop for _, stop in spans), default=0)


async def _write(
    form: Format, rows: "_Rows", command: ExportDataset, seeds: int, folder: Path
) -> list[tuple[PlannedFile, int]]:
    planned = files(command.source_job_id, form.extension, seeds, command.batch_size)
    loop = asyncio.get_running_loop()

    def write() -> list[tuple[PlannedFile, int]]:
        written = []
        for file, of_file in batches(rows.read(loop), planned):
            with (folder / file.name).open("wb") as out:
                written.append((file, form.write(of_file, out)))
            failpoint("export.part_written")
        return written

    return await asyncio.to_thread(write)


async def _lay(
    data: Path, command: ExportDataset, folder: Path, kept: list[ExportedFile]
) -> NotLaid | None:
    """Lay the files where the command asks for them. What goes wrong is told and costs nothing else: the files are
    kept as blobs by now, and a job that failed for its folder would take a paid dataset's downloads with it.
    """
    if command.output_dir is None:
        return None
    files = [folder / file.name for file in kept]
    try:
        await asyncio.to_thread(lay, data, command.output_dir, files)
    except Rejected as problem:
        log.warning("files of dataset %s: %s", command.dataset_id, problem)
        return NotLaid(code=problem.code, message=str(problem)[:1000])
    return None


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


class _Rows:
    """A dataset's rows by seed, with their texts fetched a stretch at a time."""

    def __init__(
        self, store: Reader, plans: Plans, tenant: str, command: ExportDataset, ordering: Ordering
    ) -> None:
        self._store = store
        self._plans = plans
        self._tenant = tenant
        self._command = command
        self._ordering = ordering

    def read(self, loop: asyncio.AbstractEventLoop) -> Iterator[tuple[int, ExportRow]]:
        """For a thread of its own: what must be fetched is fetched by ``loop``."""
        units = self._ordering.units()
        while stretch := list(itertools.islice(units, UNITS)):
            fetched = asyncio.run_coroutine_threadsafe(self._rows(stretch), loop)
            yield from fetched.result()

    async def _rows(
        self, units: list[tuple[EntriesGenerated, dict[UUID, Kept]]]
    ) -> list[tuple[int, ExportRow]]:
        bodies = await self._store.bodies([unit.body for unit, _ in units])
        rows: list[tuple[int, ExportRow]] = []
        for unit, kept in units:
            text = bodies.get(unit.body)
            if text is None:
                continue
            seed, document = await self._plans.find(self._tenant, self._command.plan, unit.seed)
            provenance = _provenance(self._command, unit, seed, document)
            for entry in EntriesBody.model_validate_json(text).entries:
                if (facts := kept.get(entry.entry_id)) is not None:
                    row = ExportRow(
                        entry_id=entry.entry_id,
                        content=entry.content,
                        category=facts.category,
                        difficulty=facts.difficulty,
                        quality=facts.quality,
                        provenance=provenance,
                    )
                    rows.append((unit.seed, row))
        return rows


def _provenance(
    command: ExportDataset, unit: EntriesGenerated, seed: Seed, document: PlannedDocument
) -> Provenance:
    return Provenance(
        document_id=unit.document_id,
        document_name=document.name,
        title=document.title,
        page=seed.page,
        heading_path=seed.heading_path,
        chunk_id=unit.chunk_id,
        model=unit.model,
        prompt=unit.prompt,
        parameters=unit.parameters,
        response_key=unit.response_key,
        seed=unit.seed,
        dataset_id=command.dataset_id,
        job_id=command.source_job_id,
    )
