"""Units that may have killed their workers. Whatever else a worker held when it died had nothing to do with it.

A worker that dies takes along all that it holds, and nobody can tell which unit it was. The first time all of them are
issued again at once, since most workers die of something else. What was lost twice is held back and tried a few at a
time, what was lost three times alone, the least suspected first: so the innocent finish, and what goes on killing
reaches the bound by itself.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts import COMMANDS
from contracts.message import Command
from shared.blobs import Blobs
from shared.bus import ATTEMPT, CRASHES, TENANT, Envelope, claim_check, dump
from shared.telemetry.traces import HEADER

if TYPE_CHECKING:
    from services.ledger.turn import Turn
    from shared.store import Connection, Pool

SUSPECT = 2
"""Times that a unit was lost, from which on it is tried with few others;"""
ALONE = 3
"""and from which on alone."""
FEW = 8


async def hold_back(turn: "Turn", units: Sequence[UUID]) -> set[UUID]:
    """Of units that fell silent, those that were lost before: they wait until it is their turn."""
    rows = await turn.connection.fetch(
        """
        update ledger.work set lost = lost + 1, due_at = 'infinity'
        where unit_id = any($1::uuid[]) and outcome is null and due_at is null and lost >= $2
        returning unit_id
        """,
        list(units),
        SUSPECT - 1,
    )
    return {row["unit_id"] for row in rows}


async def next_ones(pool: "Pool") -> list[UUID]:
    """Those that are held back and may be tried now, of every service of which none is being tried."""
    rows = await pool.fetch(
        """
        select service, array_agg(unit_id order by lost, unit_id) as units,
            array_agg(lost order by lost, unit_id) as lost
        from ledger.work
        where outcome is null and lost >= $1 and due_at = 'infinity' and service not in (
            select service from ledger.work
            where outcome is null and lost >= $1 and due_at is distinct from 'infinity'
        )
        group by service
        """,
        SUSPECT,
    )
    return [unit for row in rows for unit in first(row["units"], row["lost"])]


def first(units: Sequence[UUID], lost: Sequence[int]) -> Sequence[UUID]:
    """Which of these, in the order of how often they were lost, are tried next."""
    if lost[0] >= ALONE:
        return units[:1]
    return [unit for unit, times in zip(units, lost, strict=True) if times < ALONE][:FEW]


async def crashed(connection: "Connection | Pool", commands: Sequence[UUID]) -> dict[UUID, int]:
    """How often units of these commands met what nobody foresaw; of those that did, or that were lost."""
    rows = await connection.fetch(
        """
        select unit_id, crashes from ledger.work
        where command_id = any($1::uuid[]) and outcome is null and (crashes > 0 or lost >= $2)
        """,
        list(commands),
        SUSPECT,
    )
    return {row["unit_id"]: row["crashes"] for row in rows}


def parts(row: Mapping[str, Any], crashes: Mapping[UUID, int]) -> list[tuple[Command, int | None]]:
    """A command as it is said: suspects each in a message of their own, with how often they crashed, and the rest."""
    command = COMMANDS[row["type"]].model_validate(row["data"])
    if row["units"] is not None:
        command = command.only(row["units"])
    alone = [unit for unit in command.units if unit in crashes]
    rest = [unit for unit in command.units if unit not in crashes]
    whole: list[tuple[Command, int | None]] = [(command.only(rest), None)] if rest else []
    return whole + [(command.only([unit]), crashes[unit]) for unit in alone]


async def envelope(
    blobs: Blobs, row: Mapping[str, Any], command: Command, crashes: int | None
) -> Envelope:
    """A command, or a part of it, as it travels. ``crashes``: of a suspect that travels alone."""
    body, headers = await claim_check(blobs, row["tenant"], dump(command))
    id = f"{row['command_id']}:{row['attempt']}"
    headers |= {ATTEMPT: str(row["attempt"]), TENANT: row["tenant"], "Nats-Msg-Id": id}
    if row["trace"]:
        headers[HEADER] = row["trace"]
    if crashes is not None:
        headers |= {CRASHES: str(crashes), "Nats-Msg-Id": f"{id}:{command.units[0]}"}
    return Envelope(
        type=row["type"],
        id=str(row["command_id"]),
        source="ledger",
        subject=f"gristmill.commands.{row['service']}",
        body=body,
        headers=headers,
    )
