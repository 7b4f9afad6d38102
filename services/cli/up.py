"""``gristmill up``: run the tree until somebody says stop. Knows about signals and the terminal, nothing else."""

import asyncio
import logging
import os
from pathlib import Path

import typer

from services.cli.replicas import processes, replicas
from services.cli.stopping import Stop
from services.cli.tree import ports_from, running
from services.cli.wording import plural
from shared.settings import Settings, check_environment, load_settings
from shared.stack import SERVICES


def up(
    host: str | None,
    port: int | None,
    data: Path | None,
    api_key: str | None = None,
    *,
    s3: bool = False,
    metrics: int | None = None,
    several: str | None = None,
) -> None:
    """Return after a clean stop; raise ``GristmillError`` where it cannot start. None: as the settings say."""
    check_environment(os.environ)
    settings = load_settings(host=host, port=port, data=data, api_key=api_key, replicas=several)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    asyncio.run(_until_stopped(settings, s3=s3, metrics=metrics))


async def _until_stopped(settings: Settings, *, s3: bool, metrics: int | None) -> None:
    stop = Stop(typer.echo)
    await stop.guard(_run(settings, stop, s3=s3, metrics=metrics))
    typer.echo("stopped")


async def _run(settings: Settings, stop: Stop, *, s3: bool, metrics: int | None) -> None:
    keys = settings.key_hashes
    async with running(
        settings.data,
        settings.host,
        settings.port,
        report=typer.echo,
        keys=keys,
        s3=s3,
        metrics=metrics,
        several=settings.replicas or "",
    ) as tree:
        stop.tree = tree
        typer.echo(f"logs      {tree.stack.logs}")
        if keys:
            typer.echo(f"locked    by {plural(len(keys), 'API key')}; send one as X-API-Key")
        if metrics is not None:
            names = list(processes(replicas(settings.replicas or "", SERVICES)))
            shown = " ".join(f"{name}:{port}" for name, port in ports_from(metrics, names).items())
            typer.echo(f"metrics   /metrics on loopback: {shown}")
        typer.echo(f"ready     {tree.url}")
        await asyncio.Event().wait()
