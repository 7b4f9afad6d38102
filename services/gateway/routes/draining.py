"""Rolling restarts: who of a service runs, and telling them to finish what they hold and to end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.gateway.deps import Here
from shared.bus import SERVICES
from shared.draining import Running, ask
from shared.errors import Refused

router = APIRouter(prefix="/services", tags=["service"])
KNOWN = ("gateway", "ledger", *SERVICES)

Of = Annotated[UUID | None, Query(description="Only this process, as it names itself; none: all.")]


class Processes(BaseModel):
    """The processes of a service that answered."""

    model_config = ConfigDict(frozen=True)

    service: str
    processes: list[Running]


@router.get("/{service}")
async def list_processes(deps: Here, service: str) -> Processes:
    """The processes of a service that answer within a moment."""
    _known(service)
    return Processes(
        service=service, processes=await ask(deps.bus_is_there(), service, drain=False)
    )


@router.post("/{service}/drain", status_code=202)
async def drain(deps: Here, service: str, incarnation: Of = None) -> Processes:
    """Have the running processes take nothing more, finish what they hold and end with 0; whoever supervises them
    starts them anew. What they had not begun is given to others at once; a leading ledger resigns.
    """
    _known(service)
    told = await ask(deps.bus_is_there(), service, drain=True, of=incarnation)
    if not told:
        raise Refused(
            "not_found",
            f"No process of {service} answers" + (f" to {incarnation}." if incarnation else "."),
            status=404,
            field="service",
        )
    return Processes(service=service, processes=told)


def _known(service: str) -> None:
    if service not in KNOWN:
        raise Refused(
            "unknown_service",
            f"There is no service {service[:50]}; there are {', '.join(KNOWN)}.",
            status=404,
            field="service",
        )
