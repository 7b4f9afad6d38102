"""The main job as a pure process: given what happened, what follows; and the equations that always hold."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid5

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.dataset import (
    CloseDataset,
    DatasetCompleted,
    DatasetExported,
    DatasetFigures,
    ExportDataset,
)
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    Duplicate,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    Found,
    GeneratedEntry,
    GenerateEntries,
    PromptRef,
    Usage,
    Verdict,
)
from contracts.generation import (
    ExtendGeneration,
    GenerationExtended,
    GenerationPlanned,
    GenerationRequested,
    GenerationSettings,
    PlanDocument,
    PlanGeneration,
)
from contracts.identity import GRISTMILL, dataset_id
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCompleted,
    JobFailed,
    JobRestarted,
    JobStarted,
    JobWaiting,
)
from contracts.message import Command, Event, Recorded, wire_type
from contracts.unit import UnitFailed
from services.ledger.processes import generation, generation_state
from services.ledger.processes.generation import PACK
from services.ledger.processes.generation_state import GenerationState

OF_DATASET = {"EntriesCurated", "EntriesAdmitted", "DatasetCompleted", "DatasetExported"}
JOB = uuid5(GRISTMILL, "job")
DATASET = dataset_id(JOB)
PROJECT = uuid5(GRISTMILL, "project")
BLOB = BlobRef(kind="plan", sha256="a" * 64, size=1)
DOCUMENT = PlanDocument(
    document_id=uuid5(GRISTMILL, "document"),
    name="a.md",
    language="en",
    text=BLOB,
    structure=BLOB,
    table=BLOB,
    chunks=3,
)
FIGURES = DatasetFigures(
    quality=None, evidence_resolved=None, near_duplicate_share=None, coverage=(),
    coverage_gini=None, retrieval_mrr=None, commonest_opening=None, commonest_opening_share=None,
    opening_entropy=None, kinds={}, difficulties={}, categories={}, answer_words=None,
)  # fmt: skip


def asked(**given_settings: object) -> GenerationRequested:
    return GenerationRequested(
        project_id=PROJECT, settings=GenerationSettings.model_validate(given_settings)
    )


class Job:
    """A job with its two streams, told what happened and asked what follows, as the ledger's turn does it."""

    def __init__(self, request: GenerationRequested, *, waiting: int = 0) -> None:
        self.request = request
        self.state = generation_state.start(request, documents=1, waiting=waiting)
        self.versions = {"job": 1, "dataset": 0}
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.credit = 4096
        self.id = JOB
        self.busy = 0
        """Units that somebody may be doing, as the table of work has it."""

    def hear(self, event: Event) -> "Job":
        stream = "dataset" if type(event).__name__ in OF_DATASET else "job"
        self.versions[stream] += 1
        recorded = Recorded[Event](
            event=event, id=JOB, stream=JOB, version=self.versions[stream], position="1.1",
            tenant="default", job_id=JOB, cause_id=None, recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        self.events.append(event)
        self.state = generation_state.evolve(self.state, recorded)
        return self

    def missing(self) -> list[int]:
        done = {event.seed for event in self.events if isinstance(event, EntriesGenerated)}
        return [seed for seed in range(self.state.again, self.state.next) if seed not in done]

    def restart(self) -> "Job":
        """Go on, as the ledger lets a job go on: with what its log says."""
        curated = [(e.after, e.through) for e in self.events if isinstance(e, EntriesCurated)]
        admitted = [e.through for e in self.events if isinstance(e, EntriesAdmitted)]
        return self.hear(
            JobRestarted(
                restart=self.state.restarts + 1,
                failed=self.state.counts.failed,
                planned=bool(self.state.rounds),
                uncurated=generation_state.gaps(curated, self.state.curated_to),
                admitted_to=max(admitted, default=0),
            )
        )

    def decide(self) -> "list[Command]":
        """Ask until nothing more follows; return the commands of this turn."""
        issued: list[Command] = []
        documents = None
        while True:
            decision = generation.decide(
                self.state, self.request, self.id, credit=self.credit, workers=1,
                documents=documents, missing=self.missing(), busy=self.busy + len(issued),
            )  # fmt: skip
            self.state = decision.state
            if decision.needs_documents:
                documents = [DOCUMENT]
                continue
            issued += decision.commands
            if decision.ended or not decision.events:
                self.commands += issued
                return issued
            for event in decision.events:
                self.hear(event)


def planned(seeds: int, asked_for: int | None = None) -> GenerationPlanned:
    return GenerationPlanned(
        dataset_id=DATASET, plan=BLOB, first=0, seeds=seeds, asked=asked_for or 3 * seeds,
        chunks=seeds, skipped={}, documents=1,
    )  # fmt: skip


def generated(unit: UUID, seed: int, entries: int) -> EntriesGenerated:
    return EntriesGenerated(
        dataset_id=DATASET, unit_id=unit, seed=seed, round=1, sample=0, document_id=PROJECT,
        chunk_id=PROJECT,
        entries=tuple(
            GeneratedEntry(entry_id=uuid5(unit, str(n)), type="question and answer", difficulty="easy")
            for n in range(entries)
        ),
        nothing_because=None, body=unit, call=unit, model="builtin/extractive",
        prompt=PromptRef(name="p", version=1, hash="b" * 64), parameters={}, response_key="c" * 64,
        usage=Usage(),
    )  # fmt: skip


def failed(
    unit: UUID, code: str, command: type[Command] = GenerateEntries, *, fatal: bool = False
) -> UnitFailed:
    return UnitFailed(
        unit_id=unit, command=wire_type(command), code=code, message=code, fatal=fatal
    )


def verdict(entry: UUID, *, passed: bool) -> Verdict:
    found = () if passed else (Found(reason="ungrounded", detail="x"),)
    return Verdict(
        entry_id=entry, unit_id=entry, seed=0, passed=passed, found=found, quality=1, quality_parts={},
        category="", kind="fact", difficulty="easy", signature=None,
    )  # fmt: skip


def closing(job: Job) -> CloseDataset:
    """The command with which the job's dataset closes."""
    return next(command for command in job.commands if isinstance(command, CloseDataset))


def completed(command: CloseDataset) -> DatasetCompleted:
    return DatasetCompleted(
        dataset_id=DATASET,
        ending=command.ending,
        wanted=None,
        missing=0,
        counts=command.counts,
        rejected_by_reason={},
        failed_by_code={},
        skipped={},
        figures=FIGURES,
    )


EXPORTED = DatasetExported(
    dataset_id=DATASET, format="jsonl", batch_size=50, head=1, files=(), entries=0
)


def close(job: Job) -> None:
    """Answer the commands with which a job ends."""
    job.hear(completed(closing(job)))
    if isinstance(job.commands[-1], ExportDataset):
        job.hear(EXPORTED)
    job.decide()


def test_a_job_whose_documents_are_chunked_is_planned_at_once() -> None:
    job = Job(asked())

    commands = job.decide()

    assert [type(command) for command in commands] == [PlanGeneration]
    assert job.events == [JobStarted(documents=1)]


def test_a_job_waits_for_its_documents() -> None:
    job = Job(asked(), waiting=1)
    assert job.decide() == []

    job.state = generation_state.settled(job.state)

    assert [type(command) for command in job.decide()] == [PlanGeneration]


def test_a_plan_is_dispatched_in_packs_up_to_the_window() -> None:
    job = Job(asked(concurrency=16)).hear(planned(100))

    packs = [command for command in job.decide() if isinstance(command, GenerateEntries)]

    assert [len(pack.seeds) for pack in packs] == [PACK] * 3
    assert job.state.counts.in_flight == 16 + PACK
    assert packs[0].seeds == tuple(range(PACK))
    assert packs[0].share == 16


def test_the_window_is_refilled_as_outcomes_come() -> None:
    job = Job(asked(concurrency=16)).hear(planned(100))
    packs = [command for command in job.decide() if isinstance(command, GenerateEntries)]

    for unit, seed in zip(packs[0].units, packs[0].seeds, strict=True):
        job.hear(generated(unit, seed, 1))
    commands = job.decide()

    assert [type(command).__name__ for command in commands] == [
        "GenerateEntries",
        "CurateEntries",
    ]
    assert job.state.counts.in_flight == 16 + PACK


def test_no_more_is_dispatched_than_the_wanted_entries_are_likely_to_need() -> None:
    job = Job(asked(concurrency=64, entries=10)).hear(planned(1000, 3000))

    units = sum(len(c.units) for c in job.decide() if isinstance(c, GenerateEntries))

    assert 4 <= units <= 8


def test_when_enough_is_accepted_the_rest_of_the_seeds_is_not_needed() -> None:
    job = Job(asked(entries=1, concurrency=1)).hear(planned(50))
    pack = job.decide()[0]
    assert isinstance(pack, GenerateEntries)
    for unit, seed in zip(pack.units, pack.seeds, strict=True):
        job.hear(generated(unit, seed, 1))
    job.decide()
    entries = [uuid5(unit, "0") for unit in pack.units]
    job.hear(EntriesCurated(dataset_id=DATASET, after=0, through=job.state.curated_to,
        verdicts=tuple(verdict(entry, passed=True) for entry in entries)))  # fmt: skip
    job.decide()
    job.hear(EntriesAdmitted(dataset_id=DATASET, after=0, through=1, accepted=tuple(entries[:1]),
        duplicates=(), surplus=tuple(entries[1:])))  # fmt: skip

    command, export = job.decide()

    assert isinstance(command, CloseDataset)
    assert isinstance(export, ExportDataset)
    assert command.ending == "enough"
    assert command.counts.not_needed == 50 - len(pack.units)
    close(job)
    assert isinstance(job.events[-1], JobCompleted)


def test_the_files_are_asked_for_in_the_folder_that_the_request_names() -> None:
    job = Job(asked(output_dir="a/b")).hear(planned(0, 0))

    [export] = [command for command in job.decide() if isinstance(command, ExportDataset)]

    assert export.output_dir == "a/b"


def test_a_fatal_failure_ends_the_job_with_its_reason() -> None:
    job = Job(asked(model="openai/gpt")).hear(planned(50))
    pack = job.decide()[0]

    job.hear(failed(pack.units[0], "auth", fatal=True))

    assert job.decide() == []
    assert job.events[-1] == JobFailed(code="auth", message="auth")
    assert job.state.phase == "ended"


def test_while_a_model_is_away_nothing_new_is_started() -> None:
    job = Job(asked(concurrency=8)).hear(planned(100))
    first = job.decide()[0]
    job.hear(JobWaiting(waiting_for="openai/gpt", reason="connection refused"))
    job.hear(failed(first.units[0], "timeout"))
    assert job.decide() == []

    for n in range(1, 6):
        job.hear(generated(first.units[n], n, 1))

    assert any(isinstance(command, GenerateEntries) for command in job.decide())
    assert job.state.waiting_for is None


def test_cancelling_starts_nothing_and_finishes_what_is_in_flight() -> None:
    job = Job(asked(concurrency=8)).hear(planned(100))
    packs = [command for command in job.decide() if isinstance(command, GenerateEntries)]
    job.hear(JobCancelling())
    assert not any(isinstance(command, GenerateEntries) for command in job.decide())
    assert job.state.counts.not_needed == 100 - 16

    for pack in packs:
        for unit in pack.units:
            job.hear(failed(unit, "cancelled"))
    job.decide()
    close(job)

    assert type(job.events[-1]).__name__ == "JobCancelled"
    assert job.state.counts.not_needed == 100
    assert not job.state.counts.failed


def test_a_restarted_job_asks_again_only_what_has_no_outcome() -> None:
    job = Job(asked(concurrency=8)).hear(planned(100))
    first, second = (each for each in job.decide() if isinstance(each, GenerateEntries))
    job.hear(generated(first.units[0], 0, 1)).hear(failed(first.units[1], "timeout"))
    job.hear(failed(second.units[0], "auth", fatal=True))
    job.decide()
    assert isinstance(job.events[-1], JobFailed)

    job.restart()
    commands = job.decide()

    packs = [each for each in commands if isinstance(each, GenerateEntries)]
    assert [seed for pack in packs for seed in pack.seeds] == list(range(1, 16))
    assert {pack.restart for pack in packs} == {1}
    assert not {u for pack in packs for u in pack.units} & {*first.units, *second.units}
    check_equations(job.state)
    assert (job.state.counts.done, job.state.counts.failed) == (1, 0)


def test_a_cancelled_dataset_is_reopened_and_closes_again() -> None:
    job = Job(asked(concurrency=8)).hear(planned(2))
    job.decide()
    job.hear(JobCancelling())
    for unit in job.commands[-1].units:
        job.hear(failed(unit, "cancelled"))
    job.decide()
    close(job)

    pack = job.restart().decide()[0]
    assert isinstance(pack, GenerateEntries)
    assert pack.seeds == (0, 1)
    for unit, seed in zip(pack.units, pack.seeds, strict=True):
        job.hear(generated(unit, seed, 0))
    job.commands.clear()
    issued = job.decide()
    while not any(isinstance(each, CloseDataset) for each in issued):
        for command in issued:
            if isinstance(command, CurateEntries):
                job.hear(EntriesCurated(dataset_id=DATASET, after=command.after,
                    through=command.through, verdicts=()))  # fmt: skip
            elif isinstance(command, AdmitEntries):
                job.hear(EntriesAdmitted(dataset_id=DATASET, after=command.after,
                    through=command.through, accepted=(), duplicates=(), surplus=()))  # fmt: skip
        issued = job.decide()
    assert closing(job).ending == "seeds_used_up"
    close(job)
    ends = [event for event in job.events if isinstance(event, JobCompleted | JobCancelled)]
    assert ends == [JobCancelled(), JobCompleted()]


def test_a_format_that_cannot_hold_the_entries_fails_the_job_and_keeps_its_dataset() -> None:
    job = Job(asked(concurrency=1)).hear(planned(0))
    job.decide()
    assert [type(command).__name__ for command in job.commands] == ["CloseDataset", "ExportDataset"]

    job.hear(failed(job.commands[1].units[0], "format_cannot_hold", ExportDataset))
    assert job.decide() == []
    assert job.state.phase == "closing"
    job.hear(completed(closing(job)))
    job.decide()

    assert job.events[-1] == JobFailed(code="format_cannot_hold", message="format_cannot_hold")


def test_a_job_whose_calls_all_fail_fails_with_the_commonest_code() -> None:
    job = Job(asked(concurrency=2)).hear(planned(2))
    pack = job.decide()[0]
    for unit in pack.units:
        job.hear(failed(unit, "malformed"))

    job.decide()

    last = job.events[-1]
    assert isinstance(last, JobFailed)
    assert last.code == "malformed"


def check_equations(state: GenerationState) -> None:
    counts = state.counts
    waiting = state.stop - state.next + state.left
    assert (
        counts.seeds == counts.done + counts.failed + counts.in_flight + counts.not_needed + waiting
    )
    assert counts.generated == counts.accepted + counts.rejected + counts.surplus + counts.awaiting
    assert all(value >= 0 for value in counts.model_dump().values())
    assert sum(state.rejected.values()) == counts.rejected


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_course_of_a_job_keeps_the_equations_and_ends_once(data: st.DataObject) -> None:
    wanted = data.draw(st.none() | st.integers(1, 60))
    job = Job(asked(concurrency=data.draw(st.integers(1, 24)), entries=wanted))
    job.decide()
    open_commands: list[Command] = []
    job.hear(planned(data.draw(st.integers(0, 60))))
    open_units: list[tuple[Command, int]] = []
    cancelled, restarts = False, data.draw(st.integers(0, 2))
    for _ in range(2000):
        for command in job.decide():
            if isinstance(command, GenerateEntries):
                open_units += [(command, n) for n in range(len(command.units))]
            elif isinstance(
                command,
                ExtendGeneration | CurateEntries | AdmitEntries | CloseDataset | ExportDataset,
            ):
                open_commands.append(command)
        check_equations(job.state)
        if job.state.phase == "ended":
            if isinstance(job.events[-1], JobCompleted) or not restarts:
                break
            # What was in flight when it ended is late from now on: nobody folds it.
            restarts, cancelled = restarts - 1, False
            open_units.clear()
            open_commands.clear()
            job.restart()
            continue
        if not cancelled and data.draw(st.integers(0, 40)) == 0:
            cancelled = True
            job.hear(JobCancelling())
            continue
        place = data.draw(st.integers(0, len(open_units) + len(open_commands) - 1))
        if place < len(open_units):
            command, n = open_units.pop(place)
            assert isinstance(command, GenerateEntries)
            if data.draw(st.booleans()):
                job.hear(
                    generated(command.units[n], command.seeds[n], data.draw(st.integers(0, 4)))
                )
            else:
                code = data.draw(st.sampled_from(["timeout", "malformed", "auth"]))
                fatal = code == "auth" and data.draw(st.integers(0, 5)) == 0
                job.hear(failed(command.units[n], code, fatal=fatal))
            continue
        answer(job, open_commands.pop(place - len(open_units)), Drawn(data))
    assert job.state.phase == "ended"
    terminal = [e for e in job.events if isinstance(e, JobCompleted | JobFailed | JobCancelled)]
    assert len(terminal) == 1 + job.state.restarts
    assert len(orjson.dumps(job.state.model_dump(mode="json"))) <= 2048
    units = [unit for command in job.commands for unit in command.units]
    assert len(units) == len(set(units))
    seeds = [event.seed for event in job.events if isinstance(event, EntriesGenerated)]
    assert len(seeds) == len(set(seeds)) == job.state.counts.done
    judged = [v.entry_id for e in job.events if isinstance(e, EntriesCurated) for v in e.verdicts]
    assert len(judged) == len(set(judged))
    if isinstance(job.events[-1], JobCompleted):
        assert len(judged) == job.state.counts.generated
        assert not job.state.counts.awaiting
    if wanted is not None:
        assert job.state.counts.accepted <= wanted


def twin(entry: UUID) -> Duplicate:
    return Duplicate(entry_id=entry, of=entry, rule="question", similarity=1)


class Choices(Protocol):
    """What curate and export make of what they are given."""

    def passes(self) -> bool: ...

    def cut(self, most: int) -> int: ...

    def seeds(self) -> int: ...

    def refuses(self) -> bool: ...


class Drawn:
    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def passes(self) -> bool:
        return self._data.draw(st.booleans())

    def cut(self, most: int) -> int:
        return self._data.draw(st.integers(0, most))

    def seeds(self) -> int:
        return self._data.draw(st.integers(0, 10))

    def refuses(self) -> bool:
        return self._data.draw(st.integers(0, 9)) == 0


def answer(job: Job, command: Command, choose: Choices) -> None:
    """Do a command of the curate or export service in some way."""
    match command:
        case CurateEntries():
            entries = [
                entry.entry_id
                for event in job.events
                if isinstance(event, EntriesGenerated)
                and command.after < version_of(job, event) <= command.through
                for entry in event.entries
            ]
            job.hear(EntriesCurated(dataset_id=DATASET, after=command.after, through=command.through,
                verdicts=tuple(verdict(entry, passed=choose.passes()) for entry in entries)))  # fmt: skip
        case AdmitEntries():
            passed = [
                each.entry_id
                for event in job.events
                if isinstance(event, EntriesCurated)
                and command.after < version_of(job, event) <= command.through
                for each in event.verdicts
                if each.passed
            ]
            cut = choose.cut(len(passed))
            room = (
                len(passed) if command.wanted is None else max(0, command.wanted - command.accepted)
            )
            kept, twins = passed[:cut], passed[cut:]
            job.hear(EntriesAdmitted(dataset_id=DATASET, after=command.after, through=command.through,
                accepted=tuple(kept[:room]), surplus=tuple(kept[room:]),
                duplicates=tuple(twin(entry) for entry in twins)))  # fmt: skip
        case ExtendGeneration():
            seeds = choose.seeds()
            job.hear(GenerationExtended(dataset_id=DATASET, round=command.round, plan=BLOB if seeds else None,
                first=command.first, seeds=seeds, asked=seeds, uncovered=seeds))  # fmt: skip
        case CloseDataset():
            job.hear(completed(command))
        case _:
            refused = choose.refuses()
            unit = command.units[0]
            job.hear(failed(unit, "format_cannot_hold", ExportDataset) if refused else EXPORTED)


def version_of(job: Job, wanted: Event) -> int:
    """The version that an event took in its stream."""
    dataset = type(wanted).__name__ in OF_DATASET
    version = 0 if dataset else 1
    for event in job.events:
        if (type(event).__name__ in OF_DATASET) == dataset:
            version += 1
        if event is wanted:
            return version
    raise LookupError
