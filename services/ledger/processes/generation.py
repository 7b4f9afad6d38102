"""The main job, from the documents it waits for to the files it leaves.

The state holds counters and a range of seeds, at most 2 KB whether the job has ten chunks or ten million; what is in
flight stands in the table ``work``. The equations of ``contracts.dataset.Counts`` hold after every event.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef
from contracts.dataset import (
    CloseDataset,
    Counts,
    DatasetCompleted,
    DatasetExported,
    Ending,
    ExportDataset,
)
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
)
from contracts.generation import (
    ExtendGeneration,
    GenerationExtended,
    GenerationPlanned,
    GenerationRequested,
    PlanDocument,
    PlanGeneration,
)
from contracts.identity import dataset_id, seed_unit, unit_id
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCompleted,
    JobFailed,
    JobResumed,
    JobStarted,
    JobWaiting,
)
from contracts.message import Command, Event, Message, Recorded, wire_type
from contracts.unit import UnitFailed
from services.ledger.processes.decision import Decision

PACK = 8
"""Seeds in one command."""
MOST_ROUNDS = 4
MOST_CURATING = 2
LEAST_GAIN = 0.05
"""A later round that adds a smaller share than this of what was accepted before is the last."""
MOST_CODES = 12
"""Failure codes counted by name; rarer ones are counted as ``other``."""

Phase = Literal[
    "waiting",  # for documents
    "planning",
    "running",
    "extending",  # a further round is being planned
    "closing",
    "closed",
    "exporting",
    "exported",
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
    ending: Ending | None = None
    extended: bool = False
    """The last attempt at a further round found something to ask."""
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
            return _count(state, in_flight=-1, done=1, generated=made, awaiting=made).model_copy(
                update={"generated_at": recorded.version, "answered": True}
            )
        case UnitFailed() as event:
            return _failed(state, event)
        case EntriesCurated() as event:
            return _curated(state, event, recorded.version)
        case EntriesAdmitted() as event:
            return _admitted(state, event, recorded.version)
        case JobCancelling():
            return state.model_copy(update={"cancelling": True})
        case JobWaiting() as event:
            return state.model_copy(update={"waiting_for": event.waiting_for, "answered": False})
        case JobResumed():
            return state.model_copy(update={"waiting_for": None})
        case DatasetCompleted():
            return state.model_copy(update={"phase": "closed", "dataset_head": recorded.version})
        case DatasetExported():
            return state.model_copy(update={"phase": "exported"})
        case JobCompleted() | JobFailed() | JobCancelled():
            return state.model_copy(update={"phase": "ended"})
        case _:
            return state


def _count(state: GenerationState, **changes: int) -> GenerationState:
    counts = state.counts
    update = {name: getattr(counts, name) + change for name, change in changes.items()}
    return state.model_copy(update={"counts": counts.model_copy(update=update)})


def _with_round(
    state: GenerationState, plan: BlobRef, first: int, seeds: int, asked: int
) -> GenerationState:
    made = Round(plan=plan, first=first, seeds=seeds, accepted_before=state.counts.accepted)
    return _count(state, seeds=seeds).model_copy(
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
    if event.command != wire_type(GenerateEntries):
        return state.model_copy(update={"fatal": fatal})
    code = event.code
    if code == "cancelled":
        return _count(state, in_flight=-1, not_needed=1)
    if code not in state.failed and len(state.failed) >= MOST_CODES:
        code = "other"
    failed = state.failed | {code: state.failed.get(code, 0) + 1}
    return _count(state, in_flight=-1, failed=1).model_copy(
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
    return _count(state, rejected=len(dropped), awaiting=-len(dropped)).model_copy(
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
    return _count(
        state,
        accepted=len(event.accepted),
        rejected=len(event.duplicates),
        surplus=len(event.surplus),
        awaiting=-judged,
    ).model_copy(update={"admitting": False, "dataset_head": version, "rejected": rejected})


def decide(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    *,
    credit: int,
    workers: int,
    documents: Sequence[PlanDocument] | None = None,
) -> Decision[GenerationState]:
    """What follows from the state as it is.

    ``credit``: units that the tenant's and the house's windows still allow. ``workers``: generate processes alive, at
    least 1. ``documents``: given when asked for.
    """
    if state.phase == "ended":
        return Decision(state, ended=True)
    if state.fatal is not None:
        code, message = state.fatal
        return Decision(state, events=(JobFailed(code=code, message=message),))
    if state.cancelling and state.phase in ("waiting", "planning", "closed", "exporting"):
        return Decision(state, events=(JobCancelled(),))
    match state.phase:
        case "waiting" if state.waiting == 0:
            return _plan(state, request, job, documents)
        case "running":
            return _run(state, request, job, credit, workers)
        case "closed":
            return _export(state, request, job)
        case "exported":
            return Decision(state, events=(JobCompleted(),))
        case _:
            return Decision(state)


def _plan(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    documents: Sequence[PlanDocument] | None,
) -> Decision[GenerationState]:
    if documents is None:
        return Decision(state, needs_documents=True)
    if not any(document.chunks for document in documents):
        message = f"No chunks found for project {request.project_id}"
        return Decision(state, events=(JobFailed(code="no_chunks", message=message),))
    command = PlanGeneration(
        job_id=job,
        units=(unit_id(job, "plan"),),
        project_id=request.project_id,
        documents=tuple(documents),
        settings=request.settings,
    )
    return Decision(
        state.model_copy(update={"phase": "planning"}),
        events=(JobStarted(documents=len(documents)),),
        commands=(command,),
    )


def _run(
    state: GenerationState, request: GenerationRequested, job: UUID, credit: int, workers: int
) -> Decision[GenerationState]:
    if state.waiting_for is not None and state.answered:
        return Decision(state, events=(JobResumed(waited_for=state.waiting_for),))
    wanted = request.settings.entries
    enough = wanted is not None and state.counts.accepted >= wanted
    if enough or state.cancelling:
        state = _count(state, not_needed=state.stop - state.next).model_copy(
            update={"next": state.stop}
        )
    commands: list[Command] = []
    state = _dispatch(state, request, job, credit, workers, commands)
    state = _curate(state, request, job, commands)
    state = _admit(state, request, job, commands)
    if _idle(state):
        return _after_round(state, request, job)
    return Decision(state, commands=tuple(commands))


def window(state: GenerationState, request: GenerationRequested, workers: int) -> int:
    """Units that may be in flight: calls allowed plus a pack for each worker, and, where a number of entries is
    wanted, no more than are likely to be needed for it.
    """
    settings = request.settings
    most = settings.concurrency + PACK * workers
    if settings.entries is None:
        return most
    counts = state.counts
    judged = counts.accepted + counts.rejected
    kept = counts.accepted / judged if judged >= PACK else 0.8
    made = counts.generated / counts.done if counts.done >= PACK else state.asked / state.stop
    missing = settings.entries - counts.accepted - counts.awaiting * kept
    if missing < 1 and counts.awaiting:
        return 0  # what is being judged may well be enough
    return min(most, ceil(max(missing, 0) / max(made * kept, 0.05)))


def _dispatch(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    credit: int,
    workers: int,
    commands: list[Command],
) -> GenerationState:
    left = state.stop - state.next
    if not left or state.waiting_for is not None:
        return state
    room = min(window(state, request, workers) - state.counts.in_flight, credit)
    if room <= 0 or (room < PACK // 2 and room < left and state.counts.in_flight):
        return state
    stop = state.next + min(room, left)
    for first in range(state.next, stop, PACK):
        seeds = tuple(range(first, min(first + PACK, stop)))
        commands.append(
            GenerateEntries(
                job_id=job,
                units=tuple(seed_unit(job, seed) for seed in seeds),
                dataset_id=dataset_id(job),
                plan=state.rounds[-1].plan,
                seeds=seeds,
                settings=request.settings,
                share=ceil(request.settings.concurrency / workers),
            )
        )
    return _count(state, in_flight=stop - state.next).model_copy(update={"next": stop})


def _curate(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    commands: list[Command],
) -> GenerationState:
    if state.generated_at <= state.curated_to or state.curating >= MOST_CURATING:
        return state
    gathered = state.generated_at - state.curated_to
    if state.curating and gathered < 4 * PACK and state.counts.in_flight:
        return state
    commands.append(
        CurateEntries(
            job_id=job,
            units=(unit_id(job, f"curate/{state.curations}"),),
            dataset_id=dataset_id(job),
            project_id=state.project_id,
            plan=tuple(made.plan for made in state.rounds),
            after=state.curated_to,
            through=state.generated_at,
            settings=request.settings,
        )
    )
    return state.model_copy(
        update={
            "curated_to": state.generated_at,
            "curating": state.curating + 1,
            "curations": state.curations + 1,
        }
    )


def _admit(
    state: GenerationState, request: GenerationRequested, job: UUID, commands: list[Command]
) -> GenerationState:
    if state.admitting or state.curated_at <= state.admitted_to:
        return state
    commands.append(
        AdmitEntries(
            job_id=job,
            units=(unit_id(job, f"admit/{state.admissions}"),),
            dataset_id=dataset_id(job),
            after=state.admitted_to,
            through=state.curated_at,
            wanted=request.settings.entries,
            accepted=state.counts.accepted,
            settings=request.settings,
        )
    )
    return state.model_copy(
        update={
            "admitted_to": state.curated_at,
            "admitting": True,
            "admissions": state.admissions + 1,
        }
    )


def _idle(state: GenerationState) -> bool:
    return (
        state.next == state.stop
        and not state.counts.in_flight
        and not state.curating
        and not state.admitting
        and state.curated_to >= state.generated_at
        and state.admitted_to >= state.curated_at
    )


def _after_round(
    state: GenerationState, request: GenerationRequested, job: UUID
) -> Decision[GenerationState]:
    counts = state.counts
    if state.rounds and not counts.done and counts.failed and not state.cancelling:
        code = max(state.failed, key=lambda name: state.failed[name])
        message = f"All {counts.failed} model calls failed, most of them with {code}."
        return Decision(state, events=(JobFailed(code=code, message=message),))
    ending = _ending(state, request)
    if ending is not None:
        return _close(state, request, job, ending)
    wanted = request.settings.entries or 0
    command = ExtendGeneration(
        job_id=job,
        units=(unit_id(job, f"extend/{len(state.rounds) + 1}"),),
        dataset_id=dataset_id(job),
        project_id=state.project_id,
        round=len(state.rounds) + 1,
        first=state.stop,
        plan=state.rounds[0].plan,
        later=tuple(made.plan for made in state.rounds[1:]),
        settings=request.settings,
        dataset_head=state.dataset_head,
        wanted=wanted - counts.accepted,
    )
    return Decision(state.model_copy(update={"phase": "extending"}), commands=(command,))


def _ending(state: GenerationState, request: GenerationRequested) -> Ending | None:
    """Why the job generates no more; None: a further round is worth its calls."""
    accepted = state.counts.accepted
    wanted = request.settings.entries
    if state.cancelling:
        return "cancelled"
    if wanted is None:
        return "seeds_used_up"
    if accepted >= wanted:
        return "enough"
    if not state.extended:
        return "exhausted"
    before = state.rounds[-1].accepted_before
    if not accepted or (len(state.rounds) > 1 and accepted - before < LEAST_GAIN * before):
        return "exhausted"
    return "rounds_used_up" if len(state.rounds) >= MOST_ROUNDS else None


def _close(
    state: GenerationState, request: GenerationRequested, job: UUID, ending: Ending
) -> Decision[GenerationState]:
    command = CloseDataset(
        job_id=job,
        units=(unit_id(job, "close"),),
        dataset_id=dataset_id(job),
        project_id=state.project_id,
        plan=tuple(made.plan for made in state.rounds),
        head=state.dataset_head,
        settings=request.settings,
        ending=ending,
        counts=state.counts,
        rejected=state.rejected,
        failed=state.failed,
        skipped=state.skipped,
    )
    return Decision(
        state.model_copy(update={"phase": "closing", "ending": ending}), commands=(command,)
    )


def _export(
    state: GenerationState, request: GenerationRequested, job: UUID
) -> Decision[GenerationState]:
    command = ExportDataset(
        job_id=job,
        units=(unit_id(job, f"export/{request.settings.format}"),),
        dataset_id=dataset_id(job),
        head=state.dataset_head,
        plan=tuple(made.plan for made in state.rounds),
        format=request.settings.format,
        batch_size=request.settings.batch_size,
        source_job_id=job,
        name=request.name or "",
    )
    return Decision(state.model_copy(update={"phase": "exporting"}), commands=(command,))
