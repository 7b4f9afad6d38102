"""The ledger as a process without its fence, for the tests' negative control: it never asks whether it still leads.

Nor does it remember streams between turns, as if it had just learnt them: what it remembered while it was stopped is
out of date, and the log's keys alone would keep it from writing.

``python -m tests.services.ledger.unfenced``. Everything else is the ledger's own.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from services.ledger import leadership
from services.ledger.__main__ import main
from services.ledger.rows import House, Row
from shared.appending import Appending
from shared.process import run_until_stopped

if TYPE_CHECKING:
    from shared.store import Connection, Pool


async def begin(connection: "Connection", _epoch: int, _seconds: float) -> Appending:
    """The log's lock alone."""
    return await Appending.begin(connection)


async def confirm(_: "Connection", _epoch: int, _seconds: float) -> None:
    """Not asked."""


async def keep(_: "Pool", _lease: leadership.Lease) -> None:
    """Not asked."""


def recall(_: House, _streams: Iterable[UUID]) -> list[tuple[Row, int]]:
    """Nothing."""
    return []


def check(_: leadership.Lease) -> None:
    """Not asked."""


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leadership, "begin", begin)
        patch.setattr(leadership, "confirm", confirm)
        patch.setattr(leadership, "keep", keep)
        patch.setattr(leadership.Lease, "check", check)
        patch.setattr(House, "recall", recall)
        run_until_stopped("ledger", main)
