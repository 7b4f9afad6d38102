"""Processes beside a small mill: a module run with the mill's settings, to be stopped, woken up and killed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.services.ledger.mill import Mill


class Process:
    """``name`` is what the database knows it by."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.child = child
        self.log = log

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)


@contextlib.asynccontextmanager
async def process(
    mill: Mill, service: str, name: str, module: str, *arguments: str, leadership: float = 2.0
) -> AsyncIterator[Process]:
    """``python -m module``, as a service of this mill; killed at the end of the block where it still runs."""
    settings = mill.settings(service)
    environ = {
        **os.environ,
        "GRISTMILL_DATA": str(settings.data),
        "GRISTMILL_NATS_URL": settings.nats_url.get_secret_value(),
        "GRISTMILL_DATABASE_URL": f"{settings.required_database_url()}&application_name={name}",
        "GRISTMILL_ACK_WAIT": str(settings.ack_wait),
        "GRISTMILL_BEAT": str(settings.beat),
        "GRISTMILL_DEADLINE": str(settings.deadline),
        "GRISTMILL_LEADERSHIP": str(leadership),
    }
    log = settings.data / f"{name}.log"
    with log.open("wb") as said:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, env=environ, stdout=said, stderr=said
        )
    try:
        yield Process(name, child, log)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
