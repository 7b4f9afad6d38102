"""A ledger for the gateway's tests: answers on the real bus, records in the real store, decides next to nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import EVENTS
from contracts.chunks import ChunksDeleted, ChunksDeletionRequested
from contracts.dataset import DatasetDeleted, DatasetDeletionRequested
from contracts.document import (
    Chunking,
    DocumentAdded,
    DocumentDeleted,
    DocumentDeletionRequested,
    DocumentSubmitted,
)
from contracts.identity import document_id, event_id, job_id, project_id
from contracts.job import (
    JobCancelling,
    JobCancelRequested,
    JobContinued,
    JobPauseRequested,
    JobPausing,
    JobResumeRequested,
)
from contracts.message import Request
from contracts.project import (
    ProjectCreated,
    ProjectDeleted,
    ProjectDeletionRequested,
    ProjectRequested,
    ProjectUpdated,
    ProjectUpdateRequested,
)
from shared.appending import Append, NewEvent, append, insert_bodies
from shared.bus import REPLY_TO, Answer, connect, envelope_from
from shared.settings import Settings
from shared.stack import Database, Nats
from shared.store import open_pool
from shared.topology import declare
from tests.services.gateway.story import TENANT, Line, Story


def _nothing(_request: Request, _job: UUID) -> Sequence[Line]:
    return ()


class FakeLedger:
    """Answers requests on the real bus and records them in the real store; decides next to nothing."""

    def __init__(self, client: Client, pool: "asyncpg.Pool[Any]") -> None:
        self.client = client
        self.pool = pool
        self.asked: list[tuple[str, Request]] = []
        self.answers: dict[type[Request], Answer] = {}
        """Refusals, by request."""
        self.follow: dict[type[Request], Callable[[Request, UUID], Sequence[Line]]] = {}
        """What follows a request at once."""
        self._alias = 100
        self._known: dict[str, Answer] = {}

    def forget(self) -> None:
        """What was asked, and what a test wants answered."""
        self.asked.clear()
        self.answers.clear()
        self.follow.clear()

    async def run(self) -> None:
        requests = await self.client.jetstream().pull_subscribe_bind("ledger", stream="REQUESTS")
        while True:
            with contextlib.suppress(TimeoutError):
                for message in await requests.fetch(10, timeout=0.5):
                    await self._take(message)
                    await message.ack()

    async def _take(self, message: Msg) -> None:
        envelope = envelope_from(message.subject, message.headers, message.data)
        kind = EVENTS[envelope.type]
        request = kind.model_validate_json(envelope.body)
        assert isinstance(request, Request)
        self.asked.append((envelope.id, request))
        answer = self.answers.get(type(request)) or self._known.get(envelope.id)
        if answer is None:
            answer = await self._record(request, envelope.source, envelope.id)
            self._known[envelope.id] = answer
        await self.client.publish(envelope.headers[REPLY_TO], answer.model_dump_json().encode())

    async def _record(self, request: Request, source: str, id: str) -> Answer:
        job = job_id(TENANT, source, id)
        lines = list(self._begins(request, source, id, job))
        lines += self.follow.get(type(request), _nothing)(request, job)
        position = await self.append(lines, salt=id)
        return Answer(position=position, job_id=job)

    def _begins(self, request: Request, source: str, id: str, job: UUID) -> Iterator[Line]:
        if isinstance(request, ProjectRequested):
            self._alias += 1
            project = project_id(TENANT, source, id)
            made = ProjectCreated(
                project_id=project,
                alias=self._alias,
                name=request.name,
                description=request.description,
            )
            yield Line(project, "project", made, project)
        elif isinstance(request, ProjectUpdateRequested):
            changed = ProjectUpdated(
                project_id=request.project_id,
                name=request.name or "same",
                description=request.description or "same",
            )
            yield Line(request.project_id, "project", changed, request.project_id)
        elif isinstance(request, DocumentSubmitted) and request.blob is not None:
            document = document_id(request.project_id, request.blob.sha256)
            added = DocumentAdded(
                document_id=document,
                **request.model_dump(exclude={"content", "content_base64", "upload_digest"}),
            )
            yield Line(document, "document", added, document)
        elif isinstance(request, ProjectDeletionRequested):
            gone = ProjectDeleted(
                project_id=request.project_id, name="x", documents=2, chunks=5, datasets=1, jobs=3
            )
            yield Line(request.project_id, "project", gone, request.project_id)
        elif isinstance(request, DocumentDeletionRequested):
            left = DocumentDeleted(
                document_id=request.document_id, project_id=request.document_id, name="x", chunks=3
            )
            yield Line(request.document_id, "document", left, request.document_id)
        elif isinstance(request, ChunksDeletionRequested):
            fewer = ChunksDeleted(
                document_id=request.document_id,
                project_id=request.document_id,
                chunking=Chunking(),
                before=request.table,
                table=request.table,
                deleted=1,
                chunks=request.chunks,
            )
            yield Line(request.document_id, "document", fewer, request.document_id)
        elif isinstance(request, DatasetDeletionRequested):
            dataset = request.dataset_id
            removed = DatasetDeleted(dataset_id=dataset, project_id=dataset, job_id=dataset)
            yield Line(dataset, "dataset", removed, dataset)
        elif isinstance(request, JobCancelRequested | JobPauseRequested | JobResumeRequested):
            follows = {
                JobCancelRequested: JobCancelling(),
                JobPauseRequested: JobPausing(),
                JobResumeRequested: JobContinued(started=True),
            }
            for event in (request, follows[type(request)]):
                yield Line(request.target, "generation", event, request.target)
        else:
            yield Line(job, "job", request, job)

    async def append(self, lines: Sequence[Line], salt: str = "") -> str:
        """Record these events; the newest position."""
        async with self.pool.acquire() as connection, connection.transaction():
            recorded = await append(
                connection,
                [
                    Append(
                        stream=line.stream,
                        kind=line.kind,
                        tenant=TENANT,
                        events=(
                            NewEvent(
                                id=event_id(uuid5(line.stream, salt), n),
                                event=line.event,
                                job_id=line.job,
                            ),
                        ),
                    )
                    for n, line in enumerate(lines)
                ],
            )
        return recorded[-1].position

    async def keep(self, story: Story) -> str:
        """Record a whole story with its bodies."""
        async with self.pool.acquire() as connection:
            await insert_bodies(connection, story.bodies)
        return await self.append(story.lines, salt="story")


@contextlib.asynccontextmanager
async def answering(database: Database, nats: Nats) -> AsyncIterator[FakeLedger]:
    """A ledger on these servers, with an empty queue of requests."""
    settings = Settings.model_validate({"nats_url": nats.url("ledger")})
    client = await connect(settings, "ledger")
    await declare(client, settings)
    await client.jetstream().purge_stream("REQUESTS")
    pool = await open_pool(database.url("ledger"))
    fake = FakeLedger(client, pool)
    task = asyncio.create_task(fake.run())
    yield fake
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    await pool.close()
