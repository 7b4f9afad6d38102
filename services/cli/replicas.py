"""How many processes of each service ``up`` starts, and how they are called. Pure.

The first of a service has its name, the others a number besides: ``generate``, ``generate-2``. Of several ledgers one
leads and the others stand by; several workers of a kind share its commands.
"""

from collections.abc import Mapping, Sequence

from shared.errors import Refused

MOST = 8
"""Processes of one service on one machine: each ledger, curate and export holds connections of Postgres."""
ALONE = frozenset({"gateway"})
"""Services of which there can be one only, since it owns the port that users speak to."""


def replicas(text: str, services: Sequence[str]) -> dict[str, int]:
    """What ``generate=2,ledger=2`` says; services that it does not name have one process.

    Raises:
        Refused: ``invalid_replicas``, saying which part cannot be had and why.
    """
    wanted = dict.fromkeys(services, 1)
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, number = (each.strip() for each in part.partition("="))
        if name not in wanted:
            raise _refused(f"{part!r} names no service; there are {', '.join(services)}")
        if not number.isdecimal() or not 1 <= int(number) <= MOST:
            raise _refused(f"{part!r} is no number from 1 to {MOST}")
        if name in ALONE and int(number) > 1:
            raise _refused(f"there can be one {name} only, which owns the API's port")
        wanted[name] = int(number)
    return wanted


def _refused(why: str) -> Refused:
    return Refused(
        "invalid_replicas",
        f"The replicas cannot be had: {why}. Write them as generate=2,ledger=2.",
        field="replicas",
    )


def processes(wanted: Mapping[str, int]) -> dict[str, str]:
    """The service of each process by the process's name: first one of each service, then the further ones."""
    further = {
        f"{service}-{n}": service
        for service, number in wanted.items()
        for n in range(2, number + 1)
    }
    return {service: service for service in wanted} | further
