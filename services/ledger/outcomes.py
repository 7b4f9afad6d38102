"""What workers said of units, recorded: the first outcome counts, what each one cost is a fact. Decides no job."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from contracts import SAYS
from contracts.dataset import DatasetCompleted, DatasetExported
from contracts.document import (
    DocumentChunked,
    DocumentDivided,
    DocumentFetched,
    DocumentParsed,
    DocumentRejected,
)
from contracts.entries import EntriesAdmitted, EntriesCurated
from contracts.identity import event_id, outcome_id
from contracts.job import JobWaiting
from contracts.message import Event, wire_type
from contracts.model import ModelAnswered
from contracts.result import ResultIgnored
from contracts.unit import UnitDeferred, UnitFailed, UnitFinished
from services.ledger.adding import arrived
from services.ledger.processes import ingestion
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState
from services.ledger.rows import Row, Work
from services.ledger.turn import Turn
from shared.bus import (
    Undecodable,
)

MOST_DEFERRED = 8
"""Times that a unit is put off while what it waits for answers others, before it is given up."""
HOUSE = ("the blob store", "the event bus")
"""What every unit needs: while it is away it answers nobody."""

Report = UnitFinished | UnitDeferred | ModelAnswered


async def load(turn: Turn, reports: Sequence[Report]) -> None:
    """Read what reports concern, in a few queries for all of them."""
    if not reports:
        return
    await turn.load_work({report.unit_id for report in reports})
    await turn.load_rows({report.job_id for report in reports})
    known: set[UUID] = {call.call_id for report in reports for call in report.calls}
    for report in reports:
        outcome = outcome_id(report.unit_id, report.attempt, report.incarnation)
        known |= {event_id(outcome, 0), _ignored_id(outcome)}
    await turn.log.load((), known)


def _ignored_id(outcome: UUID) -> UUID:
    return uuid5(outcome, "ignored")


async def finished(turn: Turn, report: UnitFinished) -> None:
    outcome = outcome_id(report.unit_id, report.attempt, report.incarnation)
    work = turn.work.get(report.unit_id)
    if work is None or turn.is_done(report.unit_id):
        await _too_late(turn, report, outcome, work)
        return
    row = await turn.row(work.job)
    if row is None:
        raise LookupError(f"unit {report.unit_id} belongs to {work.job}, which has no stream")
    if isinstance(row.state, GenerationState) and _not_started(report, row.state):
        await turn.record_calls(work.tenant, work.job, outcome, report.calls)
        if work.attempt == report.attempt:
            _give_back(turn, work, row.state)
        return
    allowed = {wire_type(kind): kind for kind in SAYS[work.service]}
    for n, said in enumerate(report.events):
        if said.type not in allowed:
            raise Undecodable(f"{work.service} may not say {said.type}")
        event = allowed[said.type].model_validate(said.data, extra="ignore")
        await record_outcome(turn, work, row, event, id=event_id(outcome, n), cause=outcome)
    turn.keep(work.tenant, report.bodies, report.answers)
    await turn.record_calls(work.tenant, work.job, outcome, report.calls)
    turn.finish(report.unit_id)


def _not_started(report: UnitFinished, state: GenerationState) -> bool:
    """The worker was told that the job is stopped. Only a cancellation makes that an outcome, and the ledger knows
    whether there is one; the unit of any other job is still to be done.
    """
    codes = [said.data.get("code") for said in report.events if said.type == wire_type(UnitFailed)]
    return codes == ["cancelled"] and not state.cancelling


def _give_back(turn: Turn, work: Work, state: GenerationState) -> None:
    turn.give_back(work.unit, held=state.pause is not None)
    if state.pause is None:
        turn.unstopped[work.job] = state.restarts
    turn.touch(work.job)


async def record_outcome(
    turn: Turn, work: Work, row: Row, event: Event, *, id: UUID, cause: UUID | None
) -> None:
    """Record an outcome's event in the stream of what it speaks of, and let its process fold it."""
    if isinstance(event, UnitFailed) and isinstance(row.state, DocumentState):
        event = ingestion.rejection(row.state, row.stream, event)
    target = row
    match event:
        case DocumentParsed() | DocumentChunked() | DocumentRejected():
            target = await turn.row(event.document_id) or row
        case EntriesCurated() | EntriesAdmitted() | DatasetCompleted() | DatasetExported():
            target = await turn.row(event.dataset_id) or row
    recorded = turn.record(target, event, id=id, job=work.job, cause=cause)
    if recorded is not None:
        await turn.fold(row, recorded)
        if isinstance(event, DocumentFetched | DocumentDivided):
            await arrived(turn, work.tenant, recorded)


