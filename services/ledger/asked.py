"""What every request has in common: the identity under which it was asked, and how what it becomes is recorded."""

from dataclasses import dataclass
from uuid import UUID

from contracts.identity import event_id, job_id
from contracts.message import Event
from services.ledger.rows import DatasetState, ProjectState, Row
from services.ledger.turn import Turn
from shared.errors import Refused
from shared.letters import Letter


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the identity under which it was asked."""

    tenant: str
    source: str
    request_id: str
    message: UUID
    """Derived from the identity; what the request becomes is numbered from it."""
    lacks_blob: bool = False
    """The blob store does not hold what the request points to."""
    letter: Letter | None = None
    """The dead letter that the request names."""

    @property
    def job(self) -> UUID:
        return job_id(self.tenant, self.source, self.request_id)


async def say(turn: Turn, asked: Asked, row: Row, job: UUID, *events: Event) -> None:
    """Record what a request becomes in one stream, and let its process fold it."""
    for n, event in enumerate(events):
        recorded = turn.record(
            row, event, id=event_id(asked.message, n), job=job, cause=asked.message
        )
        if recorded is not None:
            await turn.fold(row, recorded)


async def project_row(turn: Turn, tenant: str, project: UUID) -> Row:
    """The stream of a project that was not deleted. Raise ``Refused`` (404) where the tenant has none."""
    row = await turn.row(project)
    if row is None or row.kind != "project" or row.tenant != tenant or is_deleted(row):
        raise Refused("project_not_found", f"Project with ID {project} not found", status=404)
    return row


async def room_for_a_job(turn: Turn, tenant: str) -> None:
    """Raise ``Refused`` where the tenant has as many jobs open as it may. Those of this turn are counted too."""
    if await turn.open_jobs(tenant) >= turn.house.most_jobs:
        raise Refused(
            "too_many_jobs",
            f"{turn.house.most_jobs} jobs are open, which is as many as may be at once: wait until one ends, or cancel"
            " one.",
            status=429,
        )


async def dataset_row(turn: Turn, tenant: str, dataset: UUID) -> tuple[Row, DatasetState]:
    """The stream of a dataset that is there. Raise ``Refused`` (404) where the tenant has none."""
    unknown = Refused("dataset_not_found", f"Dataset {dataset} not found", status=404)
    row = await turn.row(dataset)
    if row is None or row.tenant != tenant or not isinstance(row.state, DatasetState):
        raise unknown
    source = await turn.row(row.state.job_id)
    owner = await turn.row(source.project_id) if source and source.project_id else None
    if row.state.deleted or (owner is not None and is_deleted(owner)):
        raise unknown
    return row, row.state


def is_deleted(row: Row) -> bool:
    return isinstance(row.state, ProjectState) and row.state.deleted
