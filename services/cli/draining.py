"""``gristmill drain``: has the processes of a service finish and end, one after the other or all at once, and waits."""

import asyncio
from pathlib import Path

import typer

from services.cli.answers import Processes
from services.cli.client import Api
from services.cli.finding import found

LOOK = 0.5


def drain(service: str, url: str | None, data: Path, *, one: bool) -> None:
    """Wait until those that were told have ended. Raise ``GristmillError`` where nobody of the service answers."""
    asyncio.run(_drain(service, url, data, one=one))


async def _drain(service: str, url: str | None, data: Path, *, one: bool) -> None:
    async with found(url, data) as api:
        first = None
        if one:
            running = (await api.processes(service)).processes
            first = running[0].incarnation if running else None
        told = await api.drain(service, first)
        waits = {each.incarnation for each in told.processes}
        typer.echo(f"{service}: {_many(len(waits), 'process')} told to leave, {_held(told)}")
        await _ended(api, service, waits)
        typer.echo(f"{service}: {_many(len(waits), 'process')} left")


async def _ended(api: Api, service: str, waits: set[str]) -> None:
    said = None
    while True:
        now = await api.processes(service)
        left = [each for each in now.processes if each.incarnation in waits]
        if not left:
            return
        line = f"waiting for {_many(len(left), 'process')}, {_held(Processes(processes=left))}"
        if line != said:
            typer.echo(f"{service}: {line}")
            said = line
        await asyncio.sleep(LOOK)


def _held(found: Processes) -> str:
    return f"{_many(sum(each.holds for each in found.processes), 'unit')} held"


def _many(number: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"
