"""``gristmill restore``: has a database that was restored to an older point go on in a new era. Copies no data."""

import asyncio
from pathlib import Path

import typer

from shared.migrations.restoring import Restored, begin_era
from shared.stack import database_alone


def restore(url: str | None, data: Path) -> None:
    """Begin the era, and say what that means."""
    found = asyncio.run(_restore(url, data))
    typer.echo(f"The log goes on in era {found.era}, after event {found.after:,}.")
    typer.echo("Positions that were given out for what is lost are refused as position_outdated.")
    if found.dropped:
        typer.echo(f"Views dropped, to be folded anew: {', '.join(found.dropped)}")
    typer.echo(
        "Start Gristmill again: unfinished jobs go on. What was asked for since the copy was"
    )
    typer.echo("made is unknown; asked again with the same Idempotency-Key it is done again.")


async def _restore(url: str | None, data: Path) -> Restored:
    if url is not None:
        return await begin_era(url)
    async with database_alone(data) as database:
        return await begin_era(database.admin_url)
