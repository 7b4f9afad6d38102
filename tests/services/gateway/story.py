"""A story of events, as the ledger would record it: one project, its documents, and the jobs on them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.blob import BlobRef
from contracts.call import CallSettled
from contracts.dataset import (
    Counts,
    DatasetCompleted,
    DatasetExported,
    DatasetFigures,
    ExportedFile,
    NotLaid,
)
from contracts.document import (
    Chunking,
    DocumentAdded,
    DocumentChunked,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
)
from contracts.entries import (
    BodyEntry,
    CallBody,
    Duplicate,
    EntriesAdmitted,
    EntriesBody,
    EntriesCurated,
    EntriesGenerated,
    Evidence,
    Exchange,
    Found,
    GeneratedEntry,
    GenerateEntries,
    PromptRef,
    QuestionAnswer,
    Usage,
    Verdict,
)
from contracts.export import ExportRequested
from contracts.generation import (
    GenerationPlanned,
    GenerationRequested,
    GenerationSettings,
    PlanManifest,
    PlannedDocument,
    PlanPage,
    Seed,
    Slot,
)
from contracts.identity import (
    body_id,
    calls_stream,
    dataset_id,
    document_id,
    entry_id,
    job_id,
    project_id,
    seed_unit,
)
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCancelRequested,
    JobCompleted,
    JobFailed,
    JobResumed,
    JobStarted,
    JobWaiting,
)
from contracts.message import Event, Recorded, wire_type
from contracts.processing import ProcessingRequested
from contracts.project import ProjectCreated, ProjectUpdated
from contracts.unit import Body, UnitFailed

SPACE = UUID(int=7)
TENANT = "default"
PROJECT = project_id(TENANT, "test", "project")
JOB = job_id(TENANT, "test", "job")
"""The generation job that ``Story.tell`` brings to its end."""
STRUCTURE = '{"title": "Mills", "language": "en", "headings": [], "pages": []}'
TEXT = "The mill stands at Ufa. It was built in 1823. The wheel turns twice a minute.\n" * 4
QUOTE = "It was built in 1823."


@dataclass(frozen=True)
class Line:
    """One event of a story, on its stream, for its job."""

    stream: UUID
    kind: str
    event: Event
    job: UUID | None


@dataclass
class Story:
    """What happens to one project, in order, as the ledger would record it."""

    lines: list[Line] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    project: UUID = PROJECT
    job: UUID = JOB

    def say(self, stream: UUID, kind: str, *events: Event, job: UUID | None = None) -> None:
        self.lines += [Line(stream, kind, event, job) for event in events]

    def recorded(self, *, era: int = 1) -> list[Recorded[Event]]:
        """The events as a store would have numbered them."""
        versions: dict[UUID, int] = {}
        made = []
        for n, line in enumerate(self.lines, 1):
            versions[line.stream] = versions.get(line.stream, 0) + 1
            made.append(
                Recorded[Event](
                    event=line.event,
                    id=uuid5(SPACE, str(n)),
                    stream=line.stream,
                    version=versions[line.stream],
                    position=f"{era}.{n}",
                    tenant=TENANT,
                    job_id=line.job,
                    cause_id=None,
                    recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
                )
            )
        return made

    def begin(self) -> None:
        """A project with one document that is cut and one that cannot be read."""
        created = ProjectCreated(project_id=self.project, alias=1, name="Mills", description="old")
        self.say(self.project, "project", created)
        self.good = self.add("mill.txt", TEXT)
        self.bad = self.add("broken.pdf", "no pdf")

    def add(self, name: str, text: str, upload: UUID | None = None) -> UUID:
        ref = blob("document", text)
        document = document_id(self.project, ref.sha256)
        added = DocumentAdded(
            document_id=document,
            project_id=self.project,
            name=name,
            blob=ref,
            upload_id=str(upload) if upload else None,
        )
        self.say(document, "document", added, job=document)
        return document

    def read(self, chunking: Chunking | None = None) -> None:
        cut = DocumentChunked(
            document_id=self.good,
            project_id=self.project,
            chunking=chunking or Chunking(),
            table=blob("chunks", "table"),
            chunks=3,
        )
        parsed = DocumentParsed(
            document_id=self.good,
            project_id=self.project,
            text=blob("text", TEXT),
            structure=blob("structure", STRUCTURE),
            title="Mills",
            language="en",
            pages=None,
            characters=len(TEXT),
            words=len(TEXT.split()),
            parser="plain/1",
        )
        refused = DocumentRejected(
            document_id=self.bad,
            project_id=self.project,
            stage="parse",
            code="corrupt",
            message="not a PDF",
        )
        self.say(self.good, "document", parsed, cut, job=self.good)
        self.say(self.bad, "document", refused, job=self.bad)

    def ask(self, request_id: str = "job", **settings: Any) -> UUID:
        job = job_id(TENANT, "test", request_id)
        wish = GenerationSettings.model_validate({"entries": 3, "batch_size": 2, **settings})
        request = GenerationRequested(project_id=self.project, name="Old mills", settings=wish)
        self.say(job, "generation", request, job=job)
        return job

    def plan(self, job: UUID, seeds: int = 4) -> None:
        planned = GenerationPlanned(
            dataset_id=dataset_id(job),
            plan=plan_blobs(self.good, seeds)[0][0],
            first=0,
            seeds=seeds,
            asked=2 * seeds,
            chunks=seeds,
            skipped={"boilerplate": 1},
            documents=1,
        )
        self.say(job, "generation", JobStarted(documents=1), planned, job=job)

    def grind(self, job: UUID, seeds: Sequence[int], *, fails: Sequence[int] = ()) -> None:
        """Two entries from each seed; seeds that fail have none."""
        for seed in seeds:
            unit = seed_unit(job, seed)
            if seed in fails:
                failed = UnitFailed(
                    unit_id=unit,
                    command=wire_type(GenerateEntries),
                    code="timeout",
                    message="no answer",
                )
                self.say(job, "generation", failed, job=job)
            else:
                self.say(job, "generation", self._entries(job, seed), job=job)
            self.say(calls_stream(job), "calls", call(unit, ok=seed not in fails), job=job)

    def _entries(self, job: UUID, seed: int) -> EntriesGenerated:
        unit = seed_unit(job, seed)
        names = [entry_id(unit, 0, n) for n in range(2)]
        start = TEXT.index(QUOTE)
        contents = [
            QuestionAnswer(
                evidence=(Evidence(quote=QUOTE, start=start, end=start + len(QUOTE)),),
                question=f"When was mill {seed}/{n} built?",
                answer="It was built in 1823.",
                kind="fact",
                difficulty="easy",
            )
            for n in range(2)
        ]
        texts = EntriesBody(
            entries=tuple(
                BodyEntry(entry_id=name, content=content)
                for name, content in zip(names, contents, strict=True)
            )
        )
        said = CallBody(
            system=blob("prompt", "You write.").sha256,
            user="passage",
            exchanges=(Exchange(feedback=None, response="{}", finish_reason="stop"),),
        )
        body, raw = body_id(unit, "entries"), body_id(unit, "call")
        documents = (self.good,)
        self.bodies += [
            Body(body_id=body, kind="entries", text=texts.model_dump_json(), documents=documents),
            Body(body_id=raw, kind="call", text=said.model_dump_json(), documents=documents),
        ]
        return EntriesGenerated(
            dataset_id=dataset_id(job),
            unit_id=unit,
            seed=seed,
            round=1,
            sample=0,
            document_id=self.good,
            chunk_id=UUID(int=seed),
            entries=tuple(
                GeneratedEntry(entry_id=name, type="question and answer", difficulty="easy")
                for name in names
            ),
            nothing_because=None,
            body=body,
            call=raw,
            model="builtin/extractive",
            prompt=PromptRef(name="default", version=1, hash="a" * 64),
            parameters={"temperature": 0.7},
            response_key="b" * 64,
            usage=Usage(calls=1),
        )

    def judge(self, job: UUID, seeds: Sequence[int], *, drops: Sequence[int] = ()) -> None:
        """The second entry of each seed in ``drops`` fails a check."""
        verdicts = []
        for seed in seeds:
            unit = seed_unit(job, seed)
            for n in range(2):
                passed = not (n and seed in drops)
                found = () if passed else (Found(reason="ungrounded", detail="1824"),)
                verdicts.append(
                    Verdict(
                        entry_id=entry_id(unit, 0, n),
                        unit_id=unit,
                        seed=seed,
                        passed=passed,
                        found=found,
                        quality=0.9 if passed else 0.3,
                        quality_parts={"grounded": 1.0},
                        category="Mills",
                        kind="fact",
                        difficulty="easy",
                        signature=None,
                    )
                )
        dataset = dataset_id(job)
        curated = EntriesCurated(dataset_id=dataset, after=0, through=9, verdicts=tuple(verdicts))
        self.say(dataset, "dataset", curated, job=job)

    def admit(
        self,
        job: UUID,
        *,
        accepted: Sequence[tuple[int, int]] = (),
        duplicates: Sequence[tuple[int, int]] = (),
        surplus: Sequence[tuple[int, int]] = (),
    ) -> None:
        def names(pairs: Sequence[tuple[int, int]]) -> tuple[UUID, ...]:
            return tuple(entry_id(seed_unit(job, seed), 0, n) for seed, n in pairs)

        dataset = dataset_id(job)
        first = entry_id(seed_unit(job, 0), 0, 0)
        same = tuple(
            Duplicate(entry_id=name, of=first, rule="near_question", similarity=0.91)
            for name in names(duplicates)
        )
        admitted = EntriesAdmitted(
            dataset_id=dataset,
            after=0,
            through=1,
            accepted=names(accepted),
            duplicates=same,
            surplus=names(surplus),
        )
        self.say(dataset, "dataset", admitted, job=job)

    def close(self, job: UUID) -> None:
        dataset = dataset_id(job)
        counts = Counts(seeds=4, done=3, failed=1, generated=6, accepted=3, rejected=2, surplus=1)
        completed = DatasetCompleted(
            dataset_id=dataset,
            ending="enough",
            wanted=3,
            missing=0,
            counts=counts,
            rejected_by_reason={"ungrounded": 1, "duplicate": 1},
            failed_by_code={"timeout": 1},
            skipped={"boilerplate": 1},
            figures=figures(),
        )
        self.say(dataset, "dataset", completed, job=job)

    def export(
        self,
        job: UUID,
        dataset: UUID,
        format: str,
        texts: Sequence[str],
        output_dir: str | None = None,
        failed: NotLaid | None = None,
    ) -> None:
        """``texts``: the files; one is the whole dataset, several are batches."""
        several = len(texts) > 1
        files = tuple(
            ExportedFile(
                name=f"mills{'_batch_' + str(n) if several else ''}.{format}",
                blob=blob("export", text),
                batch=n if several else None,
                entries=1,
                seeds=2,
                answered=1,
            )
            for n, text in enumerate(texts)
        )
        exported = DatasetExported(
            dataset_id=dataset,
            format=format,
            batch_size=2 if several else 0,
            head=5,
            files=files,
            entries=len(texts),
            output_dir=output_dir,
            output_dir_failed=failed,
        )
        self.say(dataset, "dataset", exported, job=job)

    def tell(self) -> None:
        """All of it: a job that waited, was judged, closed and exported; an upload; a cancelled and a failed job."""
        self.begin()
        self.say(self.project, "project", updated(self.project))
        upload = job_id(TENANT, "test", "upload")
        self.add("one.txt", "one", upload)
        two = self.add("two.txt", "two", upload)
        again = DocumentNamed(
            document_id=two, project_id=self.project, name="deux.txt", upload_id=str(upload)
        )
        self.say(two, "document", again, job=two)
        processing = job_id(TENANT, "test", "processing")
        request = ProcessingRequested(
            project_id=self.project, document_ids=(self.good, self.bad), chunking=Chunking()
        )
        self.say(processing, "processing", request, JobStarted(documents=2), job=processing)
        self.read()
        self.say(processing, "processing", JobCompleted(), job=processing)
        job = self.ask()
        self.plan(job)
        waiting = JobWaiting(waiting_for="openai/gpt", reason="connection refused")
        self.say(job, "generation", waiting, JobResumed(waited_for="openai/gpt"), job=job)
        self.grind(job, range(4), fails=[3])
        self.judge(job, range(3), drops=[1])
        self.admit(job, accepted=[(0, 0), (1, 0), (2, 0)], duplicates=[(0, 1)], surplus=[(2, 1)])
        self.close(job)
        self.export(job, dataset_id(job), "jsonl", ["one\n", "two\n"], "mine")
        self.say(job, "generation", JobCompleted(), job=job)
        export = job_id(TENANT, "test", "export")
        asked = ExportRequested(dataset_id=dataset_id(job), format="parquet")
        self.say(export, "export", asked, job=export)
        self.export(export, dataset_id(job), "parquet", ["whole"])
        self.say(export, "export", JobCompleted(), job=export)
        stopped = self.ask("stopped")
        self.say(stopped, "generation", JobCancelRequested(target=stopped), job=stopped)
        self.say(stopped, "generation", JobCancelling(), JobCancelled(), job=stopped)
        failed = self.ask("failed")
        self.say(failed, "generation", JobFailed(code="no_chunks", message="none"), job=failed)


def updated(project: UUID) -> ProjectUpdated:
    return ProjectUpdated(project_id=project, name="Mills", description="new")


def blob(kind: str, text: str) -> BlobRef:
    data = text.encode()
    return BlobRef(
        kind=kind, sha256=hashlib.sha256(data).hexdigest(), size=len(data), media="text/plain"
    )


def call(unit: UUID, *, ok: bool) -> CallSettled:
    return CallSettled(
        call_id=uuid5(unit, "call"),
        unit_id=unit,
        attempt=1,
        number=0,
        model="builtin/extractive",
        outcome="ok" if ok else "timeout",
        latency_ms=5,
        prompt_tokens=10,
        completion_tokens=4,
        cached_tokens=0,
        cost=3,
    )


def figures() -> DatasetFigures:
    return DatasetFigures(
        quality=0.9,
        evidence_resolved=1.0,
        near_duplicate_share=0.0,
        coverage=(),
        coverage_gini=0.25,
        retrieval_mrr=None,
        commonest_opening="when was the",
        commonest_opening_share=1.0,
        opening_entropy=0.8,
        kinds={"fact": 3},
        difficulties={"easy": 3},
        categories={"Mills": 3},
        answer_words=(4, 4, 4),
    )


def plan_blobs(document: UUID, seeds: int) -> tuple[tuple[BlobRef, bytes], tuple[BlobRef, bytes]]:
    """A plan's manifest and its one page, with their bytes."""
    page = PlanPage(
        first=0,
        documents=(
            PlannedDocument(
                document_id=document,
                name="mill.txt",
                title="Mills",
                language="en",
                outline=(),
                summary="",
                text=blob("text", TEXT),
            ),
        ),
        seeds=tuple(
            Seed(
                index=n,
                round=1,
                sample=0,
                document_id=document,
                chunk_id=UUID(int=n),
                chunk_index=n,
                start=0,
                end=60,
                heading_path=("Mills", "Ufa"),
                page=None,
                slots=(Slot(),),
            )
            for n in range(seeds)
        ),
    )
    data = page.model_dump_json()
    ref = blob("plan", data)
    manifest = PlanManifest(first=0, seeds=seeds, pages=(ref.sha256,), page_size=500)
    whole = manifest.model_dump_json()
    return (blob("plan", whole), whole.encode()), (ref, data.encode())
