"""Pausing a job and letting it go on; and which jobs the workers are told to start nothing for.

Units that were not started are held: their rows in ``work`` stay, due at no time, and give their credit back. They are
no outcome, so the log does not name them; when the job goes on they are issued again under their own ids.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from contracts.job import (
    JobContinued,
    JobPauseRequested,
    JobPausing,
    JobResumeRequested,
)
from services.ledger import writing
from services.ledger.asked import Asked, say
from services.ledger.processes.generation_state import GenerationState
from services.ledger.reconciler import reissue
from services.ledger.rows import JOBS, STATES, Row
from services.ledger.turn import Turn
from shared.errors import Refused

if TYPE_CHECKING:
    from shared.store import Pool

Stop = tuple[str, int]
"""``cancel`` or ``pause``, for what was issued before the next restart, of which there were so many."""
WHY = {
    "export": "it only writes files, and is done or cancelled soon",
    "processing": "documents are parsed once for all jobs that want them",
    "arrival": "it only brings documents in",
}
"""Why jobs of other kinds are not paused."""


async def pause(turn: Turn, asked: Asked, request: JobPauseRequested) -> UUID:
    """Record that a job is to rest; one that rests already is left as it is. Raise ``Refused``."""
    row, state = await _pausable(turn, asked, request.target, "paused")
    if state.cancelling:
        raise Refused("job_not_pausable", f"Job {row.stream} is being cancelled.", status=409)
    if state.pause is not None:
        await say(turn, asked, row, row.stream, request)
        return row.stream
    await say(turn, asked, row, row.stream, request, JobPausing())
    await turn.connection.execute(
        """
        update ledger.work set due_at = 'infinity'
        where job_id = $1 and outcome is null and due_at is not null
        """,
        row.stream,
    )
    return row.stream


async def resume(turn: Turn, asked: Asked, request: JobResumeRequested) -> UUID:
    """Record that a paused job goes on, and issue again what was held. Raise ``Refused``."""
    row, state = await _pausable(turn, asked, request.target, "resumed")
    if state.pause is None:
        raise Refused("job_not_paused", f"Job {row.stream} is not paused.", status=409)
    started = state.phase != "waiting"
    await say(turn, asked, row, row.stream, request, JobContinued(started=started))
    held = await writing.release(turn.connection, row.stream)
    await reissue(turn, held)
    for unit in turn.back:  # given back in this very turn
        if turn.work[unit].job == row.stream:
            turn.give_back(unit, held=False)
    return row.stream


async def _pausable(
    turn: Turn, asked: Asked, job: UUID, become: str
) -> tuple[Row, GenerationState]:
    row = await turn.row(job)
    if row is None or row.tenant != asked.tenant or row.kind not in JOBS or not row.open:
        raise Refused("job_not_found", f"Job {job} not found or cannot be {become}", status=404)
    if not isinstance(row.state, GenerationState):
        message = (
            f"Job {job} cannot be {become}: {WHY[row.kind]}. Only jobs that generate are paused."
        )
        raise Refused("job_not_pausable", message, status=409)
    return row, row.state


def stop_of(state: object, *, is_open: bool) -> Stop | None:
    """What workers are to be told of a job in this state; None: nothing stops it."""
    if not isinstance(state, GenerationState):
        return None
    if state.fatal is not None or (state.cancelling and is_open):
        return "cancel", state.restarts
    return ("pause", state.restarts) if state.pause is not None else None


def news(turn: Turn) -> dict[UUID, tuple[str, int, bool]]:
    """What a turn changed of which jobs are stopped: the word, the restarts, and whether the job is open."""
    found = {job: ("go", restarts, True) for job, restarts in turn.unstopped.items()}
    for row in turn.changed():
        if not isinstance(row.state, GenerationState):
            continue
        now = stop_of(row.state, is_open=row.open)
        if now != turn.house.stopped.get(row.stream):
            found[row.stream] = (*(now or ("go", row.state.restarts)), row.open)
    return found


async def learn(pool: "Pool") -> dict[UUID, Stop]:
    """Which open jobs are stopped, as the store has it."""
    rows = await pool.fetch(
        """
        select stream_id, kind, state from ledger.streams
        where open and kind = 'generation'
          and (state ->> 'cancelling' = 'true' or state ->> 'pause' is not null)
        """
    )
    found = {
        row["stream_id"]: stop_of(STATES[row["kind"]].model_validate(row["state"]), is_open=True)
        for row in rows
    }
    return {job: stop for job, stop in found.items() if stop is not None}
