"""How a service's process begins and ends: logs, traces, signals, one line for a failure. Knows no service."""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared import failpoints
from shared.clock import fresh_id
from shared.errors import GristmillError
from shared.settings import load_settings
from shared.telemetry import logs, traces

log = logging.getLogger(__name__)


def run_until_stopped(name: str, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``main`` until it ends or a signal asks it to; exit 1 with one line on an expected failure.

    SIGINT and SIGTERM set the event that ``main`` is given, so that it can finish what it holds.
    """
    try:
        failpoints.arm(os.environ)
        settings = load_settings()
    except GristmillError as problem:
        # Before anybody knows how a line should look.
        sys.stderr.write(f"{name}: {problem.message} [{problem.code}]\n")
        sys.exit(1)
    logs.start(name, settings)
    if settings.otlp_endpoint is not None:
        from shared.telemetry.sending import Batches

        endpoint = settings.otlp_endpoint.get_secret_value()
        traces.send_to(Batches(name, endpoint, str(fresh_id())), settings.trace_ratio)
    try:
        asyncio.run(_run(main, settings.stall))
    except GristmillError as problem:
        log.critical("%s [%s]", problem.message, problem.code)
        sys.exit(1)
    finally:
        traces.stop()


YOUNG = 20_000
"""Objects that may be made before the young ones are searched for cycles."""


def _settle() -> None:
    """Leave what was loaded out of every later search for garbage.

    A full search walks all that lives, which is mostly what the imports made and is never garbage: at Python's own
    thresholds it took a tenth of a busy worker's time (profiled, 2,000 model calls).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


async def _run(main: Callable[[asyncio.Event], Awaitable[None]], stall: float) -> None:
    _settle()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    async with ends_when_it_stalls(stall):
        await main(stop)


@asynccontextmanager
async def ends_when_it_stalls(seconds: float) -> AsyncIterator[None]:
    """End the process, with the places at which its threads are, once its event loop has not turned for so long.

    Whoever blocks the loop does so for good; a process that is started anew hears again, and what it held is issued
    again. The watch is a thread of the interpreter's own, which needs no lock that such code could hold.
    """

    async def wind() -> None:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=True)
            await asyncio.sleep(seconds / 4)

    winding = asyncio.create_task(wind())
    try:
        yield
    finally:
        winding.cancel()
        faulthandler.cancel_dump_traceback_later()
