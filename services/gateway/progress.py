"""How far a job is, in percent and in words. Pure."""

from math import log2
from typing import Any

from services.gateway.shapes import QualitySummary
from services.gateway.views.rows import DatasetRow, DocumentCounts, JobRow

ENDED = ("completed", "failed", "cancelled")
GENERATING = 90
"""Percent of a generation job that are spent when its last seed is settled; the rest is curation and files."""


def counts(dataset: DatasetRow, *, ended: bool) -> dict[str, int]:
    """The equations of a dataset, exact at every moment.

    seeds = done + failed + in_flight + not_needed; generated = accepted + rejected + surplus + awaiting. ``in_flight``
    are all seeds without an outcome, dispatched or not; when the job ended without them they were not needed.
    """
    if dataset.closing is not None:
        return {name: int(value) for name, value in dataset.closing["counts"].items()}
    left = max(0, dataset.seeds - dataset.done - dataset.failed)
    judged = dataset.accepted + dataset.rejected + dataset.surplus
    return {
        "seeds": dataset.seeds,
        "done": dataset.done,
        "failed": dataset.failed,
        "in_flight": 0 if ended else left,
        "not_needed": left if ended else 0,
        "generated": dataset.generated,
        "accepted": dataset.accepted,
        "rejected": dataset.rejected,
        "surplus": dataset.surplus,
        "awaiting": dataset.generated - judged,
    }


def percent(job: JobRow, dataset: DatasetRow | None, documents: DocumentCounts) -> int:
    if job.status == "completed":
        return 100
    if job.kind == "dataset_generation":
        return _generated(dataset) if dataset is not None else 0
    if job.kind == "document_processing" and documents.total:
        return min(99, 100 * documents.settled // documents.total)
    if job.kind == "document_fetch" and job.documents:
        return min(99, 100 * documents.total // job.documents)
    return 0


def _generated(dataset: DatasetRow) -> int:
    if dataset.closing is not None:
        return 95
    if not dataset.seeds:
        return 0
    share = (dataset.done + dataset.failed) / dataset.seeds
    if dataset.wanted is not None:
        share = min(1.0, dataset.accepted / dataset.wanted)
    return int(GENERATING * share)


def step(job: JobRow, dataset: DatasetRow | None, documents: DocumentCounts) -> str:
    """What the job is doing now, for people."""
    if job.status in ENDED:
        return {"completed": "Completed", "failed": "Failed", "cancelled": "Cancelled"}[job.status]
    if job.cancelling:
        return "cancelling"
    if job.pausing or job.status == "paused":
        return "pausing" if job.pausing else "Paused"
    if job.waiting_for is not None:
        return f"waiting for {job.waiting_for}: {job.waiting_reason}"
    if job.kind == "dataset_export":
        return f"Exporting as {job.format}"
    if job.kind == "document_fetch":
        return f"Fetching ({documents.total}/{job.documents or '?'} addresses)"
    if job.kind == "document_split":
        return "Splitting"
    if job.kind == "document_processing":
        return f"Processing ({documents.settled}/{documents.total} documents)"
    if job.status == "pending":
        left = documents.total - documents.settled
        return f"Waiting for {left} document{'s' * (left != 1)}" if left else "Queued"
    return _making(dataset)


def _making(dataset: DatasetRow | None) -> str:
    if dataset is None or not dataset.rounds:
        return "Planning"
    if dataset.closing is not None:
        return "Exporting"
    settled = dataset.done + dataset.failed
    enough = dataset.wanted is not None and dataset.accepted >= dataset.wanted
    if settled < dataset.seeds and not enough:
        more = f", round {dataset.rounds}" if dataset.rounds > 1 else ""
        if (batches := batch_count(dataset)) > 1:
            batch = min(settled // dataset.batch_size, batches - 1)
            chunks = min(dataset.batch_size, dataset.seeds - batch * dataset.batch_size)
            return f"Processing batch {batch + 1}/{batches} ({chunks} chunks{more})"
        return f"Generating ({settled}/{dataset.seeds} chunks{more})"
    return "Curating"


def batch_count(dataset: DatasetRow) -> int:
    """Files that the dataset will have: a batch is a fixed range of seeds in plan order, whatever becomes of them."""
    return max(1, -(-dataset.seeds // dataset.batch_size)) if dataset.batch_size else 1


def quality(dataset: DatasetRow) -> QualitySummary:
    """The figures under the names that the API's users know; None where nothing was measured."""
    figures: dict[str, Any] = (dataset.closing or {}).get("figures") or {}
    entropy, accepted = figures.get("opening_entropy"), counts(dataset, ended=True)["accepted"]
    diversity = None
    if entropy is not None and accepted > 1:
        diversity = min(1.0, round(entropy / log2(accepted), 4))
    return QualitySummary(
        overall_score=figures.get("quality"),
        diversity_score=diversity,
        bias_score=figures.get("coverage_gini"),
    )
