"""How a service's process begins and ends: logging, signals, one line for an expected failure. Knows no service."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from shared.errors import GristmillError


def run_until_stopped(name: str, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``main`` until it ends or a signal asks it to; exit 1 with one line on an expected failure.

    SIGINT and SIGTERM set the event that ``main`` is given, so that it can finish what it holds.
    """
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("asyncio", "asyncpg", "nats", "faststream"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        asyncio.run(_run(main))
    except GristmillError as problem:
        sys.stderr.write(f"{name}: {problem.message} [{problem.code}]\n")
        sys.exit(1)


async def _run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    await main(stop)
