"""Issues again what nobody works on: units that no beat has named for a deadline, and deferred units that are due.

Beats tell which units each worker holds; they are hints, so after its own start, or when no beat at all was heard, it
waits one full deadline before it believes in a silence. Times are on the ledger's own monotonic clock and the
database's.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import COMMANDS
from services.ledger import suspects
from services.ledger.outcomes import give_up
from services.ledger.processes.generation_state import GenerationState
from services.ledger.turn import Turn
from services.ledger.writing import note_published
from shared.blobs import Blobs
from shared.burying import bury_envelope
from shared.clock import monotonic
from shared.failpoints import failpoint

if TYPE_CHECKING:
    from services.ledger.recorder import Recorder
    from shared.store import Pool

MOST_LOST = 5
"""Attempts at one unit whose workers fell silent, after which it is given up with its reason."""
LOST = "worker_lost"


class Beats:
    """Who was heard, and of which units, on the ledger's monotonic clock."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._units: dict[UUID, tuple[float, str]] = {}
        """When each was named last, and by whom."""
        self._left: dict[UUID, float] = {}
        """Given back unfinished by who stopped, and named by nobody since."""
        self._workers: dict[str, dict[str, float]] = {}
        self._last = float("-inf")
        self._since = float("-inf")

    async def hear(self, message: Msg) -> UUID | None:
        """Note a beat; return who says it, None where it is none."""
        service = message.subject.rsplit(".", 1)[-1]
        try:
            beat = orjson.loads(message.data)
            units = [UUID(unit) for unit in beat["units"]]
            left = [UUID(unit) for unit in beat.get("left", ())]
            incarnation = UUID(beat["incarnation"])
            leaving = bool(beat.get("leaving", False))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        self.note(service, str(incarnation), units, monotonic(), left=left, leaving=leaving)
        return incarnation

    def note(
        self,
        service: str,
        incarnation: str,
        units: Sequence[UUID],
        now: float,
        *,
        left: Sequence[UUID] = (),
        leaving: bool = False,
    ) -> None:
        """A beat. ``left``: units that it held and gives back; ``leaving``: it takes no more."""
        if now - self._last > self._deadline:
            self._since = now
        self._last = now
        workers = self._workers.setdefault(service, {})
        if leaving:
            workers.pop(incarnation, None)
        else:
            workers[incarnation] = now
        for unit in units:
            self._units[unit] = now, incarnation
            self._left.pop(unit, None)
        # Where another one has named it since, it is that one's.
        mine = [
            unit for unit in left if self._units.get(unit, (now, incarnation))[1] == incarnation
        ]
        self._left |= dict.fromkeys(mine, now)

    def alive(self, service: str, now: float) -> int:
        """Workers of a service heard within the deadline; the others are forgotten."""
        heard = self._workers.get(service, {})
        for incarnation in [each for each, at in heard.items() if at < now - self._deadline]:
            del heard[incarnation]
        return len(heard)

    def may_judge(self, service: str, now: float) -> bool:
        """Beats have been heard for a full deadline, of whomever, so a silence means something; and somebody of the
        service is there to whom a unit can be given.
        """
        return bool(self.alive(service, now)) and self.heard_long(now)

    def heard_long(self, now: float) -> bool:
        """Beats have been heard for a full deadline, so who is not among them has fallen silent."""
        return now - self._last <= self._deadline and now - self._since >= self._deadline

    def silent(self, unit: UUID, now: float) -> bool:
        return self._units.get(unit, (float("-inf"), ""))[0] < now - self._deadline

    @property
    def left(self) -> list[UUID]:
        """Units that were given back."""
        return list(self._left)

    def taken_back(self, units: Iterable[UUID]) -> None:
        """They are issued again, or done."""
        for unit in units:
            self._left.pop(unit, None)

    def forget_old(self, now: float) -> None:
        before = now - 2 * self._deadline
        self._units = {unit: named for unit, named in self._units.items() if named[0] >= before}
        self._left = {unit: at for unit, at in self._left.items() if at >= before}


