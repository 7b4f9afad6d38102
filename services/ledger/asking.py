"""Answers workers that ask which units of a command they should still do. Writes nothing.

A bus that was set back hands out commands that are done long since, as if they had never been; only the ledger knows.
"""

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from services.ledger.recorder import Transient
from shared.bus import STILL

if TYPE_CHECKING:
    from shared.store import Pool


async def answer(client: Client, pool: "Pool") -> Subscription:
    """Answer for as long as the subscription lasts."""
    return await client.subscribe(STILL, cb=partial(_answer, pool))


async def _answer(pool: "Pool", message: Msg) -> None:
    try:
        asked = orjson.loads(message.data)
        units, attempt = [UUID(unit) for unit in asked["units"]], int(asked["attempt"])
    except (ValueError, KeyError, TypeError):
        return
    try:
        rows = await pool.fetch(
            """
            select unit_id from ledger.work
            where unit_id = any($1::uuid[]) and attempt = $2 and outcome is null and due_at is null
            """,
            units,
            attempt,
        )
    except Transient:
        # Who is not answered asks again.
        return
    if message.reply:
        await message.respond(orjson.dumps({"units": [str(row["unit_id"]) for row in rows]}))
