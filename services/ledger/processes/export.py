"""The job that writes a closed dataset in one more format."""

from typing import Literal
from uuid import UUID

from contracts.blob import BlobRef
from contracts.dataset import DatasetExported, ExportDataset
from contracts.export import ExportRequested
from contracts.identity import unit_id
from contracts.job import JobCancelled, JobCancelling, JobCompleted, JobFailed, JobRestarted
from contracts.message import Event, Message, Recorded
from contracts.unit import UnitFailed
from services.ledger.processes.decision import Decision


class ExportState(Message):
    phase: Literal["asked", "exporting", "exported", "ended"] = "asked"
    source_job: UUID
    head: int
    plan: tuple[BlobRef, ...]
    name: str
    cancelling: bool = False
    restarts: int = 0
    fatal: tuple[str, str] | None = None


def evolve(state: ExportState, recorded: Recorded[Event]) -> ExportState:
    match recorded.event:
        case DatasetExported():
            return state.model_copy(update={"phase": "exported"})
        case UnitFailed() as event:
            return state.model_copy(update={"fatal": (event.code, event.message[:500])})
        case JobCancelling():
            return state.model_copy(update={"cancelling": True})
        case JobCompleted() | JobFailed() | JobCancelled():
            return state.model_copy(update={"phase": "ended"})
        case JobRestarted() as event:
            anew = {"phase": "asked", "cancelling": False, "fatal": None}
            return state.model_copy(update={**anew, "restarts": event.restart})
        case _:
            return state


def decide(state: ExportState, request: ExportRequested, job: UUID) -> Decision[ExportState]:
    if state.phase == "ended":
        return Decision(state, ended=True)
    if state.fatal is not None:
        code, message = state.fatal
        return Decision(state, events=(JobFailed(code=code, message=message),))
    if state.phase == "exported":
        return Decision(state, events=(JobCompleted(),))
    if state.cancelling:
        return Decision(state, events=(JobCancelled(),))
    if state.phase == "exporting":
        return Decision(state)
    again = f"/again/{state.restarts}" if state.restarts else ""
    command = ExportDataset(
        job_id=job,
        units=(unit_id(job, f"export/{request.format}{again}"),),
        dataset_id=request.dataset_id,
        head=state.head,
        plan=state.plan,
        format=request.format,
        batch_size=0,
        source_job_id=state.source_job,
        name=state.name,
    )
    return Decision(state.model_copy(update={"phase": "exporting"}), commands=(command,))
