"""What the events of a dataset on its way mean for the views: plans, units, entries, verdicts, files."""

from collections.abc import Iterator
from typing import Any

from contracts.dataset import DatasetCompleted, DatasetDeleted, DatasetExported
from contracts.entries import (
    Duplicate,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
    Verdict,
)
from contracts.generation import GenerationExtended, GenerationPlanned
from contracts.identity import dataset_id
from contracts.message import Event, Recorded, wire_type
from contracts.unit import UnitFailed
from services.gateway.views.batch import Change, Forget, Operation, Put
from services.gateway.views.operations import Rule, dataset, job, job_of, place, plain

SEED = wire_type(GenerateEntries)
"""The command whose units are seeds; the failure of any other is not counted among them."""


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


def _entries_generated(recorded: Recorded[EntriesGenerated]) -> Iterator[Operation]:
    event = recorded.event
    yield Put(
        "units",
        (event.unit_id, event.dataset_id),
        {
            "pos": place(recorded),
            "seed": event.seed,
            "round": event.round,
            "sample": event.sample,
            "document_id": event.document_id,
            "chunk_id": event.chunk_id,
            "entries": len(event.entries),
            "nothing_because": event.nothing_because,
            "body_id": event.body,
            "call_id": event.call,
            "model": event.model,
            "prompt": plain(event.prompt),
            "parameters": event.parameters,
            "response_key": event.response_key,
            "usage": plain(event.usage),
        },
    )
    for n, entry in enumerate(event.entries):
        yield Put(
            "entries",
            (entry.entry_id, event.dataset_id),
            {
                "unit_id": event.unit_id,
                "seed": event.seed,
                "n": n,
                "type": entry.type,
                "status": "generated",
                "difficulty": entry.difficulty,
            },
        )
    yield dataset(recorded, event.dataset_id, {"done": 1, "generated": len(event.entries)})
    yield job(recorded)


def _unit_failed(recorded: Recorded[UnitFailed]) -> Iterator[Operation]:
    event, this = recorded.event, job_of(recorded)
    values = {
        "job_id": this,
        "pos": place(recorded),
        "code": event.code,
        "message": event.message,
        "fatal": event.fatal,
        "command": event.command,
        "call_id": event.call,
    }
    yield Put("failures", (event.unit_id,), values, fresh=False)
    # What a cancellation kept from being asked did not fail: it was not needed, as the ledger counts it.
    if event.command == SEED and event.code != "cancelled":
        yield dataset(recorded, dataset_id(this), {"failed": 1})
    yield job(recorded)


def _entries_curated(recorded: Recorded[EntriesCurated]) -> Iterator[Operation]:
    event = recorded.event
    for verdict in event.verdicts:
        yield Change("entries", (verdict.entry_id, event.dataset_id), _judged(recorded, verdict))
    rejected = sum(not verdict.passed for verdict in event.verdicts)
    yield dataset(recorded, event.dataset_id, {"rejected": rejected})
    yield job(recorded)


def _judged(recorded: Recorded[EntriesCurated], verdict: Verdict) -> dict[str, Any]:
    return {
        "status": "curated" if verdict.passed else "rejected",
        "reason": verdict.found[0].reason if verdict.found and not verdict.passed else None,
        "found": [plain(found) for found in verdict.found] or None,
        "quality": verdict.quality,
        "category": verdict.category,
        "kind": verdict.kind,
        "difficulty": verdict.difficulty,
        "verdict_pos": place(recorded),
    }


def _entries_admitted(recorded: Recorded[EntriesAdmitted]) -> Iterator[Operation]:
    event, here = recorded.event, place(recorded)
    for entry in event.accepted:
        yield Change(
            "entries", (entry, event.dataset_id), {"status": "accepted", "admitted_pos": here}
        )
    for entry in event.surplus:
        yield Change(
            "entries", (entry, event.dataset_id), {"status": "surplus", "admitted_pos": here}
        )
    for duplicate in event.duplicates:
        yield Change(
            "entries",
            (duplicate.entry_id, event.dataset_id),
            {
                "status": "rejected",
                "reason": "duplicate",
                "found": [{"reason": "duplicate", "detail": _why(duplicate)}],
                "admitted_pos": here,
            },
        )
    counts = {
        "accepted": len(event.accepted),
        "rejected": len(event.duplicates),
        "surplus": len(event.surplus),
    }
    yield dataset(recorded, event.dataset_id, counts)
    yield job(recorded)


def _why(duplicate: Duplicate) -> str:
    rule = {
        "question": "the same question as",
        "near_question": "nearly the same question as",
        "same_fact": "the same fact as",
    }[duplicate.rule]
    return f"{rule} {duplicate.of} (similarity {duplicate.similarity:.2f})"


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
    EntriesGenerated: _entries_generated,
    UnitFailed: _unit_failed,
    EntriesCurated: _entries_curated,
    EntriesAdmitted: _entries_admitted,
    DatasetCompleted: _dataset_completed,
    DatasetDeleted: _dataset_deleted,
    DatasetExported: _dataset_exported,
}
