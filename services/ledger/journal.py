"""The journal: model answers that are recorded, found by the content address of their call.

Questions are answered only after everything that was said before them is recorded, so that an answer that a dead
worker had still said is found. Never gives one tenant the answer of another.
"""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts.entries import CallBody
from contracts.model import JournalQuestion, JournalReply
from services.ledger.intake import is_recorded, newest
from services.ledger.recorder import Transient
from shared.blobs import Blobs
from shared.bus import claim_check, dump
from shared.clock import monotonic
from shared.errors import Unavailable
from shared.store import PostgresReader

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

PATIENCE = 4.0
"""Seconds that a question waits for what was said before it to be recorded; whoever asked asks again."""
MOST_WAITING = 1000


async def recorded(pool: "Pool", question: JournalQuestion) -> JournalReply:
    """The answers that are recorded and were not erased."""
    rows = await pool.fetch(
        """
        select encode(key, 'hex') as key, body_id, exchange from ledger.journal
        where tenant = $1 and key = any($2::bytea[])
        """,
        question.tenant,
        [bytes.fromhex(key) for key in question.keys],
    )
    texts = await PostgresReader(pool).bodies({row["body_id"] for row in rows})
    calls = {id: CallBody.model_validate_json(text).exchanges for id, text in texts.items()}
    return JournalReply(
        answers={
            row["key"]: calls[row["body_id"]][row["exchange"]]
            for row in rows
            if row["exchange"] < len(calls.get(row["body_id"], ()))
        }
    )


class Journal:
    """Answers questions on ``gristmill.ask.journal`` while its ledger leads."""

    def __init__(self, pool: "Pool", client: Client, blobs: Blobs) -> None:
        self._pool = pool
        self._client = client
        self._blobs = blobs
        self._asked: list[Msg] = []
        self._came = asyncio.Event()

    async def hear(self, message: Msg) -> None:
        if message.reply and len(self._asked) < MOST_WAITING:
            self._asked.append(message)
            self._came.set()

    async def run(self) -> None:
        """Answer, those that came meanwhile together. What cannot be answered now is not: the asker asks again."""
        while True:
            await self._came.wait()
            self._came.clear()
            asked, self._asked = self._asked, []
            try:
                if await self._caught_up():
                    for message in asked:
                        await self._answer(message)
            except (*Transient, nats.errors.Error, Unavailable) as problem:
                log.info("%d questions are left unanswered: %r", len(asked), problem)

    async def _caught_up(self) -> bool:
        """Wait until all that the bus had taken by now is recorded."""
        said = await newest(self._client)
        until = monotonic() + PATIENCE
        while monotonic() < until:
            if await is_recorded(self._client, said):
                return True
            await asyncio.sleep(0.02)
        return False

    async def _answer(self, message: Msg) -> None:
        try:
            question = JournalQuestion.model_validate_json(message.data, extra="ignore")
        except ValidationError as problem:
            log.warning("a question to the journal cannot be read: %s", problem.error_count())
            return
        reply = await recorded(self._pool, question)
        body, headers = await claim_check(self._blobs, question.tenant, dump(reply))
        with contextlib.suppress(nats.errors.Error):
            await self._client.publish(message.reply, body, headers=headers or None)