async def _too_late(turn: Turn, report: UnitFinished, outcome: UUID, work: Work | None) -> None:
    """The first outcome stands; what this one cost is recorded all the same."""
    if work is not None and work.outcome == outcome:
        return
    job = await turn.row(report.job_id)
    if job is None or turn.knows(event_id(outcome, 0)):
        return
    await turn.record_calls(job.tenant, report.job_id, outcome, report.calls)
    ignored = ResultIgnored(
        unit_id=report.unit_id, attempt=report.attempt, incarnation=report.incarnation
    )
    await turn.record_aside(
        job.tenant, report.job_id, ignored, id=_ignored_id(outcome), cause=outcome
    )


async def answered(turn: Turn, report: ModelAnswered) -> None:
    """Keep what a model said before the outcome that it leads to. Its last call tells whether it is kept already."""
    job = await turn.row(report.job_id)
    if job is None or turn.knows(report.calls[-1].call_id):
        return
    cause = outcome_id(report.unit_id, report.attempt, report.incarnation)
    await turn.record_calls(job.tenant, report.job_id, cause, report.calls)
    turn.keep(job.tenant, report.bodies, report.answers)


async def deferred(turn: Turn, report: UnitDeferred) -> None:
    work = turn.work.get(report.unit_id)
    cause = outcome_id(report.unit_id, report.attempt, report.incarnation)
    job = await turn.row(report.job_id)
    if job is None:
        return
    await turn.record_calls(job.tenant, report.job_id, cause, report.calls)
    if work is None or turn.is_done(report.unit_id) or work.attempt != report.attempt:
        return
    state = job.state
    if isinstance(state, GenerationState) and state.pause is not None:
        _give_back(turn, work, state)
        return
    # While a model answers nobody a unit may wait for as long as it takes, and none of that counts later.
    alone = report.waiting_for not in HOUSE and (
        not isinstance(state, GenerationState) or state.answered
    )
    times = await turn.connection.fetchval(
        """
        update ledger.work
        set due_at = clock_timestamp() + make_interval(secs => $2),
            deferred = deferred + $3, crashes = crashes + $4
        where unit_id = $1 and outcome is null returning deferred
        """,
        report.unit_id,
        report.retry_after,
        int(alone and not report.crashed),
        int(report.crashed),
    )
    if times is not None and times >= MOST_DEFERRED and alone and not report.crashed:
        # What it waits for answers the others, so it is this unit that cannot be done.
        await give_up(turn, work, job, "unavailable", report.reason)
    elif (
        isinstance(state, GenerationState)
        and (state.waiting_for is None or state.answered)
        # While it runs only a model's silence is a reason to start nothing new; the rest is tried again beside it.
        and (work.service == "generate" or state.phase != "running")
    ):
        waiting = JobWaiting(waiting_for=report.waiting_for, reason=report.reason[:500])
        await turn.fold(job, await turn.record_followup(job, waiting, job=job.stream))


async def give_up(turn: Turn, work: Work, row: Row, code: str, message: str) -> None:
    """Fail a unit on the ledger's own account."""
    kind = await turn.connection.fetchval(
        "select type from ledger.commands where command_id = $1", work.command
    )
    if kind is None:
        raise LookupError(f"unit {work.unit} has no command")
    failed = UnitFailed(unit_id=work.unit, command=kind, code=code, message=message)
    outcome = uuid5(work.unit, f"given up/{work.attempt}")
    await record_outcome(turn, work, row, failed, id=event_id(outcome, 0), cause=None)
    turn.finish(work.unit)
