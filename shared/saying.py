"""Says what came of units, until the bus has it. Does no unit and decides nothing about what is said."""

import asyncio
import logging

from nats.aio.client import Client

from contracts.message import Command, wire_type
from contracts.unit import UnitDeferred, UnitFinished
from shared.blobs import Blobs
from shared.bus import TENANT, Envelope, claim_check, dump, traced
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.hearing import Away
from shared.task import Task
from shared.telemetry import traces

log = logging.getLogger(__name__)


class Saying:
    """The voice of one worker."""

    def __init__(self, service: str, client: Client, blobs: Blobs) -> None:
        self._service = service
        self._client = client
        self._blobs = blobs

    async def say(self, task: Task[Command], report: UnitFinished | UnitDeferred) -> None:
        """Say an outcome until the bus has it; the same id each time, so that it has one effect."""
        failpoint("worker.outcome")
        pause = 0.1
        while True:
            try:
                envelope = await self._envelope(task, report)
                await self._client.jetstream().publish(
                    envelope.subject, envelope.body, timeout=5, headers=envelope.all_headers()
                )
            except (*Away, Unavailable) as problem:
                log.info("an outcome could not be said yet: %r", problem)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                failpoint("worker.puback")
                return

    async def _envelope(self, task: Task[Command], report: UnitFinished | UnitDeferred) -> Envelope:
        body, headers = await claim_check(self._blobs, task.tenant, dump(report))
        return Envelope(
            type=wire_type(type(report)),
            id=str(task.outcome),
            source=self._service,
            subject=f"gristmill.results.{self._service}",
            body=body,
            headers=headers
            | {TENANT: task.tenant, "Nats-Msg-Id": str(task.outcome)}
            | traced(traces.current()),
        )
