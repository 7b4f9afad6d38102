"""Files of a dataset, streamed as the export service wrote them. Formats nothing itself."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from contracts.dataset import ExportedFile
from contracts.export import ExportRequested
from services.gateway import generating, ids, progress, showing
from services.gateway.archive import zipped
from services.gateway.asking import ask, request_id
from services.gateway.deps import Deps, Here
from services.gateway.shapes import Submitted
from services.gateway.views.rows import DatasetRow, ExportRow
from shared.blobs import BlobMissing
from shared.clock import monotonic
from shared.errors import Refused

router = APIRouter(prefix="/datasets", tags=["datasets"])

PATIENCE = 10.0
"""Seconds that a download waits for a format that must be written first."""


@router.get("/{id}/download", response_class=Response, responses={202: {"model": Submitted}})
async def download_dataset(
    deps: Here,
    id: str,
    format: Annotated[str | None, Query(max_length=50)] = None,
    batch: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The file of a dataset, or a zip of its batch files. A format that was never written is written now; if that
    takes longer than 10 s, the answer is 202 with the job that does it.
    """
    dataset = await ids.dataset(deps.views, id)
    name = format or dataset.format
    generating.check_format(name, "format")
    export = _choose(dataset, await _exports(deps, dataset, name), batch)
    if export is None and batch is not None:
        raise Refused("batch_not_found", f"Dataset {id} has no batch {batch} in {name}", status=404)
    if export is None:
        job = await _export(deps, dataset, name)
        export = _choose(dataset, await _exports(deps, dataset, name), batch)
        if export is None:
            return _accepted(job, dataset, name)
    files = [ExportedFile.model_validate(file) for file in export.files]
    if batch is not None:
        files = [file for file in files if file.batch == batch]
    return await _sent(deps, dataset, name, files)


async def _exports(deps: Deps, dataset: DatasetRow, format: str) -> list[ExportRow]:
    found = await deps.views.exports([dataset.dataset_id])
    return [each for each in found if each.format == format]


def _choose(
    dataset: DatasetRow, exports: Sequence[ExportRow], batch: int | None
) -> ExportRow | None:
    """The export that answers: the one with that batch, else the whole dataset in one file, else its batches."""
    if batch is not None:
        return next((e for e in exports if any(f["batch"] == batch for f in e.files)), None)
    whole = [each for each in exports if len(each.files) == 1]
    own = showing.own_export(dataset, exports)
    return next(iter(whole), own)


async def _export(deps: Deps, dataset: DatasetRow, format: str) -> UUID:
    """Have the dataset written and wait for it a while; raise ``Refused`` with the reason where it cannot be."""
    job = await deps.views.job(dataset.job_id)
    if dataset.closing is None:
        status = job.status if job else "unknown"
        raise Refused(
            "dataset_not_complete",
            f"Dataset {dataset.dataset_id} is not complete (its job is {status}).",
            status=409,
        )
    this = await deps.views.open_export(dataset.dataset_id, format)
    if this is None:
        request = ExportRequested(dataset_id=dataset.dataset_id, format=format)
        this = await ask(deps, request, request_id(None))
    until = monotonic() + PATIENCE
    while (left := until - monotonic()) > 0:
        row = await deps.views.job(this)
        if row is not None and row.status == "failed":
            code, message = row.code or "export_failed", row.message or "The export failed."
            raise Refused(code, message, status=409, field="format")
        if row is not None and row.status in progress.ENDED:
            break
        await deps.reached.next(min(left, 0.5))
    return this


def _accepted(job: UUID, dataset: DatasetRow, format: str) -> Response:
    shape = Submitted(
        job_id=job,
        message=f"Dataset {dataset.dataset_id} is being written as {format}; ask again soon",
        dataset_id=dataset.dataset_id,
    )
    return JSONResponse(
        shape.model_dump(mode="json"),
        status_code=202,
        headers={"Location": f"{showing.BASE}/jobs/status/{job}", "Retry-After": "2"},
    )


async def _sent(
    deps: Deps, dataset: DatasetRow, format: str, files: Sequence[ExportedFile]
) -> Response:
    for file in files:
        if not await deps.blobs.holds(deps.tenant, file.blob):
            raise BlobMissing(file.blob.key(deps.tenant))
    if len(files) == 1:
        file = files[0]
        return StreamingResponse(
            deps.blobs.stream(deps.tenant, file.blob),
            media_type=file.blob.media,
            headers={
                **_named(_told_apart(file.name, format)),
                "Content-Length": str(file.blob.size),
                "ETag": f'"{file.blob.sha256}"',
            },
        )
    return StreamingResponse(
        zipped(deps.blobs, deps.tenant, [(file.name, file.blob) for file in files]),
        media_type="application/zip",
        headers=_named(f"{showing.name_of(dataset)}_{format}.zip"),
    )


def _told_apart(name: str, format: str) -> str:
    """A file's name with its format in it, where its ending is shared by several: no download hides another."""
    stem, _, ending = name.rpartition(".")
    return name if ending == format else f"{stem}.{format}.{ending}"


def _named(name: str) -> dict[str, str]:
    """A file name that survives headers: plain for old clients, and in UTF-8 (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\/' else "_" for c in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    }
