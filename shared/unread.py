"""What a worker says of units whose command it cannot read. Says and buries nothing by itself."""

from dataclasses import dataclass
from uuid import UUID

from nats.aio.msg import Msg
from pydantic import BaseModel, Field, ValidationError

from contracts.message import wire_type
from contracts.unit import Said, UnitDeferred, UnitFailed, UnitFinished
from shared.burying import described
from shared.bus import ATTEMPT, CRASHES, TENANT, Undecodable, envelope_from, headers_of
from shared.errors import GristmillError
from shared.hearing import number

MOST_CRASHES = 4
"""Attempts at a unit whose handler raised what nobody expected, before it is given up and its command buried. Having to
wait for something is none.
"""


class _Bare(BaseModel):
    """What every command names, whatever else its version says."""

    job_id: UUID
    units: tuple[UUID, ...] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class Unread:
    """A command that cannot be read: for whom it is, and what is said of each of its units."""

    tenant: str
    reports: tuple[UnitFinished | UnitDeferred, ...]
    is_final: bool


def unread(
    message: Msg, problem: GristmillError | ValidationError, service: str, incarnation: UUID
) -> Unread:
    """Put the units of such a command off, since a worker of another version may read it; fail them in the end.

    Where not even its units can be read nothing is said of them, and the ledger misses them in the beats.
    """
    code, reason = told(problem)
    try:
        envelope = envelope_from(message.subject, headers_of(message), message.data)
        bare = _Bare.model_validate_json(message.data)
        attempt, crashes = number(envelope, ATTEMPT, 1), number(envelope, CRASHES, 0)
    except (Undecodable, ValidationError):
        return Unread("default", (), is_final=True)
    is_final = crashes + 1 >= MOST_CRASHES
    known = {"job_id": bare.job_id, "service": service, "attempt": attempt}
    reports: list[UnitFinished | UnitDeferred] = []
    for unit in bare.units:
        if is_final:
            failed = UnitFailed(
                unit_id=unit, command=envelope.type, code=code, message=reason[:2000]
            )
            said = Said(type=wire_type(UnitFailed), data=failed.model_dump(mode="json"))
            reports.append(
                UnitFinished(unit_id=unit, incarnation=incarnation, events=(said,), **known)
            )
        else:
            reports.append(
                UnitDeferred(
                    unit_id=unit, incarnation=incarnation, waiting_for=service,
                    reason=reason[:500], retry_after=2.0**crashes, crashed=True, **known,
                )
            )  # fmt: skip
    return Unread(envelope.headers.get(TENANT, "default"), tuple(reports), is_final)


def told(problem: GristmillError | ValidationError) -> tuple[str, str]:
    """Code and reason."""
    if isinstance(problem, GristmillError):
        return problem.code, problem.message
    return "invalid_message", described(problem)
