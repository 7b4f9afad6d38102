"""A generate worker that dies of some seeds, in processes that are forked ready, so that a death costs no start.

``python -m tests.faults.fragile`` with the settings of service generate in the environment; the seeds that kill
stand in GRISTMILL_TEST_FATAL as ``3=kill 5=hang 7=raise``.
"""

import asyncio
import os
import signal
from typing import Any

from contracts.entries import GenerateEntries
from contracts.generation import PlanGeneration
from shared.blobs import FolderBlobs
from shared.health import Health
from shared.process import ends_when_it_stalls
from shared.settings import Settings, load_settings
from shared.worker import Done, Task, Work, Worker
from tests.services.ledger.mill import generated, plan

FATAL = dict(each.split("=") for each in os.environ["GRISTMILL_TEST_FATAL"].split())


async def generate(task: Task[Any]) -> Done:
    match FATAL.get(str(task.command.seeds[task.index])):
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            while True:
                pass
        case "raise":
            raise KeyError("poison")
        case _:
            # So long that the others are under way while one of them kills.
            await asyncio.sleep(0.2)
    return generated(task)


async def work(settings: Settings) -> None:
    does = [
        Work(PlanGeneration, plan),
        Work(GenerateEntries, generate, lambda command: command.share),
    ]
    worker = Worker(
        "generate", does, FolderBlobs(settings.data / "blobs"), settings, Health("generate")
    )
    async with ends_when_it_stalls(settings.stall):
        await worker.run(asyncio.Event())


def main() -> None:
    settings = load_settings()
    while True:
        child = os.fork()
        if not child:
            asyncio.run(work(settings))
            return
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
