"""Records what comes in: a batch, one transaction, then answers and acknowledgements.

A batch that fails is halved until the message that spoils it is alone; that one goes to DEAD with its reason. What the
database or the bus cannot do for the moment is tried again, and nothing is acknowledged before it is committed.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts.identity import request_message
from contracts.job import (
    JobForkRequested,
    JobPauseRequested,
    JobRestartRequested,
    JobResumeRequested,
)
from contracts.letter import LetterDropRequested, LetterRetryRequested
from contracts.message import Request
from contracts.model import ModelAnswered
from contracts.unit import UnitDeferred, UnitFinished
from services.ledger import dead, forking, leadership, outcomes, pausing, requests, restarts, stuck
from services.ledger.asked import Asked
from services.ledger.deciding import Undecidable
from services.ledger.incoming import Carrier, Incoming, code_of, read
from services.ledger.rows import Answered, House
from services.ledger.turn import Turn
from services.ledger.watching import Watch
from shared import letters
from shared.blobs import Blobs
from shared.bundle import parts
from shared.burying import bury, described
from shared.bus import (
    REPLY_TO,
    SERVICES,
    Answer,
    Undecodable,
    headers_of,
)
from shared.clock import monotonic
from shared.errors import GristmillError, Refused, Unavailable
from shared.failpoints import failpoint

if TYPE_CHECKING:
    from shared.store import Pool

log = logging.getLogger(__name__)

Transient = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # stopping, starting, crashed beside us, out of time
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    OSError,
    TimeoutError,
    Unavailable,
)
"""The database is away, restarting or held up; the batch is as good as it was."""


OfLetters = (LetterRetryRequested, LetterDropRequested)


class Recorder:
    """Records batches under one leadership epoch. ``committed`` is called after each commit."""

    def __init__(
        self,
        pool: "Pool",
        client: Client,
        blobs: Blobs,
        house: House,
        *,
        lease: leadership.Lease,
        committed: Callable[[Turn], None],
    ) -> None:
        self._pool = pool
        self._client = client
        self._blobs = blobs
        self._house = house
        self._lease = lease
        self._committed = committed
        self._alone = asyncio.Lock()

    async def record(self, messages: Sequence[Msg]) -> None:
        """Record, answer and acknowledge. Raise a transient error with nothing done, to be tried again."""
        failpoint("recorder.fetched")
        incoming: list[Incoming] = []
        for each in messages:
            incoming += await self._opened(each)
        await self._halve(incoming)

    async def turn(self, work: Callable[[Turn], Awaitable[None]]) -> None:
        """Do something else in a transaction of the ledger; ``work`` is awaited. It is done again where a job that
        cannot go on had to be ended first.
        """
        while True:
            try:
                await self._turn(work)
            except Undecidable as found:
                await self._end(found.job, found.__cause__ or found)
            else:
                return

    async def _end(self, job: UUID, problem: BaseException, unit: UUID | None = None) -> None:
        """End a job that cannot go on, without asking it or any other what follows."""
        log.critical("job %s cannot go on", job, exc_info=problem)
        reason = described(problem)
        await self._turn(
            partial(stuck.fail_job, job=job, reason=reason, unit=unit), asks_what_follows=False
        )

    async def fail_unit(self, unit: UUID, job: UUID, code: str, message: str) -> None:
        """Give up a unit; its job ends where it cannot even take that."""
        try:
            await self.turn(partial(stuck.fail_unit, unit=unit, code=code, message=message))
        except leadership.LeadershipLost:
            raise
        except Exception as problem:
            if _is_transient(problem):
                raise
            await self._end(job, problem, unit)

    async def _turn(
        self, work: Callable[[Turn], Awaitable[None]], *, asks_what_follows: bool = True
    ) -> None:
        watch = Watch()
        async with self._transaction() as turn:
            await work(turn)
            if asks_what_follows:
                await turn.decide()
            await turn.write()
            await watch.jobs(turn)
        watch.committed(turn)

    async def _opened(self, message: Msg) -> list[Incoming]:
        """What a message brings, without what says nothing of ours."""
        try:
            brought = list(parts(message))
        except Undecodable as problem:
            await self._refuse_unread(message, Carrier(message, 1), problem)
            return []
        carrier = Carrier(message, len(brought))
        read_ones = [await self._read(each, carrier) for each in brought]
        return [each for each in read_ones if each is not None]

    async def _read(self, message: Msg, carrier: Carrier) -> Incoming | None:
        """What a message says; None when it says nothing of ours, and then it is buried."""
        try:
            found = await read(message, carrier, self._blobs)
            if not isinstance(found.said, OfLetters):
                return found
            letter = await letters.letter(self._client, found.said.letter)
            return replace(found, letter=letter)
        except Unavailable:
            raise
        except (GristmillError, ValidationError) as problem:
            await self._refuse_unread(message, carrier, problem)
            return None

    async def _refuse_unread(
        self, message: Msg, carrier: Carrier, problem: GristmillError | ValidationError
    ) -> None:
        reason = described(problem)
        log.warning("a message on %s cannot be used: %s", message.subject, reason)
        code, field = code_of(problem)
        await self._answer(message, Answer(code=code, message=reason, field=field))
        await bury(self._client, "ledger", message, f"{code}: {reason}", code=code)
        await carrier.one_done()

    async def _halve(self, batch: Sequence[Incoming]) -> None:
        if not batch:
            return
        try:
            answers = await self._commit(batch)
        except leadership.LeadershipLost:
            raise
        except Undecidable as found:
            await self._end(found.job, found.__cause__ or found)
            await self._halve(batch)
            return
        except Exception as problem:
            # Not ours to judge by type: one message's data broke the transaction that it shared.
            if _is_transient(problem):
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._halve(batch[:middle])
                await self._halve(batch[middle:])
            else:
                await self._give_up(batch[0], problem)
            return
        for each, answer in zip(batch, answers, strict=True):
            if answer is not None:
                if isinstance(each.said, OfLetters) and answer.code is None:
                    await dead.carry_out(self._client, each.said, each.letter)
                await self._answer(each.message, answer)
                if answer.code is not None:
                    id = each.envelope.id
                    log.info("request %s is refused: %s", id[:200], answer.code)
                    reason = f"{answer.code}: {answer.message}"
                    await bury(self._client, "ledger", each.message, reason, code=answer.code)
                failpoint("recorder.answered")
            await each.carrier.one_done()
        failpoint("recorder.acked")

    async def _give_up(self, incoming: Incoming, problem: Exception) -> None:
        """Bury a message that cannot be recorded; a unit whose outcome it was has failed, since doing it again would
        only cost the same and end here again.
        """
        log.error("a message could not be recorded", exc_info=problem)
        reason = described(problem)
        refusal = Answer(code="internal_error", message="could not be recorded", status=500)
        await self._answer(incoming.message, refusal)
        await bury(self._client, "ledger", incoming.message, reason, code="unrecordable")
        said = incoming.said
        if isinstance(said, UnitFinished):
            message = f"Its outcome was buried: {reason}"[:500]
            await self.fail_unit(said.unit_id, said.job_id, "unrecordable", message)
        await incoming.carrier.one_done()

    async def _commit(self, batch: Sequence[Incoming]) -> list[Answer | None]:
        watch = Watch()
        async with self._transaction() as turn:
            reports = [each.said for each in batch if not isinstance(each.said, Request)]
            await outcomes.load(turn, reports)
            await requests.load(
                turn, {each.key: each.said for each in batch if isinstance(each.said, Request)}
            )
            answers = [await _take(turn, watch, each) for each in batch]
            await turn.decide()
            failpoint("recorder.folded")
            await turn.write()
            await watch.jobs(turn)
            failpoint("recorder.inserted")
        watch.committed(turn, batch)
        return answers

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Turn]:
        """A turn, which is committed at the end, and then remembered; if it fails, nothing is remembered any more.

        One at a time: the next may get the log's lock before this one has heard that it is committed.
        """
        async with self._alone:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    began = monotonic()
                    log = await leadership.begin(connection, self._lease.epoch, self._lease.seconds)
                    failpoint("recorder.locked")
                    turn = Turn(connection, log, self._house)
                    yield turn
            except asyncpg.UniqueViolationError as problem:
                self._house.forget()
                if problem.constraint_name in ("events_version", "events_pkey"):
                    # Somebody else wrote to the log. What is in these messages has nothing to do with it.
                    raise leadership.LeadershipLost from problem
                raise
            except BaseException:
                # It may be committed all the same, when the connection was lost on the way.
                self._house.forget()
                raise
            self._lease.prolonged(began)
            failpoint("recorder.committed")
            turn.committed()
            self._committed(turn)

    async def _answer(self, message: Msg, answer: Answer) -> None:
        """Only to an inbox: whoever asks may not make the ledger speak elsewhere, nor to those who never ask."""
        inbox = headers_of(message).get(REPLY_TO, "")
        if (
            inbox.startswith("_INBOX.")
            and not set(inbox) & set("*> \r\n")
            and inbox.split(".")[1] not in ("ledger", *SERVICES)
        ):
            try:
                await self._client.publish(inbox, answer.said())
            except nats.errors.Error:
                log.info("an answer could not be sent; asking again will be answered the same")


def _is_transient(problem: Exception) -> bool:
    """That a value does not fit its column is said by the driver as an error of its interface, and is no reason to try
    again.
    """
    return isinstance(problem, Transient) and not isinstance(problem, ValueError)


async def _take(turn: Turn, watch: Watch, incoming: Incoming) -> Answer | None:
    watch.begin(turn, incoming)
    before, answer = turn.log.position, None
    match incoming.said:
        case UnitFinished() as report:
            await outcomes.finished(turn, report)
        case UnitDeferred() as report:
            await outcomes.deferred(turn, report)
        case ModelAnswered() as report:
            await outcomes.answered(turn, report)
        case Request() as request:
            answer = await _asked(turn, incoming, request)
    if turn.log.position == before:
        watch.recorded_nothing(turn)
    return answer


async def _asked(turn: Turn, incoming: Incoming, request: Request) -> Answer:
    envelope, tenant = incoming.envelope, incoming.tenant
    digest = hashlib.blake2b(
        orjson.dumps(
            [envelope.type, request.model_dump(mode="json", exclude_none=True)],
            option=orjson.OPT_SORT_KEYS,
        ),
        digest_size=16,
    ).digest()
    key = incoming.key
    before = turn.asked.get(key)
    if before is not None:
        if before.hash != digest:
            return Answer(
                code="idempotency_conflict",
                message="This idempotency key was used for another request.",
                status=409,
            )
        return before.answer
    message = request_message(*key)
    asked = Asked(
        tenant, envelope.source, envelope.id, message, incoming.lacks_blob, incoming.letter
    )
    try:
        match request:
            case LetterRetryRequested():
                job = await dead.retry(turn, asked, request)
            case LetterDropRequested():
                job = await dead.drop(turn, asked, request)
            case JobRestartRequested():
                job = await restarts.restart(turn, asked, request)
            case JobForkRequested():
                job = await forking.fork(turn, asked, request)
            case JobPauseRequested():
                job = await pausing.pause(turn, asked, request)
            case JobResumeRequested():
                job = await pausing.resume(turn, asked, request)
            case _:
                job = await requests.take(turn, asked, request)
    except Refused as refusal:
        return Answer(
            code=refusal.code,
            message=refusal.message,
            status=refusal.status,
            field=refusal.field,
        )
    answer = Answer(position=str(turn.log.position), job_id=job)
    turn.asked[key] = Answered(digest, answer, new=True)
    return answer
