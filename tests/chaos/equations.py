"""The three equations of every generation job, folded from its events alone, and compared with what was counted.

seeds planned = done + failed + in flight + not needed; generated = accepted + rejected + surplus + awaiting;
wanted = accepted + missing. Nothing here uses the ledger's own fold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from contracts.dataset import Counts, DatasetCompleted, DatasetExported
from contracts.entries import (
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
)
from contracts.generation import GenerationExtended, GenerationPlanned, GenerationRequested
from contracts.job import JobCompleted, JobRestarted
from contracts.message import Event, Recorded, wire_type
from contracts.unit import UnitFailed
from tests.chaos.facts import Facts, Finding

GENERATE = wire_type(GenerateEntries)


@dataclass(slots=True)
class Job:
    """What the events of one job add up to."""

    id: UUID
    wanted: int | None = None
    planned: int = 0
    outcomes: dict[UUID, str] = field(default_factory=dict)
    """Of units that asked a model: ``done``, ``failed`` or ``cancelled``."""
    generated: int = 0
    accepted: int = 0
    surplus: int = 0
    rejected: int = 0
    completed: DatasetCompleted | None = None
    exported: list[DatasetExported] = field(default_factory=list)
    ended_well: bool = False
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, rule: str, what: str) -> None:
        self.findings.append(Finding(rule, f"job {self.id}: {what}"))

    def of(self, outcome: str) -> int:
        return sum(each == outcome for each in self.outcomes.values())


def equations(facts: Facts) -> Iterator[Finding]:
    """Whether the equations hold for each job, and whether its own counts say the same."""
    jobs: dict[UUID, Job] = {}
    for recorded in facts.events:
        if isinstance(recorded.event, GenerationRequested):
            wanted = recorded.event.settings.entries
            jobs[recorded.stream] = Job(recorded.stream, wanted)
        elif recorded.job_id in jobs:
            _add(jobs[recorded.job_id], recorded)
    for job in jobs.values():
        yield from job.findings
        stream = facts.streams.get(job.id)
        state = stream.state if stream is not None else None
        if state is not None and "counts" in state:
            yield from _holds(job, Counts.model_validate(state["counts"]), "its state")
        if job.completed is not None:
            yield from _holds(job, job.completed.counts, "its dataset")
            yield from _wanted(job, job.completed)


def _add(job: Job, recorded: Recorded[Event]) -> None:
    match recorded.event:
        case GenerationPlanned() | GenerationExtended() as event:
            job.planned += event.seeds
        case EntriesGenerated() as event:
            _outcome(job, event.unit_id, "done")
            job.generated += len(event.entries)
        case UnitFailed(command=command) as event if command == GENERATE:
            _outcome(job, event.unit_id, "cancelled" if event.code == "cancelled" else "failed")
        case EntriesCurated() as event:
            job.rejected += sum(not verdict.passed for verdict in event.verdicts)
        case EntriesAdmitted() as event:
            job.accepted += len(event.accepted)
            job.surplus += len(event.surplus)
            job.rejected += len(event.duplicates)
        case JobRestarted():
            job.completed, job.exported = None, []
            job.outcomes = {unit: each for unit, each in job.outcomes.items() if each == "done"}
        case DatasetCompleted() as event:
            job.completed = event
        case DatasetExported() as event:
            job.exported.append(event)
        case JobCompleted():
            job.ended_well = True
    if job.accepted + job.surplus + job.rejected > job.generated:
        job.wrong("more_judged_than_generated", f"at {recorded.position}")
    if len(job.outcomes) > job.planned:
        job.wrong("more_done_than_planned", f"at {recorded.position}")


def _outcome(job: Job, unit: UUID, outcome: str) -> None:
    if unit in job.outcomes:
        job.wrong("two_outcomes", f"unit {unit} {job.outcomes[unit]} and {outcome}")
    job.outcomes[unit] = outcome


def _holds(job: Job, counts: Counts, whose: str) -> Iterator[Finding]:
    """Whether counts are those of the fold, and obey the equations."""

    def wrong(rule: str, what: str) -> Finding:
        return Finding(rule, f"job {job.id}, {whose}: {what}")

    seeds = counts.done + counts.failed + counts.in_flight + counts.not_needed
    if counts.seeds != seeds:
        yield wrong("seeds_equation", f"{counts}")
    made = counts.accepted + counts.rejected + counts.surplus + counts.awaiting
    if counts.generated != made:
        yield wrong("entries_equation", f"{counts}")
    if any(value < 0 for value in counts.model_dump().values()):
        yield wrong("negative_count", f"{counts}")
    if counts.in_flight:
        yield wrong("in_flight_at_the_end", f"{counts.in_flight}")
    folded = {
        "seeds": job.planned,
        "done": job.of("done"),
        "failed": job.of("failed"),
        "generated": job.generated,
        "accepted": job.accepted,
        "rejected": job.rejected,
        "surplus": job.surplus,
    }
    for name, value in folded.items():
        if getattr(counts, name) != value:
            yield wrong("counts_differ", f"{name} is {getattr(counts, name)}, the log has {value}")


def _wanted(job: Job, completed: DatasetCompleted) -> Iterator[Finding]:
    wanted = completed.wanted
    if wanted != job.wanted:
        yield Finding("wanted_equation", f"job {job.id}: {job.wanted} were wanted, not {wanted}")
    if wanted is not None and wanted != job.accepted + completed.missing:
        yield Finding(
            "wanted_equation",
            f"job {job.id}: {wanted} wanted, {job.accepted} accepted, {completed.missing} missing",
        )
    if wanted is not None and job.accepted > wanted:
        yield Finding("more_than_wanted", f"job {job.id}: {job.accepted} of {wanted}")
    if completed.counts.awaiting:
        yield Finding("awaiting_at_the_end", f"job {job.id}: {completed.counts.awaiting}")
    for exported in job.exported:
        written = sum(file.entries for file in exported.files)
        if written != exported.entries or exported.entries != job.accepted:
            yield Finding(
                "export_differs",
                f"job {job.id}: {exported.entries} entries, {written} in files, of {job.accepted}",
            )
    if job.ended_well and not job.exported:
        yield Finding("export_missing", f"job {job.id} completed without files")
