"""Hears the commands of a service and reads them. Alone imports FastStream; does and acknowledges nothing.

A message is handed on the moment it is fetched, so none waits unheld in a queue where nobody keeps it alive (measured:
FastStream with N workers holds an N + 1st message without heartbeat, and a saturated worker then does it twice).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import nats.errors
import nats.js.errors
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.subscriber.usecases import PullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import COMMANDS
from contracts.message import Command
from shared.blobs import Blobs
from shared.bus import (
    ATTEMPT,
    CRASHES,
    TENANT,
    Envelope,
    Undecodable,
    claimed,
    envelope_from,
    headers_of,
)
from shared.connecting import MOST_PINGS, PING
from shared.health import Health
from shared.settings import Settings
from shared.task import Work
from shared.telemetry import traces
from shared.topology import consumers, differences

log = logging.getLogger(__name__)

Away = (nats.errors.Error, OSError, TimeoutError)
"""The bus cannot be reached for the moment."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A command, and how it is done."""

    command: Command
    work: Work
    tenant: str
    attempt: int
    crashes: int
    trace: traces.Context | None


async def _undecoded(message: NatsMessage) -> bytes:
    """FastStream would drop a body that is not JSON before anybody saw it."""
    return message.body


def hearing(
    service: str, settings: Settings, take: Callable[[Msg], None]
) -> tuple[NatsBroker, PullStreamSubscriber]:
    """A broker that hands every command of a service to ``take``, and what stops it from fetching more."""
    prefix = _inbox_prefix(service, settings)
    broker = NatsBroker(
        [settings.nats_url.get_secret_value()],
        logger=None,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=PING,
        max_outstanding_pings=MOST_PINGS,
        inbox_prefix=prefix,
    )

    subscriber = broker.subscriber(
        f"gristmill.commands.{service}",
        stream=JStream("COMMANDS", declare=False),
        durable=service,
        pull_sub=PullSub(batch_size=1, timeout=0.5),
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
        inbox_prefix=f"{prefix}.".encode(),
    )

    @subscriber
    async def hear(message: NatsMessage) -> None:
        raw = message.raw_message
        if isinstance(raw, Msg):
            take(raw)

    return broker, subscriber


def _inbox_prefix(service: str, settings: Settings) -> str:
    url = settings.nats_url.get_secret_value()
    user = url.split("//", 1)[-1].split(":", 1)[0] if "@" in url else service
    return f"_INBOX.{user}"


async def declared(
    client: Client, settings: Settings, service: str, health: Health, stop: asyncio.Event
) -> None:
    """The ledger declares the bus; a worker that is up before it, or finds it otherwise, waits and says so."""
    while not stop.is_set():
        try:
            problem = await _wrong(client, settings, service)
        except Away:
            problem = "the bus is away"
        if problem is None:
            return
        health.unready(f"waiting for the ledger to declare the bus: {problem}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await stop.wait()


async def _wrong(client: Client, settings: Settings, service: str) -> str | None:
    """What is wrong with the consumer of a service; None where it is as it is declared."""
    try:
        found = (await client.jetstream().consumer_info("COMMANDS", service)).config
    except nats.js.errors.NotFoundError:
        return "its consumer is not there"
    wanted = next(each for _, each in consumers(settings) if each.durable_name == service)
    differ = differences(found, wanted)
    return f"its consumer differs in {', '.join(differ)}" if differ else None


async def guard(
    client: Client, settings: Settings, service: str, health: Health, ear: PullStreamSubscriber
) -> None:
    """Look after the consumer until cancelled: FastStream asks one that was deleted thousands of times a second,
    without a word. Hearing stops until the ledger has made it again, and readiness says so.
    """
    while True:
        await asyncio.sleep(settings.beat)
        try:
            problem = await _wrong(client, settings, service)
        except Away:
            health.unready("the bus is away")
            continue
        if problem is not None:
            log.warning("hearing stops: %s", problem)
            health.unready(problem)
            await ear.stop()
            await declared(client, settings, service, health, asyncio.Event())
            await ear.start()
            log.info("hearing goes on")
        health.ready("hearing")


async def read(message: Msg, service: str, does: Mapping[str, Work], blobs: Blobs) -> Heard:
    """What a message asks for. ``does``: how each command of the service is done, by wire type.

    Raises:
        Undecodable, ValidationError, GristmillError: it is useless for good.
        Unavailable: its body lies where it cannot be fetched now.
    """
    envelope = envelope_from(message.subject, headers_of(message), message.data)
    tenant = envelope.headers.get(TENANT, "default")
    work = does.get(envelope.type)
    if work is None:
        raise Undecodable(f"{envelope.type} is no command that {service} does")
    attempt, crashes = number(envelope, ATTEMPT, 1), number(envelope, CRASHES, 0)
    body = await claimed(blobs, tenant, envelope)
    command = COMMANDS[envelope.type].model_validate_json(body)
    trace = traces.context_from(envelope.headers.get(traces.HEADER))
    return Heard(command, work, tenant, attempt, crashes, trace)


def number(envelope: Envelope, name: str, least: int) -> int:
    """A header that counts; ``least`` where there is none. Raise ``Undecodable`` for what is no such number."""
    said = envelope.headers.get(name.lower(), str(least))
    if not (said.isascii() and said.isdecimal() and len(said) < 10 and int(said) >= least):
        raise Undecodable(f"the header {name} is not a number from {least}: {said[:20]!r}")
    return int(said)
