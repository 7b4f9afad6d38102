"""Issues again what nobody works on: units that no beat has named for a deadline, and deferred units that are due.

Beats tell which units each worker holds; they are hints, so after its own start, or when no worker of a service was
heard, it waits one full deadline before it believes in a silence. Times are on the ledger's own monotonic clock and the
database's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from nats.aio.msg import Msg

from contracts import COMMANDS
from services.ledger.recorder import give_up
from services.ledger.turn import Turn
from shared.clock import monotonic

if TYPE_CHECKING:
    from shared.store import Pool

MOST_LOST = 5
"""Attempts at one unit whose workers fell silent, after which it is given up with its reason."""


class Beats:
    """Who was heard, and of which units, on the ledger's monotonic clock."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._units: dict[UUID, float] = {}
        self._workers: dict[str, dict[str, float]] = {}
        self._since: dict[str, float] = {}

    async def hear(self, message: Msg) -> None:
        service = message.subject.rsplit(".", 1)[-1]
        try:
            beat = orjson.loads(message.data)
            units = [UUID(unit) for unit in beat["units"]]
            incarnation = str(beat["incarnation"])
        except (ValueError, KeyError, TypeError):
            return
        self.note(service, incarnation, units, monotonic())

    def note(self, service: str, incarnation: str, units: Sequence[UUID], now: float) -> None:
        if not self.alive(service, now):
            self._since[service] = now
        self._workers.setdefault(service, {})[incarnation] = now
        self._units |= dict.fromkeys(units, now)

    def alive(self, service: str, now: float) -> int:
        """Workers of a service heard within the deadline; the others are forgotten."""
        heard = self._workers.get(service, {})
        for incarnation in [each for each, at in heard.items() if at < now - self._deadline]:
            del heard[incarnation]
        return len(heard)

    def may_judge(self, service: str, now: float) -> bool:
        """Workers of the service have been heard for a full deadline, so a silence means something."""
        return bool(self.alive(service, now)) and now - self._since[service] >= self._deadline

    def silent(self, unit: UUID, now: float) -> bool:
        return self._units.get(unit, float("-inf")) < now - self._deadline

    def forget_old(self, now: float) -> None:
        self._units = {
            unit: at for unit, at in self._units.items() if at >= now - 2 * self._deadline
        }


async def overdue(pool: "Pool", beats: Beats, deadline: float, now: float) -> list[UUID]:
    """Units to be issued again: deferred ones that are due, and those that fell silent."""
    rows = await pool.fetch(
        """
        select unit_id, service, due_at is not null as deferred from ledger.work
        where outcome is null
          and coalesce(due_at, issued_at + make_interval(secs => $1)) <= clock_timestamp()
        limit 5000
        """,
        deadline,
    )
    judged = {service: beats.may_judge(service, now) for service in {r["service"] for r in rows}}
    return [
        row["unit_id"]
        for row in rows
        if row["deferred"] or (judged[row["service"]] and beats.silent(row["unit_id"], now))
    ]


async def reissue(turn: Turn, units: Sequence[UUID]) -> None:
    """Raise the attempt of units and put their commands back to be published; give up hopeless ones."""
    await turn.load_work(units)
    lost = await _lost_too_often(turn, units)
    for unit in lost:
        work = turn.work[unit]
        row = await turn.row(work.job)
        if row is not None:
            message = f"{MOST_LOST + 1} workers fell silent while they worked on it."
            await give_up(turn, work, row, "worker_lost", message)
    again = [unit for unit in units if unit in turn.work and not turn.is_done(unit)]
    if not again:
        return
    await turn.connection.execute(
        """
        update ledger.work set attempt = attempt + 1, issued_at = clock_timestamp(), due_at = null,
            lost = lost + case when due_at is null then 1 else 0 end
        where unit_id = any($1::uuid[]) and outcome is null
        """,
        again,
    )
    await turn.connection.execute(
        """
        update ledger.commands c set published = false, units = w.units, attempt = w.attempt
        from (
            select command_id, array_agg(unit_id) as units, max(attempt) as attempt
            from ledger.work where unit_id = any($1::uuid[]) group by command_id
        ) w
        where c.command_id = w.command_id
        """,
        again,
    )


async def _lost_too_often(turn: Turn, units: Sequence[UUID]) -> list[UUID]:
    rows = await turn.connection.fetch(
        """
        select unit_id from ledger.work
        where unit_id = any($1::uuid[]) and outcome is null and due_at is null and lost >= $2
        """,
        list(units),
        MOST_LOST,
    )
    return [row["unit_id"] for row in rows]


def payload(row: Any) -> tuple[bytes, int]:
    """A command as it is published: for those of its units that are due, with its attempt."""
    command = COMMANDS[row["type"]].model_validate(row["data"])
    if row["units"] is not None:
        command = command.only(row["units"])
    return orjson.dumps(command.model_dump(mode="json")), row["attempt"]
