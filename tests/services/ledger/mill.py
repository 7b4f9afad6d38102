"""A ledger on real servers with small workers around it, for tests of what it records, decides and issues again.

A document's bytes are a number: how many chunks it is cut into. A chunk yields one entry. What a unit does can be
replaced, and whatever is said on the bus is kept to be looked at.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.blob import BlobRef
from contracts.dataset import (
    CloseDataset,
    DatasetCompleted,
    DatasetExported,
    DatasetFigures,
    ExportDataset,
)
from contracts.document import (
    ChunkDocument,
    Chunking,
    DocumentChunked,
    DocumentParsed,
    DocumentSubmitted,
    ParseDocument,
)
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GeneratedEntry,
    GenerateEntries,
    PromptRef,
    Usage,
    Verdict,
)
from contracts.generation import (
    GenerationPlanned,
    GenerationRequested,
    GenerationSettings,
    PlanGeneration,
)
from contracts.identity import entry_id
from contracts.job import JobCancelled, JobCompleted, JobFailed
from contracts.message import Event, Recorded, Request
from contracts.processing import ProcessingRequested
from contracts.project import ProjectRequested
from contracts.unit import UnitFinished
from services.ledger.app import Ledger
from shared.blobs import FolderBlobs
from shared.bundle import bundled, envelopes, headers_for
from shared.bus import Answer, Asker, Envelope, connect
from shared.cancellation import end
from shared.clock import fresh_id
from shared.errors import Rejected
from shared.health import Health
from shared.settings import Settings
from shared.store import PostgresReader, open_pool
from shared.topology import declare
from shared.worker import Done, Handler, Task, Work, Worker

Until = Callable[..., Awaitable[None]]
E = TypeVar("E", bound=Event)
BLOB = BlobRef(kind="plan", sha256="a" * 64, size=1)
FIGURES = DatasetFigures(
    quality=None, evidence_resolved=None, near_duplicate_share=None, coverage=(),
    coverage_gini=None, retrieval_mrr=None, commonest_opening=None, commonest_opening_share=None,
    opening_entropy=None, kinds={}, difficulties={}, categories={}, answer_words=None,
)  # fmt: skip
ENDS = (JobCompleted, JobFailed, JobCancelled)


class Mill:
    """``settings(service, role=...)`` gives what a service is told of the servers of this test."""

    def __init__(self, settings: Callable[..., Settings], until: Until) -> None:
        self.settings = settings
        self.until = until
        self.source = str(fresh_id())
        self.blobs = FolderBlobs(settings("ledger").data / "blobs")
        self.heard: list[Msg] = []
        """What was published under ``gristmill.``, beats left out, in the order in which the bus had it."""
        self.workers: list[tuple[asyncio.Event, asyncio.Task[None]]] = []
        self.ledgers: list[tuple[Ledger, asyncio.Task[None], Client]] = []
        self.done: Counter[UUID] = Counter()
        """Units by how often a worker of this test did them."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Mill"]:
        self.pool = await open_pool(self.settings("ledger").required_database_url(), most=4)
        self.client = await connect(self.settings("ledger"), "ledger")
        self.reader = PostgresReader(self.pool)
        await declare(self.client, self.settings("ledger"))
        for stream in ("REQUESTS", "INBOX", "COMMANDS", "EVENTS", "DEAD"):
            await self.client.jetstream().purge_stream(stream)
        await self.client.subscribe("gristmill.>", cb=self._hear)
        self.outside = await connect(self.settings("gateway"), "gateway")
        # Patient, so that a busy machine fails no test.
        patient = self.settings("gateway").model_copy(update={"request_wait": 15.0})
        self.asker = Asker(self.outside, patient)
        try:
            yield self
        finally:
            for stop, _ in self.workers:
                stop.set()
            await asyncio.gather(*(task for _, task in self.workers))
            while self.ledgers:
                await self.stop_ledger()
            await self.outside.close()
            await self.client.close()
            await self.pool.close()

    async def _hear(self, message: Msg) -> None:
        if not message.subject.startswith("gristmill.beat."):
            self.heard.append(message)

    # -- running -----------------------------------------------------------------------------------

    async def ledger(self, **others: object) -> Health:
        """Start one more ledger, with other settings where some are named."""
        settings = self.settings("ledger").model_copy(update=others)
        client, health = await connect(settings, "ledger"), Health("ledger")
        ledger = Ledger(self.pool, client, self.blobs, settings, health)
        self.ledgers.append((ledger, asyncio.create_task(ledger.run()), client))
        return health

    async def stop_ledger(self, index: int = -1) -> None:
        _, task, client = self.ledgers.pop(index)
        await end(task)
        await client.close()

    def worker(self, service: str, *work: Work) -> Worker:
        settings = self.settings(service)
        counted = [Work(each.command, self._counted(each.handler), each.share) for each in work]
        worker = Worker(service, counted, self.blobs, settings, Health(service))
        stop = asyncio.Event()
        self.workers.append((stop, asyncio.create_task(worker.run(stop))))
        return worker

    def _counted(self, handler: Handler) -> Handler:
        async def count(task: Task[Any]) -> Done:
            self.done[task.unit] += 1
            return await handler(task)

        return count

    async def stop_workers(self) -> None:
        for stop, _ in self.workers:
            stop.set()
        await asyncio.gather(*(task for _, task in self.workers))
        self.workers.clear()

    def documents(self, *, parse: Handler | None = None, chunk: Handler | None = None) -> None:
        self.worker("ingest", Work(ParseDocument, parse or self.parse))
        self.worker("chunk", Work(ChunkDocument, chunk or self.chunk))

    def generation(self, *, generate: Handler | None = None, curate: Handler | None = None) -> None:
        self.worker(
            "generate",
            Work(PlanGeneration, plan),
            Work(GenerateEntries, generate or self.generate, lambda command: command.share),
        )
        self.curation(curate)

    def curation(self, curate: Handler | None = None) -> None:
        """All of generation but the worker that generates."""
        self.worker(
            "curate",
            Work(CurateEntries, curate or self.curate),
            Work(AdmitEntries, self.admit),
            Work(CloseDataset, close),
        )
        self.worker("export", Work(ExportDataset, export))

    # -- asking ------------------------------------------------------------------------------------

    async def ask(
        self, request: Request, key: str | None = None, tenant: str = "default"
    ) -> Answer:
        return await self.asker.ask(
            request, tenant=tenant, source=self.source, request_id=key or str(fresh_id())
        )

    async def project(self, tenant: str = "default") -> UUID:
        return job(await self.ask(ProjectRequested(name=str(fresh_id())), tenant=tenant))

    async def document(self, project: UUID, content: str, name: str = "a.txt") -> UUID:
        blob = await self.blobs.put("default", "upload", content.encode(), "text/plain")
        return job(await self.ask(DocumentSubmitted(project_id=project, name=name, blob=blob)))

    async def process(
        self, project: UUID, *documents: UUID, chunking: Chunking | None = None
    ) -> UUID:
        request = ProcessingRequested(
            project_id=project, document_ids=documents, chunking=chunking or Chunking()
        )
        return job(await self.ask(request))

    async def generate_from(self, chunks: int, **settings: object) -> UUID:
        """A job over one document of so many chunks."""
        project = await self.project()
        await self.document(project, str(chunks))
        chosen = GenerationSettings.model_validate(settings)
        return job(await self.ask(GenerationRequested(project_id=project, settings=chosen)))

    # -- looking -----------------------------------------------------------------------------------

    async def log(self, of: UUID | None = None) -> list[Recorded[Event]]:
        """The log, or what of it belongs to a job."""
        found: list[Recorded[Event]] = []
        while page := await self.reader.tail(len(found)):
            found += page
        return [each for each in found if of is None or each.job_id == of]

    async def said(self, kind: type[E], of: UUID | None = None) -> list[E]:
        return [each.event for each in await self.log(of) if isinstance(each.event, kind)]

    async def ended(self, *jobs: UUID, within: float = 15.0) -> list[Event]:
        """Wait for jobs to end; return how."""

        async def all_ended() -> bool:
            found: bool = await self.pool.fetchval(
                "select count(*) = $2 from ledger.streams where stream_id = any($1) and not open",
                list(jobs),
                len(jobs),
            )
            return found

        await self.until(all_ended, within=within)
        ends = {
            each.job_id: each.event for each in await self.log() if isinstance(each.event, ENDS)
        }
        return [ends[each] for each in jobs]

    async def work(self, of: UUID, **where: object) -> list[asyncpg.Record]:
        rows = await self.pool.fetch(
            "select * from ledger.work where job_id = $1 order by issued_at, unit_id", of
        )
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    async def state(self, of: UUID) -> dict[str, Any]:
        found: dict[str, Any] = await self.pool.fetchval(
            "select state from ledger.streams where stream_id = $1", of
        )
        return found

    async def in_stream(self, stream: str) -> int:
        info = await self.client.jetstream().stream_info(stream)
        found: int = info.state.messages
        return found

    def envelopes(self, subject: str) -> list[Envelope]:
        """What was heard on subjects that begin so."""
        return [
            envelope
            for each in self.heard
            if each.subject.startswith(subject)
            for envelope in envelopes(each)
        ]

    def buried(self) -> list[str]:
        """Reasons, in order."""
        return [
            (each.headers or {})["gristmill-reason"]
            for each in self.heard
            if each.subject == "gristmill.dead.ledger"
        ]

    async def say(self, *reports: UnitFinished) -> None:
        """Say outcomes in one message, as a worker would."""
        said = bundled(
            [
                Envelope(
                    type="gristmill.unit.finished.v1",
                    id=str(fresh_id()),
                    source=report.service,
                    subject=f"gristmill.results.{report.service}",
                    body=orjson.dumps(report.model_dump(mode="json")),
                    headers={"gristmill-tenant": "default"},
                )
                for report in reports
            ]
        )
        await self.client.jetstream().publish(said.subject, said.body, headers=headers_for(said))

    def outcomes(self, service: str) -> list[UnitFinished]:
        return [
            UnitFinished.model_validate_json(each.body)
            for each in self.envelopes(f"gristmill.results.{service}")
            if each.type == "gristmill.unit.finished.v1"
        ]

    # -- doing -------------------------------------------------------------------------------------

    async def parse(self, task: Task[ParseDocument]) -> Done:
        command = task.command
        size = command.blob.size
        parsed = DocumentParsed(
            document_id=command.document_id, project_id=command.project_id, text=command.blob,
            structure=BLOB, title="", language="en", pages=None, characters=size, words=1,
            parser="test/1",
        )  # fmt: skip
        return Done((parsed,))

    async def chunk(self, task: Task[ChunkDocument]) -> Done:
        command = task.command
        content = await self.blobs.get(task.tenant, command.text)
        if not content.isdigit():
            raise Rejected("no_number", "It holds no number of chunks.")
        number = int(content)
        chunked = DocumentChunked(
            document_id=command.document_id, project_id=command.project_id,
            chunking=command.chunking, table=BLOB, chunks=number,
        )  # fmt: skip
        return Done((chunked,))

    async def generate(self, task: Task[GenerateEntries]) -> Done:
        task.may_start()
        return generated(task)

    async def curate(self, task: Task[CurateEntries]) -> Done:
        command = task.command
        units = self.reader.stream(
            command.job_id, after=command.after, through=command.through, types=(EntriesGenerated,)
        )
        verdicts = [
            Verdict(
                entry_id=entry.entry_id, unit_id=each.event.unit_id, seed=each.event.seed,
                passed=True, found=(), quality=1.0, quality_parts={}, category="", kind="fact",
                difficulty="easy", signature=None,
            )
            async for each in units if isinstance(each.event, EntriesGenerated)
            for entry in each.event.entries
        ]  # fmt: skip
        curated = EntriesCurated(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            verdicts=tuple(verdicts),
        )
        return Done((curated,))

    async def admit(self, task: Task[AdmitEntries]) -> Done:
        command = task.command
        curated = self.reader.stream(
            command.dataset_id,
            after=command.after,
            through=command.through,
            types=(EntriesCurated,),
        )
        good = [
            verdict.entry_id
            async for each in curated
            if isinstance(each.event, EntriesCurated)
            for verdict in each.event.verdicts
        ]
        wanted = len(good) if command.wanted is None else command.wanted - command.accepted
        admitted = EntriesAdmitted(
            dataset_id=command.dataset_id,
            after=command.after,
            through=command.through,
            accepted=tuple(good[:wanted]),
            duplicates=(),
            surplus=tuple(good[wanted:]),
        )
        return Done((admitted,))


