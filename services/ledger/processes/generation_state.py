"""The state of the main job, folded from its events.

The state holds counters and a range of seeds, at most 2 KB whether the job has ten chunks or ten million; what is in
flight stands in the table ``work``. The equations of ``contracts.dataset.Counts`` hold after every event.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef
from contracts.dataset import (
    Counts,
    DatasetCompleted,
    DatasetExported,
    Ending,
    ExportDataset,
)
from contracts.entries import (
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
)
from contracts.generation import (
    GenerationExtended,
    GenerationPlanned,
    GenerationRequested,
)
from contracts.job import (
    ForkedProgress,
    ForkedRound,
    JobCancelled,
    JobCancelling,
    JobCompleted,
    JobContinued,
    JobFailed,
    JobForked,
    JobPaused,
    JobPausing,
    JobRestarted,
    JobResumed,
    JobWaiting,
)
from contracts.message import Event, Message, Recorded, wire_type
from contracts.unit import UnitFailed

SPACE = "space"
"""What a job waits for while a disk or a queue is nearly full. Only who looks at them can tell that it is over."""
MOST_CODES = 12
"""Failure codes counted by name; rarer ones are counted as ``other``."""

Phase = Literal[
    "waiting",  # for documents
    "planning",
    "running",
    "extending",  # a further round is being planned
    "closing",  # figures and files are being made, side by side
    "closed",  # the figures are there
    "ended",
]


class Round(Message):
    plan: BlobRef
    first: int
    seeds: int
    accepted_before: int


class GenerationState(Message):
    project_id: UUID
    phase: Phase = "waiting"
    cancelling: bool = False
    pause: Literal["pausing", "paused"] | None = None
    documents: int = 0
    waiting: int = 0
    """Documents that are neither chunked nor rejected yet."""
    rounds: tuple[Round, ...] = ()
    asked: int = 0
    next: int = 0
    stop: int = 0
    counts: Counts = Counts()
    generated_at: int = 0
    """Version of the job's stream that last generated;"""
    curated_to: int = 0
    """up to which of them curation was ordered;"""
    curating: int = 0
    curations: int = 0
    curated_at: int = 0
    """version of the dataset's stream that last curated;"""
    admitted_to: int = 0
    """up to which of them admission was ordered;"""
    admitting: bool = False
    admissions: int = 0
    dataset_head: int = 0
    rejected: dict[str, int] = Field(default_factory=dict)
    failed: dict[str, int] = Field(default_factory=dict)
    skipped: dict[str, int] = Field(default_factory=dict)
    fatal: tuple[str, str] | None = None
    exported: bool = False
    refusal: tuple[str, str] | None = None
    """Why the files cannot be written; the dataset is closed all the same."""
    ending: Ending | None = None
    extended: bool = False
    """The last attempt at a further round found something to ask."""
    restarts: int = 0
    left: int = 0
    """Seeds before ``next`` that are to be asked again and were not yet, since the job was restarted;"""
    again: int = 0
    """the first of them is not before this one."""
    uncurated: tuple[tuple[int, int], ...] = ()
    """Stretches of the job's stream whose curation was lost with the job's first end."""
    waiting_for: str | None = None
    answered: bool = False
    """A unit had an outcome since the job began to wait, so waiting has an end."""


def start(request: GenerationRequested, *, documents: int, waiting: int) -> GenerationState:
    """``documents`` could be used or may become so, of which ``waiting`` are not chunked yet."""
    return GenerationState(project_id=request.project_id, documents=documents, waiting=waiting)


def settled(state: GenerationState) -> GenerationState:
    """One of the documents it waited for was chunked or rejected."""
    return state.model_copy(update={"waiting": state.waiting - 1})


