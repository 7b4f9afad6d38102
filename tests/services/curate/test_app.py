"""The edge of curate over a whole job in memory: what it says does not depend on who was killed on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from contracts.blob import BlobRef
from contracts.dataset import CloseDataset, Counts, DatasetCompleted
from contracts.entries import (
    AdmitEntries,
    BodyEntry,
    CurateEntries,
    EntriesAdmitted,
    EntriesBody,
    EntriesCurated,
    EntriesGenerated,
    Evidence,
    GeneratedEntry,
    PromptRef,
    QuestionAnswer,
    Usage,
)
from contracts.generation import GenerationSettings, PlannedDocument, PlanPage, Seed, Slot
from contracts.identity import GRISTMILL, dataset_id, entry_id, seed_unit
from contracts.message import Command, Event
from contracts.unit import Body
from services.curate import app
from shared.appending import Append, NewEvent
from shared.clock import fresh_id
from shared.memory import MemoryBlobs, MemoryStore
from shared.plans import keep_plan
from shared.task import Handler, Task
from tests.performance.station import section

JOB = uuid5(GRISTMILL, "curated")
DATASET = dataset_id(JOB)
DOCUMENT = uuid5(JOB, "document")
SETTINGS = GenerationSettings(model="openai/simulated")
SEEDS, STRETCH = 60, 12


@dataclass
class Job:
    """A job whose model has answered for every seed, and the workers that curate it, one after another."""

    store: MemoryStore
    blobs: MemoryBlobs
    plan: BlobRef
    handlers: dict[type[Command], Handler] = field(default_factory=dict)
    accepted: int = 0

    def another_worker(self) -> None:
        self.handlers = {each.command: each.handler for each in app.work(self.blobs, self.store)}

    async def do(self, command: Command, *, recorded: bool = True) -> Event:
        task = Task(command, 0, "default", 1, fresh_id(), lambda: None)
        done = await self.handlers[type(command)](task)
        if recorded:
            event = NewEvent(id=task.event_id(0), event=done.events[0])
            await self.store.append([Append(DATASET, "dataset", "default", (event,))])
        return done.events[0]

    async def curate(self, after: int, *, recorded: bool = True) -> EntriesCurated:
        command = CurateEntries(
            job_id=JOB,
            units=(fresh_id(),),
            dataset_id=DATASET,
            project_id=JOB,
            plan=(self.plan,),
            after=after,
            through=min(after + STRETCH, SEEDS),
            settings=SETTINGS,
        )
        event = await self.do(command, recorded=recorded)
        assert isinstance(event, EntriesCurated)
        return event

    async def admit(self, after: int, through: int, *, recorded: bool = True) -> EntriesAdmitted:
        command = AdmitEntries(
            job_id=JOB,
            units=(fresh_id(),),
            dataset_id=DATASET,
            after=after,
            through=through,
            wanted=None,
            accepted=self.accepted,
            settings=SETTINGS,
        )
        event = await self.do(command, recorded=recorded)
        assert isinstance(event, EntriesAdmitted)
        self.accepted += len(event.accepted) if recorded else 0
        return event

    async def close(self) -> DatasetCompleted:
        command = CloseDataset(
            job_id=JOB,
            units=(fresh_id(),),
            dataset_id=DATASET,
            project_id=JOB,
            plan=(self.plan,),
            head=len(await self.store.marks(DATASET)),
            settings=SETTINGS,
            ending="seeds_used_up",
            counts=Counts(),
            rejected={},
            failed={},
            skipped={},
        )
        event = await self.do(command, recorded=False)
        assert isinstance(event, DatasetCompleted)
        return event


@pytest.fixture
async def job() -> Job:
    store, blobs = MemoryStore(datetime(2026, 1, 1, tzinfo=UTC)), MemoryBlobs()
    sections = [section(number) for number in range(SEEDS)]
    text = "".join(sections)
    ref = await blobs.put("default", "text", text.encode(), "text/plain")
    document = PlannedDocument(
        document_id=DOCUMENT,
        name="stations.md",
        title="Stations",
        language="en",
        outline=(),
        summary="",
        text=ref,
    )
    seeds = _seeds(sections)
    plan = await keep_plan(
        blobs, "default", 0, [PlanPage(first=0, documents=(document,), seeds=tuple(seeds))]
    )
    made = [_answered(seed, text) for seed in seeds]
    await store.keep([body for _, body in made])
    events = tuple(NewEvent(id=event.unit_id, event=event) for event, _ in made)
    await store.append([Append(JOB, "generation", "default", events)])
    found = Job(store, blobs, plan)
    found.another_worker()
    return found


def _seeds(sections: Sequence[str]) -> list[Seed]:
    seeds, at = [], 0
    for index, passage in enumerate(sections):
        seeds.append(
            Seed(
                index=index,
                round=1,
                sample=0,
                document_id=DOCUMENT,
                chunk_id=uuid5(DOCUMENT, str(index)),
                chunk_index=index,
                start=at,
                end=at + len(passage),
                heading_path=("Stations", passage.partition("\n")[0][3:]),
                page=None,
                slots=(Slot(), Slot()),
            )
        )
        at += len(passage)
    return seeds


def _answered(seed: Seed, text: str) -> tuple[EntriesGenerated, Body]:
    """Three entries to a passage; of every fifth passage the last says what the one before it says."""
    unit = seed_unit(JOB, seed.index)
    sentences = ["The " + each for each in text[seed.start : seed.end].split("The ")[1:4]]
    entries = []
    for n in range(3):
        quote = sentences[1 if n and not seed.index % 5 else n].strip()
        start = text.index(quote)
        subject = quote.partition(" was ")[0]
        content = QuestionAnswer(
            evidence=(Evidence(quote=quote, start=start, end=start + len(quote)),),
            question=f"By whom was {subject[0].lower()}{subject[1:]} made after the great flood?",
            answer=quote,
            kind="fact",
            difficulty="easy",
        )
        entries.append(BodyEntry(entry_id=entry_id(unit, 0, n), content=content))
    body = Body(
        body_id=uuid5(unit, "body"),
        kind="entries",
        text=EntriesBody(entries=tuple(entries)).model_dump_json(),
        documents=(DOCUMENT,),
    )
    event = EntriesGenerated(
        dataset_id=DATASET,
        unit_id=unit,
        seed=seed.index,
        round=1,
        sample=0,
        document_id=DOCUMENT,
        chunk_id=seed.chunk_id,
        entries=tuple(
            GeneratedEntry(entry_id=entry.entry_id, type="question and answer", difficulty="easy")
            for entry in entries
        ),
        nothing_because=None,
        body=body.body_id,
        call=uuid5(unit, "call"),
        model="openai/simulated",
        prompt=PromptRef(name="default", version=1, hash="a" * 64),
        parameters={},
        response_key="b" * 64,
        usage=Usage(),
    )
    return event, body


async def _whole(job: Job, killed: frozenset[str] = frozenset()) -> tuple[list[Event], Event]:
    """Curate two stretches at a time, admit both, to the end; a new worker takes over where ``killed`` says."""
    said: list[Event] = []
    admitted_to = 0
    for turn, first in enumerate(range(0, SEEDS, 2 * STRETCH)):
        for after in range(first, min(first + 2 * STRETCH, SEEDS), STRETCH):
            if f"curated {turn}" in killed:
                await job.curate(after, recorded=False)
                job.another_worker()
            said.append(await job.curate(after))
        through = len(await job.store.marks(DATASET))
        if f"admitted {turn}" in killed:
            await job.admit(admitted_to, through, recorded=False)
            job.another_worker()
        if f"twice {turn}" in killed:
            await job.admit(admitted_to, through, recorded=False)
        said.append(await job.admit(admitted_to, through))
        admitted_to = through
    if "closed" in killed:
        await job.close()
        job.another_worker()
    return said, await job.close()


async def test_an_index_and_figures_are_the_same_whoever_was_killed(job: Job) -> None:
    said, completed = await _whole(job)
    assert isinstance(completed, DatasetCompleted)
    accepted = {id for each in said if isinstance(each, EntriesAdmitted) for id in each.accepted}
    duplicates = sum(len(each.duplicates) for each in said if isinstance(each, EntriesAdmitted))
    assert len(accepted) > SEEDS
    assert duplicates > 0
    [document] = completed.figures.coverage
    assert document.accepted == len(accepted)
    assert (document.name, document.covered) == ("stations.md", len(accepted))
    assert completed.figures.near_duplicate_share is not None

    for killed in (
        {"closed"},
        {"curated 0", "admitted 1"},
        {"admitted 2", "twice 2"},
        {"curated 1", "admitted 0", "admitted 2", "closed"},
    ):
        other = Job(MemoryStore(job.store.now), job.blobs, job.plan)
        other.another_worker()
        await _copy(job, other)
        assert await _whole(other, frozenset(killed)) == (said, completed), killed


async def _copy(job: Job, other: Job) -> None:
    """The same answers of the model, none of them curated."""
    made = [recorded async for recorded in job.store.stream(JOB)]
    bodies = [
        (recorded.event.body, recorded.event.document_id)
        for recorded in made
        if isinstance(recorded.event, EntriesGenerated)
    ]
    texts = await job.store.bodies([body for body, _ in bodies])
    await other.store.keep(
        [
            Body(body_id=body, kind="entries", text=texts[body], documents=(document,))
            for body, document in bodies
        ]
    )
    events = tuple(NewEvent(id=recorded.id, event=recorded.event) for recorded in made)
    await other.store.append([Append(JOB, "generation", "default", events)])


async def test_an_entry_whose_text_was_erased_is_dropped_and_not_counted(job: Job) -> None:
    [first] = [recorded.event async for recorded in job.store.stream(JOB, 0, 1)]
    assert isinstance(first, EntriesGenerated)
    erased = Job(MemoryStore(job.store.now), job.blobs, job.plan)
    erased.another_worker()
    events = (NewEvent(id=first.unit_id, event=first),)
    await erased.store.append([Append(JOB, "generation", "default", events)])
    curated = await erased.curate(0)
    assert [verdict.found[0].reason for verdict in curated.verdicts] == ["content_erased"] * 3
    admitted = await erased.admit(0, 1)
    assert admitted.accepted == ()
    completed = await erased.close()
    assert completed.figures.quality is None
    assert completed.figures.coverage[0].sentences > SEEDS


def test_what_a_worker_keeps_is_named_by_ids_that_only_its_own_outcome_has() -> None:
    task = Task(Command(job_id=JOB, units=(JOB,)), 0, "default", 1, UUID(int=1), lambda: None)
    again = Task(Command(job_id=JOB, units=(JOB,)), 0, "default", 1, UUID(int=2), lambda: None)
    assert task.event_id(0) != again.event_id(0)
