"""Rows of the views as the API's answers. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Any
from uuid import UUID

from contracts.blob import BlobRef
from contracts.dataset import ExportedFile
from contracts.identity import document_id
from services.gateway import progress
from services.gateway.document_shapes import QueuedDocument, UploadQueued
from services.gateway.shapes import (
    BatchFile,
    Dataset,
    DatasetDetails,
    DatasetFound,
    DatasetListed,
    Document,
    JobStatus,
    Project,
)
from services.gateway.views.rows import (
    DatasetRow,
    DocumentCounts,
    DocumentRow,
    ExportRow,
    JobRow,
    ProjectRow,
    SplitRow,
)

BASE = "/api/v1"


def project(row: ProjectRow) -> Project:
    return Project(
        id=row.project_id,
        alias=row.alias,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        document_count=row.documents,
        dataset_count=row.datasets,
    )


def document(row: DocumentRow, names: Sequence[str] = ()) -> Document:
    text = [f"{row.body['kind']}/{row.body['sha256']}"] if row.body else []
    return Document(
        id=row.document_id,
        project_id=row.project_id,
        file_name=row.name,
        source_file_path=f"{row.blob['kind']}/{row.blob['sha256']}",
        created_at=row.created_at,
        status=row.status,
        parsed_documents=[str(row.document_id)] if row.body else [],
        parsed_files=text,
        sha256=row.blob["sha256"],
        size=row.blob["size"],
        updated_at=row.updated_at,
        title=row.title,
        source_url=row.source_url,
        published=row.published,
        language=row.language,
        pages=row.pages,
        characters=row.characters,
        words=row.words,
        chunks=row.chunks,
        parser=row.parser,
        code=row.code,
        message=row.message,
        other_names=[name for name in names if name != row.name],
    )


def queued(job: UUID, project: UUID, files: Sequence[tuple[str, BlobRef]]) -> UploadQueued:
    """The files of an upload that waits for the store, as the documents that they will be."""
    return UploadQueued(
        job_id=job,
        message="Documents stored; they are recorded when the event store is back",
        files_count=len(files),
        uploaded_files=[
            QueuedDocument(
                id=document_id(project, blob.sha256),
                project_id=project,
                file_name=name,
                source_file_path=f"{blob.kind}/{blob.sha256}",
                sha256=blob.sha256,
                size=blob.size,
            )
            for name, blob in files
        ],
    )


def download(dataset: UUID, format: str, batch: int | None = None) -> str:
    part = "" if batch is None else f"&batch={batch}"
    return f"{BASE}/datasets/{dataset}/download?format={format}{part}"


def files(export: ExportRow) -> list[BatchFile]:
    return [_file(export, ExportedFile.model_validate(each)) for each in export.files]


def _file(export: ExportRow, file: ExportedFile) -> BatchFile:
    return BatchFile(
        batch_index=file.batch,
        file_path=file.name,
        entries_count=file.entries,
        chunks_processed=file.seeds if file.answered is None else file.answered,
        format=export.format,
        size_bytes=file.blob.size,
        sha256=file.blob.sha256,
        download=download(export.dataset_id, export.format, file.batch),
        path=laid(export, file.name),
    )


def laid(export: ExportRow, name: str) -> str | None:
    """Where a file lies below the export service's data folder; None where it was not asked for, or failed."""
    if export.output_dir is None or export.not_laid is not None:
        return None
    return f"exports/{export.output_dir}/{name}"


def own_export(dataset: DatasetRow, exports: Iterable[ExportRow]) -> ExportRow | None:
    """The export that the dataset's own job made, in the format that it was asked for."""
    asked = (dataset.format, dataset.batch_size)
    return next((each for each in exports if (each.format, each.batch_size) == asked), None)


def job(
    row: JobRow,
    made: DatasetRow | None,
    documents: DocumentCounts,
    result: dict[str, Any] | None,
    estimated_completion: datetime | None = None,
) -> JobStatus:
    return JobStatus(
        job_id=row.job_id,
        job_type=row.kind,
        status=row.status,
        progress=progress.percent(row, made, documents),
        current_step=progress.step(row, made, documents),
        result=result,
        error=row.message,
        error_code=row.code,
        project_id=row.project_id,
        dataset_id=row.dataset_id,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        updated_at=row.updated_at,
        estimated_completion=estimated_completion,
    )