def evolve(state: GenerationState, recorded: Recorded[Event]) -> GenerationState:
    """Fold one event. Events that say nothing to this job leave the state as it is."""
    match recorded.event:
        case GenerationPlanned() as event:
            return _with_round(state, event.plan, event.first, event.seeds, event.asked).model_copy(
                update={"skipped": event.skipped}
            )
        case GenerationExtended(plan=BlobRef() as plan) as event if event.seeds:
            return _with_round(state, plan, event.first, event.seeds, event.asked)
        case GenerationExtended():
            return state.model_copy(
                update={"phase": "running", "extended": False, "answered": True}
            )
        case EntriesGenerated() as event:
            made = len(event.entries)
            return counted(state, in_flight=-1, done=1, generated=made, awaiting=made).model_copy(
                update={"generated_at": recorded.version, "answered": True}
            )
        case UnitFailed() as event:
            return _failed(state, event)
        case EntriesCurated() as event:
            return _curated(state, event, recorded.version)
        case EntriesAdmitted() as event:
            return _admitted(state, event, recorded.version)
        case JobCancelling():
            return state.model_copy(update={"cancelling": True, "pause": None})
        case JobPausing():
            return state.model_copy(update={"pause": "pausing"})
        case JobPaused():
            return state.model_copy(update={"pause": "paused"})
        case JobContinued():
            # What it waited for is asked again at once, and says so if it is still away.
            return state.model_copy(update={"pause": None, "waiting_for": None})
        case JobWaiting() as event:
            return state.model_copy(update={"waiting_for": event.waiting_for, "answered": False})
        case JobResumed():
            return state.model_copy(update={"waiting_for": None})
        case DatasetCompleted():
            return state.model_copy(update={"phase": "closed", "dataset_head": recorded.version})
        case DatasetExported():
            return state.model_copy(update={"exported": True})
        case JobCompleted() | JobFailed() | JobCancelled():
            return state.model_copy(update={"phase": "ended", "pause": None})
        case JobRestarted() as event:
            return _restarted(state, event)
        case JobForked() as event:
            return forked(event)
        case _:
            return state


def is_hungry(state: GenerationState) -> bool:
    """It has seeds to dispatch, now or as soon as the windows let it."""
    return state.pause is None and bool(state.next < state.stop or state.left)


def _restarted(state: GenerationState, event: JobRestarted) -> GenerationState:
    """As if the job had not ended, with everything to be done again that has no outcome.

    Seeds before ``next`` are done, or failed, lost, or not needed when it ended: all but the first are asked again.
    """
    counts = state.counts
    left = state.left + counts.failed + counts.in_flight + counts.not_needed
    return state.model_copy(
        update={
            "phase": "running" if event.planned else "waiting",
            "documents": event.documents,
            "waiting": event.waiting,
            "counts": counts.model_copy(update={"failed": 0, "in_flight": 0, "not_needed": 0}),
            "restarts": event.restart,
            "left": left,
            "again": 0,
            "uncurated": event.uncurated,
            "curating": 0,
            "admitting": False,
            "admitted_to": event.admitted_to,
            "failed": {},
            "cancelling": False,
            "pause": None,
            "fatal": None,
            "refusal": None,
            "exported": False,
            "ending": None,
            "waiting_for": None,
            "answered": True,
        }
    )


def forked(event: JobForked) -> GenerationState:
    """A job as it begins: what its parent had is done, all else is asked under its own ids."""
    project, had = event.request.project_id, event.progress
    if had is None:
        return GenerationState(project_id=project, documents=event.documents, waiting=event.waiting)
    seeds = sum(made.seeds for made in had.rounds)
    rejected = sum(had.rejected.values())
    return GenerationState(
        project_id=project,
        phase="running",
        documents=event.documents,
        rounds=tuple(Round(**made.model_dump()) for made in had.rounds),
        asked=had.asked,
        next=seeds,
        stop=seeds,
        left=seeds - had.done,
        counts=Counts(
            seeds=seeds,
            done=had.done,
            generated=had.generated,
            accepted=had.accepted,
            rejected=rejected,
            surplus=had.surplus,
            awaiting=had.generated - had.accepted - rejected - had.surplus,
        ),
        generated_at=had.generated_at,
        curated_to=had.generated_at,
        uncurated=had.uncurated,
        curated_at=had.curated_at,
        admitted_to=had.admitted_to,
        dataset_head=event.dataset_version,
        rejected=had.rejected,
        skipped=had.skipped,
        extended=had.extended,
    )


