"""``gristmill up``: run the tree until somebody says stop. Knows about signals and the terminal, nothing else."""

import asyncio
import logging
import signal
from pathlib import Path

import typer

from services.cli.tree import Tree, running

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(host: str, port: int, data: Path) -> None:
    """Return after a clean stop; raise ``GristmillError`` where it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    asyncio.run(_until_stopped(host, port, data))


class _Stop:
    """What a signal does: the first stops in order, the second at once."""

    def __init__(self) -> None:
        self.asked = False
        self.tree: Tree | None = None
        self.task: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        if not self.asked and self.task is not None:
            self.asked = True
            typer.echo("stopping  (once more to stop at once)")
            self.task.cancel()
        elif self.tree is not None:
            self.tree.kill()


async def _until_stopped(host: str, port: int, data: Path) -> None:
    stop = _Stop()
    stop.task = asyncio.create_task(_run(host, port, data, stop))
    loop = asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, stop)
    try:
        await stop.task
    except asyncio.CancelledError:
        if not stop.asked:
            raise
        typer.echo("stopped")


async def _run(host: str, port: int, data: Path, stop: _Stop) -> None:
    async with running(data, host, port, report=typer.echo) as tree:
        stop.tree = tree
        typer.echo(f"logs      {tree.stack.logs}")
        typer.echo(f"ready     {tree.url}")
        await asyncio.Event().wait()
