"""The JetStream topology, declared in one place: what the ledger makes, mends and refuses, and the others find.

A stream or a consumer that somebody deleted is made again, and one that was changed is brought back. What the server
lets nobody change is refused by name where a stream holds what exists nowhere else.
"""

import nats.js.errors
from nats.aio.client import Client
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from shared.bus import SERVICES
from shared.outside import bring, offer
from shared.settings import Settings

DAY = 24 * 3600.0
MOST_PACKS = 8192
"""Packs that the bus hands out unacknowledged, per service: more than there can be, since a pack that waits in the
stream is named by no beat and would be issued again.
"""


def _work_queue(name: str, subjects: list[str], most: int, most_bytes: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=subjects,
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        max_msgs=most,
        max_bytes=most_bytes,
        duplicate_window=600.0,
    )


def _history(
    name: str, subjects: list[str], days: int, most_bytes: int, mode: PersistMode | None = None
) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=subjects,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=days * DAY,
        max_bytes=most_bytes,
        persist_mode=mode,
        duplicate_window=600.0,
    )


def streams() -> list[StreamConfig]:
    """Every stream that Gristmill uses; the ledger creates them, the others find them."""
    return [
        _work_queue("REQUESTS", ["gristmill.requests.*.*"], 100_000, 1 << 30),
        _work_queue("INBOX", ["gristmill.results.*"], 200_000, 4 << 30),
        _work_queue("COMMANDS", ["gristmill.commands.*"], 200_000, 4 << 30),
        # Announcements, which the ledger can say again, so they need not wait for the disk.
        _history("EVENTS", ["gristmill.events.>"], 7, 8 << 30, PersistMode.ASYNC),
        _history("DEAD", ["gristmill.dead.*"], 30, 1 << 30),
    ]


def consumers(settings: Settings) -> list[tuple[str, ConsumerConfig]]:
    """Every durable consumer, with the stream that it reads. None has a last delivery, after which a message would lie
    in its queue unseen for ever; a command is done at its first one only, so the others cost nothing.

    What a ledger took and did not record comes back within half a deadline, hence before the units it speaks of could
    be issued again.
    """
    intake = [
        (
            stream,
            ConsumerConfig(
                durable_name="ledger", ack_policy=AckPolicy.EXPLICIT, ack_wait=settings.deadline / 2,
                max_deliver=-1, max_ack_pending=4000,
            ),
        )
        for stream in ("REQUESTS", "INBOX")
    ]  # fmt: skip
    return intake + [
        (
            "COMMANDS",
            ConsumerConfig(
                durable_name=service, filter_subject=f"gristmill.commands.{service}",
                ack_policy=AckPolicy.EXPLICIT, ack_wait=settings.ack_wait, max_deliver=-1,
                max_ack_pending=MOST_PACKS,
            ),
        )
        for service in SERVICES
    ]  # fmt: skip


async def declare(client: Client, settings: Settings) -> None:
    """Create what is missing and mend what differs. Raise ``Misdeclared`` where that cannot be."""
    stream = client.jetstream()
    for config in streams():
        await bring(stream, config)
    for name, consumer in consumers(settings):
        try:
            await stream.add_consumer(name, consumer)
        except nats.js.errors.BadRequestError:
            # It differs where a consumer cannot be changed. Made anew it hands out again what nobody acknowledged,
            # which has one effect.
            await stream.delete_consumer(name, str(consumer.durable_name))
            await stream.add_consumer(name, consumer)
    await offer(client, next(each for each in streams() if each.name == "EVENTS"))


def differences(found: ConsumerConfig, wanted: ConsumerConfig) -> list[str]:
    """In what a consumer differs from its declaration so that work would be lost or doubled."""
    names = ("filter_subject", "ack_policy")
    return [name for name in names if getattr(found, name) != getattr(wanted, name)]