def job(answer: Answer) -> UUID:
    found = answer.or_refused().job_id
    assert found is not None
    return found


async def plan(task: Task[PlanGeneration]) -> Done:
    command = task.command
    chunks = sum(document.chunks for document in command.documents)
    planned = GenerationPlanned(
        dataset_id=command.job_id, plan=BLOB, first=0, seeds=chunks, asked=chunks, chunks=chunks,
        skipped={}, documents=len(command.documents),
    )  # fmt: skip
    return Done((planned,))


def generated(task: Task[GenerateEntries]) -> Done:
    """One entry of a seed."""
    command, seed = task.command, task.command.seeds[task.index]
    entry = GeneratedEntry(entry_id=entry_id(task.unit, 0, 0), type="question", difficulty="easy")
    event = EntriesGenerated(
        dataset_id=command.dataset_id, unit_id=task.unit, seed=seed, round=1, sample=0,
        document_id=command.job_id, chunk_id=task.unit, entries=(entry,), nothing_because=None,
        body=task.event_id(1), call=task.event_id(2), model="x/y",
        prompt=PromptRef(name="x", version=1, hash="0" * 64), parameters={},
        response_key="0" * 64, usage=Usage(),
    )  # fmt: skip
    return Done((event,))


async def close(task: Task[CloseDataset]) -> Done:
    command = task.command
    completed = DatasetCompleted(
        dataset_id=command.dataset_id, ending=command.ending, wanted=command.settings.entries,
        missing=0, counts=command.counts, rejected_by_reason=command.rejected,
        failed_by_code=command.failed, skipped=command.skipped, figures=FIGURES,
    )  # fmt: skip
    return Done((completed,))


async def export(task: Task[ExportDataset]) -> Done:
    command = task.command
    exported = DatasetExported(
        dataset_id=command.dataset_id, format=command.format, batch_size=command.batch_size,
        head=command.head, files=(), entries=0,
    )  # fmt: skip
    return Done((exported,))
