"""What the events that a job has many of mean for the views, one by one: what ``many.sql`` must come to."""

from collections.abc import Iterator
from typing import Any

from contracts.call import CallSettled
from contracts.entries import (
    Duplicate,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
    Verdict,
)
from contracts.identity import dataset_id
from contracts.message import Event, Recorded, wire_type
from contracts.unit import UnitFailed
from services.gateway.views.batch import Change, Operation, Put
from services.gateway.views.operations import Rule, dataset, job, job_of, place, plain

SEED = wire_type(GenerateEntries)


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


def _call_settled(recorded: Recorded[CallSettled]) -> Iterator[Operation]:
    call = recorded.event
    yield Change(
        "jobs",
        (job_of(recorded),),
        {"updated_at": recorded.recorded_at},
        {
            "calls": 1,
            "calls_failed": int(call.outcome != "ok"),
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "cached_tokens": call.cached_tokens,
            "cost": call.cost or 0,
        },
    )


MANY: dict[type[Event], Rule] = {
    EntriesGenerated: _entries_generated,
    UnitFailed: _unit_failed,
    EntriesCurated: _entries_curated,
    EntriesAdmitted: _entries_admitted,
    CallSettled: _call_settled,
}
