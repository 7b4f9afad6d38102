"""What the ledger works on: streams with their states, units in flight, and what a leader knows between turns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts import REQUESTS
from contracts.job import JobForked, JobForkRequested
from contracts.message import Command, Message, Request, wire_type
from services.ledger.processes.arrivals import ArrivalState
from services.ledger.processes.export import ExportState
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState, ProcessingState
from shared.appending import StreamRow
from shared.bus import Answer, dump
from shared.telemetry.traces import Context, context_from

if TYPE_CHECKING:
    from shared.store import Connection

MOST_JOBS_KNOWN = 1000
MOST_ROWS_KEPT = 1000
KEPT = ("generation", "dataset", "calls", "project")
JOBS = ("arrival", "processing", "generation", "export")


class ProjectState(Message):
    deleted: bool = False
    """Its stream and its alias stay; every request that names it is refused."""


class DatasetState(Message):
    job_id: UUID
    deleted: bool = False


STATES: dict[str, type[Message]] = {
    "project": ProjectState,
    "document": DocumentState,
    "arrival": ArrivalState,
    "processing": ProcessingState,
    "generation": GenerationState,
    "export": ExportState,
    "dataset": DatasetState,
}
"""The state that is kept with a stream, by the stream's kind."""


@dataclass(slots=True)
class Row:
    """A stream as the turn works on it."""

    stream: UUID
    tenant: str
    kind: str
    project_id: UUID | None = None
    state: Message | None = None
    open: bool = False
    changed: bool = False

    def become(self, state: Message | None) -> None:
        if state is not self.state:
            self.state = state
            self.changed = True


@dataclass(frozen=True, slots=True)
class Known:
    """What a job began with: its request, and the trace that all its work belongs to."""

    request: Request
    trace: Context | None


@dataclass(slots=True)
class House:
    """What the leader knows between turns; all of it can be learnt again."""

    windows: int = 4096
    """Model calls' units in flight, in all,"""
    tenant_window: int = 2048
    """and for one tenant."""
    short: str | None = None
    """Why space is short, so that nothing may be issued; see ``space``."""
    most_jobs: int = 1000
    """Jobs that a tenant may have open at once."""
    workers: dict[str, int] = field(default_factory=dict)
    """Processes alive, by service."""
    hungry: dict[UUID, None] = field(default_factory=dict)
    """Jobs that have more to dispatch, the one longest unserved first."""
    jobs: dict[UUID, Known] = field(default_factory=dict)
    stopped: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    """Open jobs of which nothing more is started: ``cancel`` or ``pause``, and how often each was restarted."""
    missing: dict[UUID, list[int]] = field(default_factory=dict)
    """Seeds that restarted jobs ask again, in order; a job's place among them is in its state."""
    sent: dict[UUID, int] = field(default_factory=dict)
    """Commands by the attempt at which the bus has them, where the database does not know yet that it does."""
    rows: dict[UUID, tuple[Row, int]] = field(default_factory=dict)
    """Streams that are written often, as they were committed last, with their versions: nobody else writes them."""
    in_flight: tuple[datetime, dict[str, int]] | None = None
    """Units that models work on, by tenant, and when they were counted; what is put off since is in them."""

    def credit(self, tenant: str, in_flight: Mapping[str, int]) -> int:
        """Units that one job may issue now: a fair part of what the windows leave. ``in_flight`` is by tenant."""
        if self.short is not None:
            return 0
        left = min(
            self.windows - sum(in_flight.values()), self.tenant_window - in_flight.get(tenant, 0)
        )
        return max(0, left // max(1, min(len(self.hungry), 16)))

    def keep(self, rows: Iterable[tuple[Row, int]]) -> None:
        """Remember streams as they were committed."""
        self.rows |= {row.stream: (row, version) for row, version in rows if row.kind in KEPT}
        while len(self.rows) > MOST_ROWS_KEPT:
            del self.rows[next(iter(self.rows))]

    def recall(self, streams: Iterable[UUID]) -> list[tuple[Row, int]]:
        """Those of these streams that are remembered."""
        kept = (self.rows[stream] for stream in streams if stream in self.rows)
        return [(replace(row, changed=False), version) for row, version in kept]

    def forget(self) -> None:
        """What was committed last is not known for sure."""
        self.rows.clear()
        self.in_flight = None

    def remember(self, job: UUID, known: Known) -> None:
        while len(self.jobs) >= MOST_JOBS_KNOWN:
            del self.jobs[next(iter(self.jobs))]
        self.jobs[job] = known


Interest = tuple[UUID, UUID, bool]
"""A job, a document that it works on, and whether that is settled."""
Key = tuple[str, str, str]
"""Of a request: its tenant, source and id, for ever."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked under a key, as a hash, and what was answered."""

    hash: bytes
    answer: Answer
    new: bool
    """Of this turn, and yet to be written."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A command that a turn issues on behalf of a stream, within a trace (a ``traceparent``)."""

    row: Row
    command: Command
    trace: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A command, or a part of it, as it is to be published; ``row`` names it as ``ledger.commands`` does."""

    row: Mapping[str, Any]
    command: Command
    crashes: int | None = None
    """Of a suspect that travels alone."""


@dataclass(frozen=True, slots=True)
class Work:
    """A unit in flight."""

    unit: UUID
    job: UUID
    tenant: str
    service: str
    command: UUID
    attempt: int
    outcome: UUID | None


async def known_from(connection: "Connection", job: UUID) -> Known:
    """What the first event of a job's stream says; of a fork, what the second says that it makes."""
    rows = await connection.fetch(
        "select type, data, trace from ledger.events where stream_id = $1 order by version limit 2",
        job,
    )
    if not rows:
        raise LookupError(f"job {job} has no first event")
    trace = context_from(rows[0]["trace"])
    if rows[0]["type"] == wire_type(JobForkRequested):
        return Known(JobForked.model_validate(rows[1]["data"], extra="ignore").request, trace)
    return Known(REQUESTS[rows[0]["type"]].model_validate(rows[0]["data"], extra="ignore"), trace)


def row_from(row: Any) -> Row:
    kind = row["kind"]
    state = row["state"]
    return Row(
        stream=row["stream_id"],
        tenant=row["tenant"],
        kind=kind,
        project_id=row["project_id"],
        state=STATES[kind].model_validate(state) if state is not None and kind in STATES else None,
        open=row["open"],
    )


def stream_row(row: Row) -> StreamRow:
    """What is written of a stream."""
    state = dump(row.state) if row.state else None
    return StreamRow(row.stream, row.tenant, row.kind, row.project_id, row.open, state)
