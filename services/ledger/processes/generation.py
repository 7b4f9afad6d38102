"""What follows in the main job, from the documents it waits for to the files it leaves. Folds nothing."""

from collections.abc import Iterator, Sequence
from math import ceil
from uuid import UUID

from contracts.blob import BlobRef
from contracts.dataset import (
    CloseDataset,
    Ending,
    ExportDataset,
)
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    GenerateEntries,
)
from contracts.generation import (
    ExtendGeneration,
    GenerationRequested,
    PlanDocument,
    PlanGeneration,
)
from contracts.identity import dataset_id, seed_unit, unit_id
from contracts.job import (
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobPaused,
    JobResumed,
    JobStarted,
)
from contracts.message import Command
from services.ledger.processes.decision import Decision
from services.ledger.processes.generation_state import SPACE, GenerationState, counted

PACK = 8
"""Seeds in one command."""
GATHER = 96
"""Units that gather before a second curation is ordered beside one under way."""
MOST_ROUNDS = 4
MOST_CURATING = 2
LEAST_GAIN = 0.05
"""A later round that adds a smaller share than this of what was accepted before is the last."""


def decide(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    *,
    credit: int,
    workers: int,
    documents: Sequence[PlanDocument] | None = None,
    missing: Sequence[int] = (),
    busy: int = 0,
) -> Decision[GenerationState]:
    """What follows from the state as it is.

    ``credit``: units that the tenant's and the house's windows still allow. ``workers``: generate processes alive, at
    least 1. ``documents``: given when asked for. ``missing``: the first seeds from ``state.again`` on that have no
    outcome, where ``state.left`` says that there are any. ``busy``: units without outcome that are not held, counted
    where the job is about to be paused.
    """
    if state.phase == "ended":
        return Decision(state, ended=True)
    if state.fatal is not None:
        code, message = state.fatal
        return Decision(state, events=(JobFailed(code=code, message=message),))
    if state.cancelling and state.phase in ("waiting", "planning", "closed"):
        return Decision(state, events=(JobCancelled(),))
    if state.pause is not None:
        return _rest(state, request, job, busy)
    match state.phase:
        case "waiting" if state.waiting == 0:
            return _plan(state, request, job, documents)
        case "running":
            return _run(state, request, job, credit, workers, missing)
        case "closed" if state.refusal is not None:
            code, message = state.refusal
            return Decision(state, events=(JobFailed(code=code, message=message),))
        case "closed" if state.exported:
            return Decision(state, events=(JobCompleted(),))
        case _:
            return Decision(state)


def _rest(
    state: GenerationState, request: GenerationRequested, job: UUID, busy: int
) -> Decision[GenerationState]:
    """While it is paused a job issues nothing but what settles entries that are there; it rests when nothing is in
    flight any more, in whatever phase that is.
    """
    commands: list[Command] = []
    if state.phase == "running":
        state = _curate(state, request, job, commands)
        state = _admit(state, request, job, commands)
    at_rest = state.pause == "pausing" and not busy and not commands
    return Decision(state, events=(JobPaused(),) if at_rest else (), commands=tuple(commands))


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
        units=(unit_id(job, _again("plan", state)),),
        project_id=request.project_id,
        documents=tuple(documents),
        settings=request.settings,
    )
    return Decision(
        state.model_copy(update={"phase": "planning"}),
        events=(JobStarted(documents=len(documents)),),
        commands=(command,),
    )


def _again(work: str, state: GenerationState) -> str:
    """The name of a piece of work. After a restart it is another, so that what was lost and what is asked again are
    told apart wherever a late word of the first comes in.
    """
    return f"{work}/again/{state.restarts}" if state.restarts else work


def _run(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    credit: int,
    workers: int,
    missing: Sequence[int],
) -> Decision[GenerationState]:
    if state.waiting_for not in (None, SPACE) and state.answered:
        return Decision(state, events=(JobResumed(waited_for=state.waiting_for),))
    wanted = request.settings.entries
    enough = wanted is not None and state.counts.accepted >= wanted
    if enough or state.cancelling:
        state = counted(state, not_needed=state.stop - state.next + state.left).model_copy(
            update={"next": state.stop, "left": 0}
        )
    commands: list[Command] = []
    state = _dispatch(state, request, job, credit, workers, missing, commands)
    state = _curate(state, request, job, commands)
    state = _admit(state, request, job, commands)
    if _idle(state):
        return _after_round(state, request, job)
    return Decision(state, commands=tuple(commands))


