"""A small generate worker as a process whose clocks are wrong: ``python -m tests.services.ledger.shifted SECONDS``.

Every clock that Gristmill reads is shifted before anything of it is imported.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

import shared.clock

SHIFT = float(sys.argv[1])

shared.clock.now = lambda: datetime.now(UTC) + timedelta(seconds=SHIFT)  # noqa: TID251 - a wrong clock
shared.clock.monotonic = lambda: time.monotonic() + SHIFT
shared.clock.wall_ns = lambda: time.time_ns() + int(SHIFT * 1e9)

from contracts.entries import GenerateEntries  # noqa: E402 - after the clocks
from contracts.generation import PlanGeneration  # noqa: E402 - after the clocks
from shared.blobs import Blobs  # noqa: E402 - after the clocks
from shared.service import serve, wired  # noqa: E402 - after the clocks
from shared.worker import Done, Task, Work  # noqa: E402 - after the clocks
from tests.services.ledger.mill import generated, plan  # noqa: E402 - after the clocks


async def generate(task: Task[GenerateEntries]) -> Done:
    task.may_start()
    return generated(task)


def work(_: Blobs) -> list[Work]:
    return [
        Work(PlanGeneration, plan),
        Work(GenerateEntries, generate, lambda command: command.share),
    ]


if __name__ == "__main__":
    serve("generate", wired(work))