def generation_result(
    row: JobRow, made: DatasetRow, exports: Sequence[ExportRow], rejected: Iterable[DocumentRow]
) -> dict[str, Any]:
    """The result of a generation job, from its first moment on: the counts always, the files when they are there.

    ``rejected``: the documents that cannot be used; the job goes on without them.
    """
    counts = progress.counts(made, ended=row.status in progress.ENDED)
    own = own_export(made, exports)
    batches = [file.model_dump(mode="json") for file in files(own)] if own else []
    total = 1 if not made.batch_size else -(-counts["seeds"] // made.batch_size)
    closing = made.closing or {}
    return {
        "dataset_id": str(made.dataset_id),
        "batch_files": batches,
        "output_dir": made.settings.get("output_dir"),
        "output_dir_failed": own.not_laid if own else None,
        "completed_batches": len(batches),
        "total_batches": len(batches) or total,
        "total_entries_so_far": counts["accepted"],
        "entries_count": counts["accepted"],
        "total_size": sum(file["size_bytes"] for file in batches),
        "wanted": made.wanted,
        "missing": closing.get("missing"),
        "ending": closing.get("ending"),
        "rounds": made.rounds,
        "counts": counts,
        "rejected_by_reason": closing.get("rejected_by_reason"),
        "failed_by_code": closing.get("failed_by_code"),
        "skipped": closing.get("skipped", made.skipped),
        "rejected_documents": [_outcome(document) for document in rejected],
        "model": made.model,
        "calls": {
            "made": row.calls,
            "failed": row.calls_failed,
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "cached_tokens": row.cached_tokens,
            "cost_micro": row.cost or None,
        },
    }


def _outcome(row: DocumentRow) -> dict[str, Any]:
    """What became of a document."""
    return {
        "document_id": str(row.document_id),
        "file_name": row.name,
        "status": row.status,
        "chunks": row.chunks,
        "code": row.code,
        "message": row.message,
    }


def documents_result(rows: Iterable[DocumentRow]) -> dict[str, Any]:
    """The result of a job of documents: each with what became of it."""
    shown = [_outcome(row) for row in rows]
    return {
        "documents": shown,
        "processed_files": sum(each["status"] != "uploaded" for each in shown),
    }


def arrivals_result(
    documents: Iterable[DocumentRow], reasons: Iterable[tuple[str, str]], split: SplitRow | None
) -> dict[str, Any]:
    """The result of a job that brings documents in: what came, and why the rest did not."""
    failures = [{"code": code, "message": message} for code, message in reasons]
    result = documents_result(documents) | {"failures": failures}
    result["processed_files"] = len(result["documents"])
    return result | split_result(split) if split else result


def split_result(row: SplitRow) -> dict[str, Any]:
    """Parts by their content addresses, which name documents wherever a path is asked for."""
    return {
        "split_files": [f"{part['blob']['kind']}/{part['blob']['sha256']}" for part in row.parts],
        "total_splits": len(row.parts),
        "manifest_path": f"{row.manifest['kind']}/{row.manifest['sha256']}",
        "pages": row.pages,
        "parts": [
            {key: part[key] for key in ("name", "first_page", "last_page")} for part in row.parts
        ],
    }


def listed(row: DatasetRow, status: str, exports: Sequence[ExportRow]) -> DatasetListed:
    return DatasetListed(
        id=row.dataset_id,
        project_id=row.project_id,
        output_type=row.format,
        output_file_path=download(row.dataset_id, row.format) if own_export(row, exports) else None,
        created_at=row.created_at,
        name=name_of(row),
        status=status,
        total_entries=progress.counts(row, ended=status in progress.ENDED)["accepted"],
    )


def found(row: DatasetRow, status: str, exports: Sequence[ExportRow]) -> DatasetFound:
    own = own_export(row, exports)
    return DatasetFound(
        id=row.dataset_id,
        name=name_of(row),
        format_type=row.format,
        size_bytes=sum(file.size_bytes for file in files(own)) if own else 0,
        entries_count=progress.counts(row, ended=status in progress.ENDED)["accepted"],
        created_at=row.created_at,
        status=status,
        generation_params=row.settings,
    )


def aware(time: date | datetime | None, *, end: bool = False) -> datetime | None:
    """A time without a zone is meant in UTC; a date alone is its first moment, or its last one at the ``end``."""
    if isinstance(time, date) and not isinstance(time, datetime):
        time = datetime.combine(time, time_of_day.max if end else time_of_day.min)
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


def name_of(row: DatasetRow) -> str:
    return row.name or f"dataset_{row.dataset_id}"


def dataset(
    row: DatasetRow,
    status: str,
    exports: Sequence[ExportRow],
    rejected: dict[str, int],
    failed: dict[str, int],
) -> Dataset:
    """``rejected`` and ``failed`` are counted so far; a closed dataset says its own."""
    closing = row.closing or {}
    counts = progress.counts(row, ended=status in progress.ENDED)
    own = own_export(row, exports)
    batches = files(own) if own else []
    return Dataset(
        id=row.dataset_id,
        name=name_of(row),
        entries=[],
        total_entries=counts["accepted"],
        created_at=row.created_at,
        format_type=row.format,
        batch_files=batches,
        total_batches=len(batches),
        output_dir=row.settings.get("output_dir"),
        output_dir_failed=own.not_laid if own else None,
        quality_summary=progress.quality(row),
        project_id=row.project_id,
        job_id=row.job_id,
        status=status,
        model=row.model,
        mode=row.mode,
        wanted=row.wanted,
        counts=counts,
        rejected_by_reason=closing.get("rejected_by_reason", rejected),
        failed_by_code=closing.get("failed_by_code", failed),
        skipped=closing.get("skipped", row.skipped),
        ending=closing.get("ending"),
    )


def details(row: DatasetRow, shown: Dataset, exports: Iterable[ExportRow]) -> DatasetDetails:
    return DatasetDetails(
        **dict(shown),
        updated_at=row.updated_at,
        rounds=row.rounds,
        chunks=row.chunks,
        generation_params=row.settings,
        figures=(row.closing or {}).get("figures"),
        exports=[file for export in exports for file in files(export)],
    )
