"""``gristmill up``: run the tree until somebody says stop. Knows about signals and the terminal, nothing else."""

import asyncio
import logging
import os
from pathlib import Path

import typer

from services.cli.stopping import Stop
from services.cli.tree import running
from shared.settings import check_environment, load_settings


def up(host: str | None, port: int | None, data: Path | None, *, s3: bool) -> None:
    """Return after a clean stop; raise ``GristmillError`` where it cannot start. None: as the settings say."""
    check_environment(os.environ)
    settings = load_settings(host=host, port=port, data=data)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    asyncio.run(_until_stopped(settings.host, settings.port, settings.data, s3=s3))


async def _until_stopped(host: str, port: int, data: Path, *, s3: bool) -> None:
    stop = Stop(typer.echo)
    await stop.guard(_run(host, port, data, stop, s3=s3))
    typer.echo("stopped")


async def _run(host: str, port: int, data: Path, stop: Stop, *, s3: bool) -> None:
    async with running(data, host, port, report=typer.echo, s3=s3) as tree:
        stop.tree = tree
        typer.echo(f"logs      {tree.stack.logs}")
        typer.echo(f"ready     {tree.url}")
        await asyncio.Event().wait()
