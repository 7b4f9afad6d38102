"""Publishes what was committed: commands to workers, recorded events to everybody. Decides nothing.

Publishing again is harmless: commands carry their attempt, events their id, and both have one effect. The bus's own
dedupe window only saves the traffic. All the same a leader that may have been succeeded says nothing, and what it
notes counts in its own epoch only: the one after it may have had reason to publish again.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nats.aio.client import Client

from contracts.message import event_subject
from services.ledger import suspects
from services.ledger.leadership import Lease
from shared.blobs import Blobs
from shared.bus import JOB, POSITION, Envelope, claim_check, dump
from shared.failpoints import failpoint
from shared.store import recorded_from
from shared.telemetry.traces import HEADER

if TYPE_CHECKING:
    from services.ledger.turn import Turn
    from shared.store import Pool

BATCH = 256


async def publish_commands(pool: "Pool", client: Client, blobs: Blobs, lease: Lease) -> int:
    """Publish commands that the bus does not have yet; return how many there were.

    Raise what kept the bus from taking some of them, once it is noted which it took.
    """
    rows = await pool.fetch(
        "select * from ledger.commands where not published order by seq limit $1", BATCH
    )
    if rows:
        failpoint("relay.commands_read")
        lease.check()
        again = [row["command_id"] for row in rows if row["attempt"] > 1]
        crashes = await suspects.crashed(pool, again) if again else {}
        problems = await asyncio.gather(
            *(_publish_command(client, blobs, row, crashes) for row in rows), return_exceptions=True
        )
        failpoint("relay.commands_published")
        taken = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
        await pool.execute(
            """
            update ledger.commands c set published = true
            from unnest($1::uuid[], $2::int[]) as u(command_id, attempt), ledger.leader l
            where c.command_id = u.command_id and c.attempt = u.attempt
              and l.epoch = $3 and l.expires_at >= clock_timestamp()
            """,
            [row["command_id"] for row in taken],
            [row["attempt"] for row in taken],
            lease.epoch,
        )
        failpoint("relay.commands_marked")
        for problem in problems:
            if problem is not None:
                raise problem
    return len(rows)


async def spare(turn: "Turn") -> None:
    """Leave out of what is to be published the units whose outcome is recorded.

    A ledger that died after publishing and before noting it leaves commands that were done since. The bus knows their
    ids for some minutes, and only until it is started again; then they would be done, and paid, once more.
    """
    await turn.connection.execute(
        """
        with done as (
            select c.command_id,
                array_agg(w.unit_id) filter (
                    where w.outcome is null and (c.units is null or w.unit_id = any(c.units))
                ) as units
            from ledger.commands c join ledger.work w using (command_id)
            where not c.published
            group by c.command_id having bool_or(w.outcome is not null)
        )
        update ledger.commands c set units = done.units, published = done.units is null
        from done where c.command_id = done.command_id
        """
    )


async def _publish_command(
    client: Client, blobs: Blobs, row: Any, crashes: Mapping[UUID, int]
) -> None:
    for command, crashed in suspects.parts(row, crashes):
        await _publish(client, await suspects.envelope(blobs, row, command, crashed))


async def publish_events(pool: "Pool", client: Client, blobs: Blobs, lease: Lease) -> int:
    """Announce events that follow the checkpoint, in order of position; return how many there were."""
    after: int = await pool.fetchval("select pos from ledger.checkpoints where name = 'relay'")
    rows = await pool.fetch(
        "select * from ledger.events where log_id = 1 and pos > $1 order by pos limit $2",
        after,
        BATCH,
    )
    if not rows:
        return 0
    failpoint("relay.events_read")
    # Large bodies are stored before any is said, so that all are said in the order of their positions.
    envelopes = await asyncio.gather(*(_announcement(blobs, row) for row in rows))
    lease.check()
    await asyncio.gather(*(_publish(client, envelope) for envelope in envelopes))
    failpoint("relay.events_published")
    await pool.execute(
        """
        update ledger.checkpoints c set pos = $1 from ledger.leader l
        where c.name = 'relay' and c.pos < $1 and l.epoch = $2 and l.expires_at >= clock_timestamp()
        """,
        rows[-1]["pos"],
        lease.epoch,
    )
    failpoint("relay.events_marked")
    return len(rows)


async def _announcement(blobs: Blobs, row: Any) -> Envelope:
    recorded = recorded_from(row)
    body, headers = await claim_check(blobs, recorded.tenant, dump(recorded.event))
    return Envelope(
        type=row["type"],
        id=str(recorded.id),
        source="ledger",
        subject=event_subject(type(recorded.event), recorded.tenant),
        body=body,
        headers=headers
        | {
            POSITION: recorded.position,
            "ce-time": recorded.recorded_at.isoformat(),
            "ce-subject": str(recorded.stream),
            "Nats-Msg-Id": str(recorded.id),
        }
        | ({HEADER: recorded.traceparent} if recorded.traceparent else {})
        | ({JOB: str(recorded.job_id)} if recorded.job_id else {}),
    )


async def _publish(client: Client, envelope: Envelope) -> None:
    await client.jetstream().publish(
        envelope.subject, envelope.body, timeout=5, headers=envelope.all_headers()
    )
