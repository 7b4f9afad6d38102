"""Files of a dataset, streamed as the export service wrote them. Formats nothing itself."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from contracts.dataset import ExportedFile
from contracts.export import ExportRequested
from services.gateway import formats, ids, progress, ranges, showing
from services.gateway.archive import zipped
from services.gateway.asking import ask, request_id
from services.gateway.deps import Deps, Here
from services.gateway.problems import answer
from services.gateway.shapes import Submitted
from services.gateway.views.rows import DatasetRow, ExportRow
from shared.blobs import BlobMissing
from shared.clock import monotonic
from shared.errors import Refused

router = APIRouter(prefix="/datasets", tags=["datasets"])

PATIENCE = 10.0
"""Seconds that a download waits for a format that must be written first."""
VERSION = 1
"""Of every dataset: a version is a part of the file names that clients know, and there are no others yet."""

Format = Annotated[str | None, Query(max_length=50)]
Batch = Annotated[int | None, Query(ge=0, le=1_000_000_000)]

FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, or a zip.", "content": {"application/octet-stream": FILE}},
    202: {"model": Submitted, "description": "It is being written; ask again."},
    206: {"description": "The part asked for.", "content": {"application/octet-stream": FILE}},
    410: {"description": "The blob store no longer holds the file."},
    304: {"description": "The client has this very file."},
    416: {"description": "The file has no such part."},
}


@router.get("/{id}/download", response_class=Response, responses=ANSWERS)
async def download_dataset(
    deps: Here, request: Request, id: str, format: Format = None, batch: Batch = None
) -> Response:
    """The file of a dataset, or a zip of its batch files; `id` may be the name of one of its files. A format that was
    never written is written now; if that takes longer than 10 s, the answer is 202 with the job that does it. Parts
    of one file can be asked for by `Range`, and `If-Range` with its `ETag`; with `If-None-Match` one that the client
    has is not sent again (304).
    """
    found = await _named(deps, id)
    if found is not None:
        dataset, name, file = found
        return await _sent(deps, dataset, name, [file], request.headers)
    dataset = await ids.dataset(deps.views, id)
    name = format or dataset.format
    formats.check(name, "format")
    export = _choose(dataset, await _exports(deps, dataset, name), batch)
    if export is None and batch is not None:
        raise Refused("batch_not_found", f"Dataset {id} has no batch {batch} in {name}", status=404)
    if export is None:
        job = await _export(deps, dataset, name)
        export = _choose(dataset, await _exports(deps, dataset, name), batch)
        if export is None:
            return _accepted(job, dataset, name)
    files = _files(export, batch)
    return await _sent(deps, dataset, name, files, request.headers, whole=batch is None)


@router.head("/{id}/download", include_in_schema=False)
async def describe_download(
    deps: Here, id: str, format: Format = None, batch: Batch = None
) -> Response:
    """What a download would be, without its bytes. Has nothing written."""
    found = await _named(deps, id)
    if found is not None:
        dataset, name, file = found
        return await _described(deps, dataset, name, [file])
    dataset = await ids.dataset(deps.views, id)
    name = format or dataset.format
    formats.check(name, "format")
    export = _choose(dataset, await _exports(deps, dataset, name), batch)
    if export is None:
        raise Refused("not_written", f"Dataset {id} was not written as {name} yet.", status=404)
    return await _described(deps, dataset, name, _files(export, batch), whole=batch is None)


async def _named(deps: Deps, name: str) -> tuple[DatasetRow, str, ExportedFile] | None:
    """The dataset, the format and the file, where ``name`` is one's name."""
    if ids.uuid_of(name) is not None or "." not in name or "\x00" in name:
        return None
    export = await deps.views.export_with(name[:300])
    dataset = await deps.views.dataset(export.dataset_id) if export else None
    if export is None or dataset is None:
        return None
    files = [ExportedFile.model_validate(file) for file in export.files]
    return dataset, export.format, next(file for file in files if file.name == name)


def _files(export: ExportRow, batch: int | None) -> list[ExportedFile]:
    files = [ExportedFile.model_validate(file) for file in export.files]
    return files if batch is None else [file for file in files if file.batch == batch]


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
    deps: Deps,
    dataset: DatasetRow,
    format: str,
    files: Sequence[ExportedFile],
    asked: Mapping[str, str],
    *,
    whole: bool = False,
) -> Response:
    described = await _headers(deps, dataset, format, files, whole=whole)
    if len(files) > 1:
        pieces = zipped(deps.blobs, deps.tenant, [(file.name, file.blob) for file in files])
        return StreamingResponse(pieces, headers=described)
    blob = files[0].blob
    if ranges.is_known(asked.get("if-none-match"), described["ETag"]):
        return Response(status_code=304, headers={"ETag": described["ETag"]})
    try:
        part = ranges.wanted(
            asked.get("range"), blob.size, asked.get("if-range"), described["ETag"]
        )
    except ranges.Unsatisfiable:
        message = f"The file has {blob.size} bytes, and none in the range that was asked for."
        refusal = answer(416, "range_not_satisfiable", message, "Range")
        refusal.headers["Content-Range"] = f"bytes */{blob.size}"
        return refusal
    if part is None:
        return StreamingResponse(deps.blobs.stream(deps.tenant, blob), headers=described)
    start, end = part
    described["Content-Length"] = str(end - start)
    described["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
    pieces = deps.blobs.stream(deps.tenant, blob, start, end)
    return StreamingResponse(pieces, status_code=206, headers=described)


async def _described(
    deps: Deps,
    dataset: DatasetRow,
    format: str,
    files: Sequence[ExportedFile],
    *,
    whole: bool = False,
) -> Response:
    response = Response()
    response.headers.update(await _headers(deps, dataset, format, files, whole=whole))
    if len(files) > 1:
        del response.headers["Content-Length"]  # of a zip, which is not known before it is made
    return response


async def _headers(
    deps: Deps, dataset: DatasetRow, format: str, files: Sequence[ExportedFile], *, whole: bool
) -> dict[str, str]:
    """Of the whole answer; ``whole``: it is named after the dataset, not after the file. Raise ``BlobMissing`` before
    a byte is sent.
    """
    for file in files:
        if not await deps.blobs.holds(deps.tenant, file.blob):
            raise BlobMissing(file.blob.key(deps.tenant))
    if len(files) > 1:
        name = f"{showing.name_of(dataset)}_v{VERSION}.zip"
        return {"Content-Type": "application/zip", "Accept-Ranges": "none", **_disposition(name)}
    blob, name = files[0].blob, files[0].name
    if whole:
        name = f"{showing.name_of(dataset)}_v{VERSION}.{name.rpartition('.')[2]}"
    return {
        "Content-Type": blob.media,
        "Content-Length": str(blob.size),
        "Accept-Ranges": "bytes",
        "ETag": f'"{blob.sha256}"',
        **_disposition(_told_apart(name, format)),
    }


def _told_apart(name: str, format: str) -> str:
    """A file's name with its format in it, where its ending is shared by several: no download hides another."""
    stem, _, ending = name.rpartition(".")
    return name if ending == format else f"{stem}.{format}.{ending}"


def _disposition(name: str) -> dict[str, str]:
    """A file name that survives headers: plain for old clients, and in UTF-8 (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\/' else "_" for c in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    }