def window(state: GenerationState, request: GenerationRequested, workers: int) -> int:
    """Units that may be in flight: calls allowed plus a pack for each worker or a quarter, so that there is work at
    hand while outcomes are on their way; and, where a number of entries is wanted, no more than are likely to be needed
    for it.
    """
    settings = request.settings
    most = settings.concurrency + max(PACK * workers, settings.concurrency // 4)
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
    missing: Sequence[int],
    commands: list[Command],
) -> GenerationState:
    left = state.left or state.stop - state.next
    if not left or state.waiting_for is not None:
        return state
    room = min(window(state, request, workers) - state.counts.in_flight, credit)
    if room <= 0 or (room < PACK // 2 and room < left and state.counts.in_flight):
        return state
    if state.left:
        seeds: Sequence[int] = missing[:room]
        if not seeds:
            return counted(state, not_needed=state.left).model_copy(update={"left": 0})
        update = {"left": state.left - len(seeds), "again": seeds[-1] + 1 if seeds else state.again}
    else:
        seeds = range(state.next, state.next + min(room, left))
        update = {"next": seeds.stop}
    for plan, pack in _packs(state, seeds):
        commands.append(
            GenerateEntries(
                job_id=job,
                units=tuple(_unit(job, seed, state) for seed in pack),
                dataset_id=dataset_id(job),
                plan=plan,
                seeds=pack,
                settings=request.settings,
                share=ceil(request.settings.concurrency / workers),
                restart=state.restarts,
            )
        )
    return counted(state, in_flight=len(seeds)).model_copy(update=update)


def _packs(
    state: GenerationState, seeds: Sequence[int]
) -> Iterator[tuple[BlobRef, tuple[int, ...]]]:
    """Seeds by the plan that they belong to, a pack at a time."""
    for made in state.rounds:
        own = [seed for seed in seeds if made.first <= seed < made.first + made.seeds]
        for first in range(0, len(own), PACK):
            yield made.plan, tuple(own[first : first + PACK])


def _unit(job: UUID, seed: int, state: GenerationState) -> UUID:
    return unit_id(job, _again(f"seed/{seed}", state)) if state.left else seed_unit(job, seed)


def _curate(
    state: GenerationState,
    request: GenerationRequested,
    job: UUID,
    commands: list[Command],
) -> GenerationState:
    if state.curating >= MOST_CURATING:
        return state
    if state.uncurated:
        (after, through), *rest = state.uncurated
        commands.append(_curation(state, request, job, after, through))
        return state.model_copy(
            update={
                "uncurated": tuple(rest),
                "curating": state.curating + 1,
                "curations": state.curations + 1,
            }
        )
    if state.generated_at <= state.curated_to:
        return state
    gathered = state.generated_at - state.curated_to
    if state.curating and gathered < GATHER and state.counts.in_flight:
        return state
    commands.append(_curation(state, request, job, state.curated_to, state.generated_at))
    return state.model_copy(
        update={
            "curated_to": state.generated_at,
            "curating": state.curating + 1,
            "curations": state.curations + 1,
        }
    )


def _curation(
    state: GenerationState, request: GenerationRequested, job: UUID, after: int, through: int
) -> CurateEntries:
    return CurateEntries(
        job_id=job,
        units=(unit_id(job, f"curate/{state.curations}"),),
        dataset_id=dataset_id(job),
        project_id=state.project_id,
        plan=tuple(made.plan for made in state.rounds),
        after=after,
        through=through,
        settings=request.settings,
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
        and not state.left
        and not state.uncurated
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
        units=(unit_id(job, _again(f"extend/{len(state.rounds) + 1}", state)),),
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
        units=(unit_id(job, _again("close", state)),),
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
    closing = state.model_copy(update={"phase": "closing", "ending": ending})
    if ending == "cancelled":
        return Decision(closing, commands=(command,))
    return Decision(closing, commands=(command, _export(state, request, job)))


def _export(state: GenerationState, request: GenerationRequested, job: UUID) -> ExportDataset:
    """The files of a dataset need its entries only, so they are written while its figures are computed."""
    return ExportDataset(
        job_id=job,
        units=(unit_id(job, _again(f"export/{request.settings.format}", state)),),
        dataset_id=dataset_id(job),
        head=state.dataset_head,
        plan=tuple(made.plan for made in state.rounds),
        format=request.settings.format,
        batch_size=request.settings.batch_size,
        source_job_id=job,
        name=request.name or "",
        output_dir=request.settings.output_dir,
    )
