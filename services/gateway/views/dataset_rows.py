"""What the events of a dataset mean for the views: its plans, its end, its files. What it has many of (units, entries,
verdicts) is folded by ``many.sql``.
"""

from collections.abc import Iterator

from contracts.dataset import DatasetCompleted, DatasetDeleted, DatasetExported
from contracts.generation import GenerationExtended, GenerationPlanned
from contracts.message import Event, Recorded
from services.gateway.views.batch import Change, Forget, Operation, Put
from services.gateway.views.operations import Rule, dataset, job, job_of, plain


def _generation_planned(recorded: Recorded[GenerationPlanned]) -> Iterator[Operation]:
    event = recorded.event
    values = {"seeds": event.seeds, "round": 1, "plan": plain(event.plan)}
    yield Put("plans", (job_of(recorded), event.first), values, fresh=False)
    adds = {"seeds": event.seeds, "asked": event.asked, "chunks": event.chunks, "rounds": 1}
    yield dataset(recorded, event.dataset_id, adds, skipped=event.skipped)
    yield job(recorded)


def _generation_extended(recorded: Recorded[GenerationExtended]) -> Iterator[Operation]:
    event = recorded.event
    if event.plan is not None:
        values = {"seeds": event.seeds, "round": event.round, "plan": plain(event.plan)}
        yield Put("plans", (job_of(recorded), event.first), values, fresh=False)
        adds = {"seeds": event.seeds, "asked": event.asked, "rounds": 1}
        yield dataset(recorded, event.dataset_id, adds)
    yield job(recorded)


def _dataset_completed(recorded: Recorded[DatasetCompleted]) -> Iterator[Operation]:
    event = recorded.event
    yield dataset(recorded, event.dataset_id, {}, closing=plain(event))
    yield job(recorded)


def _dataset_exported(recorded: Recorded[DatasetExported]) -> Iterator[Operation]:
    event = recorded.event
    values = {
        "job_id": recorded.job_id,
        "head": event.head,
        "files": [plain(file) for file in event.files],
        "entries": event.entries,
        "created_at": recorded.recorded_at,
    }
    failed = event.output_dir_failed
    laid = {"output_dir": event.output_dir, "not_laid": plain(failed) if failed else None}
    key = (event.dataset_id, event.format, event.batch_size)
    yield Put("exports", key, values | laid, fresh=False)
    # Written once more for a download, the files that were laid stay where they are.
    yield Change("exports", key, values | (laid if event.output_dir else {}))
    yield job(recorded)


def _dataset_deleted(recorded: Recorded[DatasetDeleted]) -> Iterator[Operation]:
    """Its jobs stay: they say what was done."""
    yield Forget("dataset", recorded.event.dataset_id)


RULES: dict[type[Event], Rule] = {
    GenerationPlanned: _generation_planned,
    GenerationExtended: _generation_extended,
    DatasetCompleted: _dataset_completed,
    DatasetDeleted: _dataset_deleted,
    DatasetExported: _dataset_exported,
}
