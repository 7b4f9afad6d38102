"""What the leading ledger can look up for an operator: queues, dead letters, work in flight, what the relay owes.

Looked up when somebody asks for metrics, never of its own accord. Changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import nats.errors
import orjson
from nats.aio.client import Client

from services.ledger.recorder import Transient
from shared.clock import now
from shared.settings import Settings
from shared.telemetry import metrics
from shared.telemetry.metrics import Sample
from shared.topology import consumers, streams

if TYPE_CHECKING:
    from shared.store import Pool

PATIENCE = 1.0


async def sample(pool: "Pool", client: Client, settings: Settings) -> Sequence[Sample]:
    """Nothing of a server that is away."""
    return [
        Sample(metrics.LEADING, 1.0),
        *await _bus(client, settings),
        *await _work(pool),
    ]


async def standing_by() -> Sequence[Sample]:
    return [Sample(metrics.LEADING, 0.0)]


async def _bus(client: Client, settings: Settings) -> list[Sample]:
    found: list[Sample] = []
    try:
        for config in streams():
            found += _stream(str(config.name), await _info(client, f"STREAM.INFO.{config.name}"))
        for stream, consumer in consumers(settings):
            name = str(consumer.durable_name)
            info = await _info(client, f"CONSUMER.INFO.{stream}.{name}")
            found += [
                Sample(metrics.PENDING, float(info["num_pending"]), (stream, name)),
                Sample(metrics.UNACKED, float(info["num_ack_pending"]), (stream, name)),
            ]
    except (nats.errors.Error, TimeoutError, OSError, KeyError, ValueError):
        return found
    return found


async def _info(client: Client, what: str) -> dict[str, Any]:
    """As the server says it: nats-py leaves out the time of a stream's first message."""
    answer = await client.request(f"$JS.API.{what}", b"", timeout=PATIENCE)
    found: dict[str, Any] = orjson.loads(answer.data)
    return found


async def first_message(client: Client, stream: str) -> datetime | None:
    """When the oldest message of a stream came; None where there is none. Raise what a bus that is away raises."""
    state = (await _info(client, f"STREAM.INFO.{stream}"))["state"]
    return datetime.fromisoformat(state["first_ts"]) if state["messages"] else None


def _stream(name: str, info: dict[str, Any]) -> list[Sample]:
    state = info["state"]
    found = [
        Sample(metrics.STREAM_MESSAGES, float(state["messages"]), (name,)),
        Sample(metrics.STREAM_BYTES, float(state["bytes"]), (name,)),
    ]
    if name == "DEAD":
        found.append(Sample(metrics.DEAD, float(state["messages"])))
    if info["config"]["retention"] == "workqueue":
        # A work queue forgets what is done, so its first message is the oldest that is not.
        age = (now() - datetime.fromisoformat(state["first_ts"])).total_seconds()
        waits = state["messages"] > 0
        found.append(Sample(metrics.STREAM_OLDEST, max(0.0, age) if waits else 0.0, (name,)))
    return found


async def _work(pool: "Pool") -> list[Sample]:
    try:
        units = await pool.fetch(
            """
            select service, count(*) filter (where due_at is null) as busy,
                count(*) filter (where due_at is not null) as put_off,
                extract(epoch from clock_timestamp() - min(issued_at))::float8 as oldest
            from ledger.work where outcome is null group by service
            """
        )
        jobs = await pool.fetch(
            "select kind, count(*) as open from ledger.streams where open group by kind"
        )
        relay = await pool.fetchrow(
            """
            select (select count(*) from ledger.commands where not published) as commands,
                (select head from ledger.logs where log_id = 1) - c.pos as positions,
                (select extract(epoch from clock_timestamp() - recorded_at)::float8
                 from ledger.events where log_id = 1 and pos = c.pos + 1) as age
            from ledger.checkpoints c where name = 'relay'
            """
        )
    except Transient:
        return []
    found = [Sample(metrics.JOBS_OPEN, float(row["open"]), (row["kind"],)) for row in jobs]
    for row in units:
        worker = (row["service"],)
        found += [
            Sample(metrics.IN_FLIGHT, float(row["busy"]), worker),
            Sample(metrics.PUT_OFF, float(row["put_off"]), worker),
            Sample(metrics.IN_FLIGHT_OLDEST, max(0.0, row["oldest"]), worker),
        ]
    if relay is not None:
        found += [
            Sample(metrics.RELAY_COMMANDS, float(relay["commands"])),
            Sample(metrics.RELAY_POSITIONS, float(max(0, relay["positions"]))),
            Sample(metrics.RELAY_SECONDS, max(0.0, relay["age"] or 0.0)),
        ]
    return found
