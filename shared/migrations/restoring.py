"""A restored database goes on in a new era: what was told of the lost tail is refused from then on, not mistaken.

Run as the database's administrator while nothing of Gristmill runs; changes no event.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.clock import monotonic
from shared.errors import Refused
from shared.migrations import NEEDED, WrongSchema, connect, migrate

if TYPE_CHECKING:
    from shared.migrations import Connection

_EPOCHS = 1 << 32
"""Leadership epochs of an era: a ledger that was stopped in an earlier one never finds its own again."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The new era, the newest position that it took over, and the schemas of views that were dropped."""

    era: int
    after: int
    dropped: tuple[str, ...]


async def begin_era(admin_url: str, patience: float = 5.0) -> Restored:
    """Have the log go on from where the restored database ends.

    The number of the era follows the database's clock (minutes since 2026): where a restore lost an earlier one too,
    counting would give its number out again.

    Raises:
        Refused: ``still_running`` where a ledger leads and goes on to for ``patience`` seconds.
        WrongSchema, GristmillError: as ``migrate`` does, which runs first.
    """
    await migrate(admin_url)
    connection = await connect(admin_url)
    try:
        until = monotonic() + patience
        while True:
            async with connection.transaction():
                # A ledger that was killed leads on for a moment.
                leads = await connection.fetchval(
                    "select expires_at > clock_timestamp() from ledger.leader for update"
                )
                if not leads:
                    return await _begin(connection)
            if monotonic() > until:
                raise Refused(
                    "still_running",
                    "A ledger leads on this database. Stop everything of Gristmill first.",
                    status=409,
                )
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _begin(connection: "Connection") -> Restored:
    row = await connection.fetchrow(
        """
        update ledger.logs set era = greatest(
            era + 1, extract(epoch from clock_timestamp() - timestamptz '2026-01-01Z')::bigint / 60
        ) where log_id = 1 returning era, head
        """
    )
    if row is None:
        raise WrongSchema(None, NEEDED)
    await connection.execute(
        "insert into ledger.eras (era, after) values ($1, $2)", row["era"], row["head"]
    )
    await connection.execute(
        "update ledger.checkpoints set pos = $1 where name = 'relay'", row["head"]
    )
    await connection.execute(
        "update ledger.leader set epoch = $1, holder = '', expires_at = '-infinity', alarm = null",
        row["era"] * _EPOCHS,
    )
    views = await connection.fetch(
        "select nspname from pg_namespace where nspname ~ '^views_[0-9a-f]+$'"
    )
    for each in views:
        await connection.execute(f'drop schema "{each["nspname"]}" cascade')
    return Restored(row["era"], row["head"], tuple(each["nspname"] for each in views))
