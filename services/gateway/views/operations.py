"""What every rule of the fold uses: the place of an event, its job, and the rows that jobs and datasets have."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from contracts.job import JobKind
from contracts.message import Message, Recorded
from services.gateway.views.batch import Change, Operation, Put

Rule = Callable[[Recorded[Any]], Iterator[Operation]]
"""An event to its row operations."""


def place(recorded: Recorded[Any]) -> int:
    """The number of an event's place in the log."""
    return int(recorded.position.partition(".")[2])


def job_of(recorded: Recorded[Any]) -> UUID:
    return recorded.job_id or recorded.stream


def plain(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json")


def new_job(
    recorded: Recorded[Any], job: UUID, kind: JobKind, *, fresh: bool = True, **values: Any
) -> Put:
    """A job as it begins: pending, with nothing done."""
    row: dict[str, Any] = {
        "tenant": recorded.tenant,
        "pos": place(recorded),
        "kind": kind,
        "all_documents": False,
        "status": "pending",
        "cancelling": False,
        "pausing": False,
        "documents": 0,
        "calls": 0,
        "calls_failed": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cached_tokens": 0,
        "cost": 0,
        "created_at": recorded.recorded_at,
        "updated_at": recorded.recorded_at,
    }
    return Put("jobs", (job,), row | values, fresh=fresh)


def job(recorded: Recorded[Any], **sets: Any) -> Change:
    """New values for the event's job; that it was heard of counts as news in any case."""
    return Change("jobs", (job_of(recorded),), {"updated_at": recorded.recorded_at, **sets})


def dataset(recorded: Recorded[Any], dataset_id: UUID, adds: dict[str, int], **sets: Any) -> Change:
    """Increments and new values for a dataset."""
    return Change("datasets", (dataset_id,), {"updated_at": recorded.recorded_at, **sets}, adds)
