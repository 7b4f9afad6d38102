"""How many units models work on, by tenant: what the windows allow follows from it. Counted in the database now and
then, and carried on from turn to turn in between; what is put off meanwhile is counted a second longer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.ledger.rows import House, Work
from services.ledger.writing import in_flight

if TYPE_CHECKING:
    from shared.store import Connection

COUNTED_FOR = timedelta(seconds=1)


class InFlight:
    """The count of one turn, made where a job first needs it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._at: datetime | None = None
        """When the database was asked."""
        self._units: dict[str, int] = {}

    async def credit(
        self, connection: "Connection", now: datetime, tenant: str, done: Iterable[Work]
    ) -> int:
        """Units that one more job of a tenant may issue; ``done`` are those that this turn finished."""
        if self._at is None:
            kept = self._house.in_flight
            if kept is None or now - kept[0] > COUNTED_FOR:
                kept = now, await in_flight(connection)
            self._at, self._units = kept[0], dict(kept[1])
            for work in done:
                if work.service == "generate":
                    self.add(work.tenant, -1)
        return self._house.credit(tenant, self._units)

    def add(self, tenant: str, units: int) -> None:
        self._units[tenant] = self._units.get(tenant, 0) + units

    def committed(self) -> None:
        if self._at is not None:
            self._house.in_flight = self._at, self._units
