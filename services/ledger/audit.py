"""Compares what the bus has announced with what the database holds, whenever either may have been set back.

EVENTS that came back empty or older is filled up again. A database that is older than what was announced has lost what
somebody was told, and then nothing is recorded until a person says that this is wanted.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats.js.errors
from nats.aio.client import Client

from services.ledger.leadership import Lease
from shared.bus import POSITION
from shared.errors import GristmillError
from shared.store import LOG, Position

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

MOST_AGAIN = 10_000
"""Events that are announced once more in a stream that was lost, the newest ones; who needs more reads the log."""


class StoreIsOlder(GristmillError):
    """The bus has announced what the database does not hold."""

    def __init__(self, announced: Position, head: Position) -> None:
        super().__init__(
            "database_older_than_bus",
            f"The database ends at position {head}, but {announced} was announced: it was restored to an older point, "
            "or lost its newest transactions in a failover. Nothing is recorded until this is settled: bring the newer "
            "database back, or stop everything and run `gristmill restore`, which begins a new era.",
        )


@dataclass(frozen=True, slots=True)
class Announced:
    """What EVENTS ends with, and the number of that message. ``fresh``: nothing ever was in it."""

    last: Position | None
    seq: int = 0
    fresh: bool = False


async def check(pool: "Pool", client: Client) -> None:
    """Raise ``StoreIsOlder`` where the database has lost what was announced; else take back any alarm."""
    row = await pool.fetchrow("select era, head from ledger.logs where log_id = $1", LOG)
    if row is None:
        return
    last, head = (await announced(client)).last, Position(row["era"], row["head"])
    if last is not None and (last.era, last.n) > (head.era, head.n):
        # Announced since the head was read.
        now: int = await pool.fetchval("select head from ledger.logs where log_id = $1", LOG)
        if (last.era, last.n) > (head.era, now):
            raise StoreIsOlder(last, head)
    await pool.execute("update ledger.leader set alarm = null where alarm is not null")


async def complete_to(pool: "Pool", client: Client, noted: int) -> int:
    """Up to which position EVENTS holds what was announced, at most ``noted``: what follows is to be said again."""
    era = await pool.fetchval("select era from ledger.logs where log_id = $1", LOG)
    found = await announced(client)
    after: int | None = noted
    if found.last is not None and found.last.era == era:
        after = await _complete_to(client, found.last, found.seq, noted)
    if after is None or found.fresh:
        after = await _worth(pool, noted)
    if after < noted:
        log.warning("the bus lost what was announced after position %d; it is said again", after)
        # Commands that are done came back with it; those that are not are issued again.
        await client.jetstream().purge_stream("COMMANDS")
    return after


async def announced(client: Client) -> Announced:
    """The newest announcement in EVENTS; none where it is empty, or where the newest is not the ledger's."""
    try:
        state = (await client.jetstream().stream_info("EVENTS")).state
    except nats.js.errors.NotFoundError:
        return Announced(None)
    if not state.messages:
        return Announced(None, fresh=not state.last_seq)
    return Announced(await _position(client, state.last_seq), state.last_seq)


async def _complete_to(client: Client, last: Position, seq: int, noted: int) -> int | None:
    """Up to which position, at most ``noted``, the stream holds everything; None where it began after that.

    What was on its way when the bus went away may have come into an older store, after a gap: no more than those
    messages lie behind the one that was noted, so it is looked for at its distance from the end.
    """
    if last.n <= noted:
        return last.n
    before = await _position(client, seq - (last.n - noted))
    return None if before is None else min(before.n, noted)


async def _position(client: Client, seq: int) -> Position | None:
    """Of a message in EVENTS."""
    try:
        message = await client.jetstream().get_msg("EVENTS", seq=max(1, seq))
    except nats.js.errors.NotFoundError:
        return None
    said = (message.headers or {}).get(POSITION)
    return None if said is None else Position.parse(said)


async def raise_alarm(pool: "Pool", lease: Lease, words: str) -> None:
    """Say why this ledger, which leads, does not record."""
    await pool.execute(
        "update ledger.leader set alarm = $1 where epoch = $2", words[:1000], lease.epoch
    )


async def _worth(pool: "Pool", noted: int) -> int:
    """After which position a lost stream is filled: what it would have kept, and not more than is quickly said."""
    after: int = await pool.fetchval(
        """
        select coalesce(min(pos) - 1, $2) from ledger.events
        where log_id = $1 and pos > $2 - $3 and pos <= $2
          and recorded_at > clock_timestamp() - interval '7 days'
        """,
        LOG,
        noted,
        MOST_AGAIN,
    )
    return after