def progress(
    state: GenerationState, chunks: int, curated: Iterable[tuple[int, int]], admitted_to: int
) -> ForkedProgress:
    """How far a job is, of what its events say; ``state`` may be folded from them alone. The inverse of ``forked``.

    ``curated``: stretches that were judged. ``admitted_to``: the version up to which entries were admitted.
    """
    counts = state.counts
    return ForkedProgress(
        rounds=tuple(ForkedRound(**made.model_dump()) for made in state.rounds),
        asked=state.asked,
        chunks=chunks,
        skipped=state.skipped,
        done=counts.done,
        generated=counts.generated,
        accepted=counts.accepted,
        surplus=counts.surplus,
        rejected=state.rejected,
        extended=state.extended,
        generated_at=state.generated_at,
        uncurated=gaps(curated, state.generated_at),
        curated_at=state.curated_at,
        admitted_to=admitted_to,
    )


def gaps(done: Iterable[tuple[int, int]], through: int) -> tuple[tuple[int, int], ...]:
    """The stretches ``(after, through]`` of ``(0, through]`` that those ``done`` leave out."""
    found, at = [], 0
    for after, until in sorted(done):
        if after > at:
            found.append((at, after))
        at = max(at, until)
    return (*found, (at, through)) if at < through else tuple(found)


def counted(state: GenerationState, **changes: int) -> GenerationState:
    counts = state.counts
    update = {name: getattr(counts, name) + change for name, change in changes.items()}
    return state.model_copy(update={"counts": counts.model_copy(update=update)})


def _with_round(
    state: GenerationState, plan: BlobRef, first: int, seeds: int, asked: int
) -> GenerationState:
    made = Round(plan=plan, first=first, seeds=seeds, accepted_before=state.counts.accepted)
    return counted(state, seeds=seeds).model_copy(
        update={
            "phase": "running",
            "rounds": (*state.rounds, made),
            "next": first,
            "stop": first + seeds,
            "asked": state.asked + asked,
            "extended": True,
            "answered": True,
        }
    )


def _failed(state: GenerationState, event: UnitFailed) -> GenerationState:
    fatal = (event.code, event.message[:500])
    if event.command == wire_type(ExportDataset):
        return state.model_copy(update={"refusal": fatal})
    if event.command != wire_type(GenerateEntries):
        return state.model_copy(update={"fatal": fatal})
    code = event.code
    if code == "cancelled":
        return counted(state, in_flight=-1, not_needed=1)
    if code not in state.failed and len(state.failed) >= MOST_CODES:
        code = "other"
    failed = state.failed | {code: state.failed.get(code, 0) + 1}
    return counted(state, in_flight=-1, failed=1).model_copy(
        update={
            "failed": failed,
            "fatal": fatal if event.fatal else state.fatal,
            "answered": True,
        }
    )


def _curated(state: GenerationState, event: EntriesCurated, version: int) -> GenerationState:
    dropped = [verdict for verdict in event.verdicts if not verdict.passed]
    reasons = Counter(verdict.found[0].reason for verdict in dropped)
    rejected = dict(Counter(state.rejected) + Counter({str(k): v for k, v in reasons.items()}))
    return counted(state, rejected=len(dropped), awaiting=-len(dropped)).model_copy(
        update={
            "curating": state.curating - 1,
            "curated_at": version,
            "dataset_head": version,
            "rejected": rejected,
        }
    )


def _admitted(state: GenerationState, event: EntriesAdmitted, version: int) -> GenerationState:
    judged = len(event.accepted) + len(event.duplicates) + len(event.surplus)
    rejected = dict(Counter(state.rejected) + Counter({"duplicate": len(event.duplicates)}))
    return counted(
        state,
        accepted=len(event.accepted),
        rejected=len(event.duplicates),
        surplus=len(event.surplus),
        awaiting=-judged,
    ).model_copy(update={"admitting": False, "dataset_head": version, "rejected": rejected})
