"""A worker's door to the journal: was this call answered before, and let this answer be kept before I go on.

Answers are found by the content address of their call, within the worker's tenant. Keeps nothing itself, and never
takes silence for a no: whoever gets no reply must not pay again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client

from contracts.call import KeptAnswer
from contracts.entries import Exchange
from contracts.model import MOST_ASKED, JournalQuestion, JournalReply, ModelAnswered
from contracts.unit import Body
from shared.blobs import Blobs
from shared.bus import BLOB, claimed_by, dump, headers_of
from shared.errors import Unavailable
from shared.saying import Saying
from shared.task import Task

WAIT = 6.0
"""Seconds for a reply, which waits in turn until everything said before is recorded."""


class Journal:
    """Questions to the leading ledger. Those that come while one is under way are asked together."""

    def __init__(self, service: str, client: Client, blobs: Blobs, voice: Saying) -> None:
        self._service = service
        self._client = client
        self._blobs = blobs
        self._voice = voice
        self._waiting: dict[str, dict[str, asyncio.Future[Exchange | None]]] = defaultdict(dict)
        self._asking: asyncio.Task[None] | None = None

    async def find(self, tenant: str, key: str) -> Exchange | None:
        """What was answered to a call; None: nothing that is recorded. Raise ``Unavailable``: it cannot be told now."""
        found = self._waiting[tenant].get(key)
        if found is None:
            found = asyncio.get_running_loop().create_future()
            self._waiting[tenant][key] = found
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await asyncio.shield(found)

    async def keep(
        self, task: Task[Any], answers: Sequence[KeptAnswer], bodies: Sequence[Body]
    ) -> None:
        """Return when the bus has the answers: from then on they are found."""
        said = ModelAnswered(
            unit_id=task.unit,
            job_id=task.command.job_id,
            service=self._service,
            attempt=task.attempt,
            incarnation=task.incarnation,
            answers=tuple(answers),
            bodies=tuple(bodies),
            calls=tuple(task.calls),
        )
        await self._voice.say(task.tenant, said)

    async def _ask_all(self) -> None:
        while tenant := next((name for name, keys in self._waiting.items() if keys), None):
            waiting = self._waiting[tenant]
            asked = {key: waiting.pop(key) for key in list(waiting)[:MOST_ASKED]}
            try:
                answers = (
                    await self._ask(JournalQuestion(tenant=tenant, keys=tuple(asked)))
                ).answers
            except (nats.errors.Error, OSError, TimeoutError, Unavailable):
                for found in asked.values():
                    found.set_exception(_no_word())
                    found.exception()  # whoever asked may have been cancelled; nobody need look at it
            else:
                for key, found in asked.items():
                    found.set_result(answers.get(key))

    async def _ask(self, question: JournalQuestion) -> JournalReply:
        reply = await self._client.request("gristmill.ask.journal", dump(question), timeout=WAIT)
        body = reply.data
        if (mark := headers_of(reply).get(BLOB)) is not None:
            body = await claimed_by(self._blobs, question.tenant, mark)
        return JournalReply.model_validate_json(body, extra="ignore")


def _no_word() -> Unavailable:
    said = "The ledger did not say whether this call was answered before."
    return Unavailable("journal_unavailable", said, waiting_for="the ledger", retry_after=2)
