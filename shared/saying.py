"""Says what came of units, until the bus has it. Does no unit and decides nothing about what is said.

What ends while an earlier message waits for its acknowledgement travels together in the next one (a group commit), so
a busy worker pays for a write of the bus once for many outcomes, and an idle one waits for nothing.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from nats.aio.client import Client

from contracts.identity import answered_id, outcome_id
from contracts.message import wire_type
from contracts.model import ModelAnswered
from contracts.unit import UnitDeferred, UnitFinished
from shared.blobs import Blobs
from shared.bundle import AROUND, MOST_PARTS, bundled, headers_for
from shared.bus import INLINE, TENANT, Envelope, claim_check, traced
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.hearing import Away
from shared.task import spoken
from shared.telemetry import traces

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An outcome that the bus does not have yet. ``said`` is set when it has."""

    envelope: Envelope
    tenant: str
    said: asyncio.Future[None]


class Saying:
    """The voice of one worker."""

    def __init__(self, service: str, client: Client, blobs: Blobs) -> None:
        self._service = service
        self._client = client
        self._blobs = blobs
        self._waiting: deque[_Waiting] = deque()
        self._speaking: asyncio.Task[None] | None = None

    async def say(self, tenant: str, report: UnitFinished | UnitDeferred | ModelAnswered) -> None:
        """Say what came of a unit until the bus has it; the same id each time, so that it has one effect."""
        failpoint("worker.outcome")
        said = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(self._envelope(tenant, report), tenant, said))
        if self._speaking is None or self._speaking.done():
            self._speaking = asyncio.create_task(self._speak())
        await said

    def close(self) -> None:
        """Say nothing more. What was not said is issued again by the ledger."""
        if self._speaking is not None:
            self._speaking.cancel()

    async def _speak(self) -> None:
        """One message after the other, each with all that waits for it by then."""
        while self._waiting:
            together = self._together()
            problem, *_ = await asyncio.gather(self._publish(together), return_exceptions=True)
            for each in together:
                if each.said.done():
                    continue
                if problem is None:
                    each.said.set_result(None)
                else:
                    each.said.set_exception(problem)

    def _together(self) -> list[_Waiting]:
        """The longest waiting, with as many after it as one message takes; a large one alone."""
        found = [self._waiting.popleft()]
        room = INLINE - len(found[0].envelope.body) - AROUND
        while self._waiting and len(found) < MOST_PARTS:
            room -= len(self._waiting[0].envelope.body) + AROUND
            if room < 0:
                break
            found.append(self._waiting.popleft())
        return found

    async def _publish(self, together: list[_Waiting]) -> None:
        pause = 0.1
        envelope = bundled([each.envelope for each in together])
        while True:
            try:
                body, headers = await claim_check(self._blobs, together[0].tenant, envelope.body)
                await self._client.jetstream().publish(
                    envelope.subject, body, timeout=5, headers=headers_for(envelope) | headers
                )
            except (*Away, Unavailable) as problem:
                log.info("%d outcomes could not be said yet: %r", len(together), problem)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                failpoint("worker.puback")
                return

    def _envelope(
        self, tenant: str, report: UnitFinished | UnitDeferred | ModelAnswered
    ) -> Envelope:
        message = outcome_id(report.unit_id, report.attempt, report.incarnation)
        if isinstance(report, ModelAnswered):
            message = answered_id(message, len(report.calls))
        id = str(message)
        return Envelope(
            type=wire_type(type(report)),
            id=id,
            source=self._service,
            subject=f"gristmill.results.{self._service}",
            body=spoken(report),
            headers={TENANT: tenant, "Nats-Msg-Id": id} | traced(traces.current()),
        )
