"""How a service's process begins and ends: logs, traces, signals, one line for a failure. Knows no service."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

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
        asyncio.run(_run(main))
    except GristmillError as problem:
        log.critical("%s [%s]", problem.message, problem.code)
        sys.exit(1)
    finally:
        traces.stop()


async def _run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    await main(stop)
