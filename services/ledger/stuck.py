"""What is done where a process or a fold raises what nobody foresaw: the unit or the job at fault ends, with a reason.

Every turn asks every job that has more to dispatch, so one that always raises would otherwise spoil every message of
every other job.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from contracts.identity import followup_id
from contracts.job import JobFailed
from services.ledger import deciding, outcomes

if TYPE_CHECKING:
    from services.ledger.turn import Turn

CODE = "internal_error"


async def fail_unit(turn: "Turn", *, unit: UUID, code: str, message: str) -> None:
    """Give up a unit that is not done."""
    await turn.load_work([unit])
    if turn.is_done(unit):
        return
    work = turn.work[unit]
    row = await turn.row(work.job)
    if row is not None:
        await outcomes.give_up(turn, work, row, code, message)


async def fail_job(turn: "Turn", *, job: UUID, reason: str, unit: UUID | None = None) -> None:
    """End a job without asking its process, and forget the unit whose end it cannot take."""
    if unit is not None:
        await turn.load_work([unit])
        if not turn.is_done(unit):
            turn.finish(unit)
    row = await turn.row(job)
    if row is None or not row.open:
        return
    failed = JobFailed(code=CODE, message=f"What follows could not be decided: {reason}"[:500])
    id = followup_id(job, turn.log.version(job) + 1)
    recorded = turn.record(row, failed, id=id, job=job, cause=None)
    if recorded is not None:
        deciding.fold(row, recorded)
    turn.end(row)
