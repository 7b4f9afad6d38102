"""``gristmill migrate``: brings a database to this version's schema, or says what that would take.

Where the data folder is named, only its Postgres is started, for as long as it takes. Decides nothing about DDL.
"""

import asyncio
from pathlib import Path

import typer

from shared.migrations import behind
from shared.migrations import migrate as apply
from shared.stack import database_alone


def migrate(url: str | None, data: Path, *, check: bool) -> int:
    """The exit code: 1 where ``check`` finds the database behind."""
    return asyncio.run(_migrate(url, data, check=check))


async def _migrate(url: str | None, data: Path, *, check: bool) -> int:
    if url is not None:
        return await _with(url, check=check)
    async with database_alone(data) as database:
        return await _with(database.admin_url, check=check)


async def _with(url: str, *, check: bool) -> int:
    before, changes = await (behind(url) if check else apply(url))
    if not changes:
        typer.echo(f"The database has version {before}; nothing is to be done.")
        return 0
    for change in changes:
        typer.echo(f"{'pending' if check else 'applied'}  {change}")
    verb = "is" if check else "was"
    typer.echo(
        f"The database {verb} at version {before}; this code brings it to {changes[-1].number}."
    )
    return 1 if check else 0