async def overdue(
    pool: "Pool", beats: Beats, deadline: float, now: float, stopped: Collection[UUID] = ()
) -> list[UUID]:
    """Units to be issued again: deferred ones that are due, those that fell silent, and those that were given back.

    ``stopped``: jobs whose units are not given to another, so that nobody need be there to take them.
    """
    rows = await pool.fetch(
        """
        select unit_id, job_id, service, due_at is not null as deferred from ledger.work
        where outcome is null
          and (coalesce(due_at, issued_at + make_interval(secs => $1)) <= clock_timestamp()
            or due_at is null and unit_id = any($2::uuid[]))
        limit 5000
        """,
        deadline,
        beats.left,
    )
    services = {row["service"] for row in rows}
    judged = {service: beats.may_judge(service, now) for service in services}
    alive = {service: bool(beats.alive(service, now)) for service in services}
    left = set(beats.left)
    return [
        row["unit_id"]
        for row in rows
        if row["deferred"]
        or (
            (judged[row["service"]] or (row["job_id"] in stopped and beats.heard_long(now)))
            and beats.silent(row["unit_id"], now)
        )
        or (alive[row["service"]] and row["unit_id"] in left)
    ] + await suspects.next_ones(pool)


async def reissue(turn: Turn, units: Sequence[UUID], left: Collection[UUID] = ()) -> None:
    """Raise the attempt of units and put their commands back to be published.

    That a worker gave one back (``left``) is not held against it.
    """
    await turn.load_work(units)
    held = await _stopped(turn, units)
    again = [
        unit for unit in units if unit in turn.work and not turn.is_done(unit) and unit not in held
    ]
    held_back = await suspects.hold_back(turn, again)
    again = [unit for unit in again if unit not in held_back]
    if not again:
        return
    await note_published(turn.connection, turn.house.sent)
    # The attempt is the command's, and rises with each publication: with a known id the bus would swallow it. What was
    # not published yet goes with it.
    await turn.connection.execute(
        """
        update ledger.commands c set published = false, attempt = c.attempt + 1, units = case
            when c.published then w.units
            when c.units is null then null
            else array(select distinct unnest(c.units || w.units)) end
        from (
            select command_id, array_agg(unit_id) as units
            from ledger.work where unit_id = any($1::uuid[]) group by command_id
        ) w
        where c.command_id = w.command_id
        """,
        again,
    )
    await turn.connection.execute(
        """
        update ledger.work w
        set attempt = c.attempt, issued_at = clock_timestamp(), due_at = null, lost = w.lost
            + case when w.due_at is null and w.unit_id = any($1::uuid[])
                and w.unit_id <> all($3::uuid[]) then 1 else 0 end
        from ledger.commands c
        where c.command_id = w.command_id and c.command_id = any($2::uuid[])
          and (c.units is null or w.unit_id = any(c.units)) and w.outcome is null
        """,
        again,
        [turn.work[unit].command for unit in again],
        list(left),
    )
    failpoint("reconciler.reissued")


async def _stopped(turn: Turn, units: Sequence[UUID]) -> set[UUID]:
    """Of jobs that are stopped nothing that calls a model is issued again: it is given up, or held (returned)."""
    held = set()
    for unit in units:
        if turn.is_done(unit) or turn.work[unit].service != "generate":
            continue
        row = await turn.row(turn.work[unit].job)
        if row is None or not isinstance(row.state, GenerationState):
            continue
        if row.state.cancelling:
            await give_up(turn, turn.work[unit], row, "cancelled", "The job was cancelled.")
        elif row.state.pause is not None:
            turn.give_back(unit, held=True)
            turn.touch(row.stream)
            held.add(unit)
    return held


async def give_up_hopeless(
    pool: "Pool", recorder: "Recorder", client: Client, blobs: Blobs, units: Sequence[UUID]
) -> None:
    """Fail units of which too many workers fell silent; what they were asked to do is kept among the dead."""
    rows = await pool.fetch(
        """
        select w.unit_id, w.attempt as tried, c.* from ledger.work w join ledger.commands c using (command_id)
        where w.unit_id = any($1::uuid[]) and w.outcome is null and w.due_at is null and w.lost >= $2
        """,
        list(units),
        MOST_LOST,
    )
    message = f"{MOST_LOST + 1} workers fell silent while they worked on it."
    for row in rows:
        command = COMMANDS[row["type"]].model_validate(row["data"]).only([row["unit_id"]])
        envelope = await suspects.envelope(blobs, row, command, None)
        mark = f"lost:{row['unit_id']}:{row['tried']}"
        await bury_envelope(client, "ledger", envelope, message, code=LOST, mark=mark)
        await recorder.fail_unit(row["unit_id"], row["job_id"], LOST, message)
