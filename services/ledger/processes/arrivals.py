"""The jobs that bring documents in: fetched from the web, or cut out of one that is there.

Each unit delivers documents or fails for itself; the job fails only when none could be had.
"""

from typing import Literal
from uuid import UUID

from contracts.blob import BlobRef
from contracts.document import (
    DivideDocument,
    DocumentDivided,
    DocumentFetched,
    DocumentFetchRequested,
    DocumentSplitRequested,
    FetchDocument,
)
from contracts.identity import unit_id
from contracts.job import JobCancelled, JobCancelling, JobCompleted, JobFailed, JobStarted
from contracts.message import Command, Event, Message, Recorded
from contracts.unit import UnitFailed
from services.ledger.processes.decision import Decision

WINDOW = 8
"""Units of one job in flight."""

Asking = DocumentFetchRequested | DocumentSplitRequested


class ArrivalState(Message):
    phase: Literal["asked", "ended"] = "asked"
    units: int
    issued: int = 0
    done: int = 0
    failed: int = 0
    started: bool = False
    cancelling: bool = False
    source: tuple[str, BlobRef] | None = None
    """Name and bytes of the document that is cut; None: nothing is."""
    refusal: tuple[str, str] | None = None
    """Code and message of the first unit that failed."""


def start(request: Asking, source: tuple[str, BlobRef] | None = None) -> ArrivalState:
    units = len(request.urls) if isinstance(request, DocumentFetchRequested) else 1
    return ArrivalState(units=units, source=source)


def evolve(state: ArrivalState, recorded: Recorded[Event]) -> ArrivalState:
    match recorded.event:
        case JobStarted():
            return state.model_copy(update={"started": True})
        case DocumentFetched() | DocumentDivided():
            return state.model_copy(update={"done": state.done + 1})
        case UnitFailed() as event:
            refusal = state.refusal or (event.code, event.message[:500])
            return state.model_copy(update={"failed": state.failed + 1, "refusal": refusal})
        case JobCancelling():
            return state.model_copy(update={"cancelling": True})
        case JobCompleted() | JobFailed() | JobCancelled():
            return state.model_copy(update={"phase": "ended"})
        case _:
            return state


def decide(state: ArrivalState, request: Asking, job: UUID) -> Decision[ArrivalState]:
    if state.phase == "ended":
        return Decision(state, ended=True)
    settled = state.done + state.failed
    if settled == state.units:
        if state.done or state.refusal is None:
            return Decision(state, events=(JobCompleted(),))
        code, message = state.refusal
        return Decision(state, events=(JobFailed(code=code, message=message),))
    if state.cancelling:
        return Decision(state, events=(JobCancelled(),))
    if not state.started:
        return Decision(state, events=(JobStarted(documents=state.units),))
    stop = min(state.units, settled + WINDOW)
    if stop <= state.issued:
        return Decision(state)
    commands = tuple(_command(state, request, job, n) for n in range(state.issued, stop))
    return Decision(state.model_copy(update={"issued": stop}), commands=commands)


def _command(state: ArrivalState, request: Asking, job: UUID, n: int) -> Command:
    if isinstance(request, DocumentFetchRequested):
        return FetchDocument(
            job_id=job,
            units=(unit_id(job, f"fetch/{n}"),),
            project_id=request.project_id,
            url=request.urls[n],
        )
    if state.source is None:
        raise LookupError(f"job {job} cuts a document that nobody named")
    name, blob = state.source
    return DivideDocument(
        job_id=job,
        units=(unit_id(job, "split"),),
        document_id=request.document_id,
        project_id=request.project_id,
        name=name,
        blob=blob,
        pages_per_split=request.pages_per_split,
        overlap_pages=request.overlap_pages,
    )
