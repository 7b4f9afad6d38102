"""The first seeds of a dataset, each with its prompt, the raw answers and the verdicts. Only reads."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.entries import CallBody
from contracts.generation import Seed
from contracts.identity import seed_unit
from services.gateway.chain import blob_text, call_of, system_of, verdict_of
from services.gateway.deps import Deps
from services.gateway.reading_entries import entry, texts
from services.gateway.shapes import Shape
from services.gateway.views.rows import DatasetRow, DocumentRow, EntryRow, FailureRow, UnitRow


class PreviewedSeed(Shape):
    """One chunk that was asked, with everything that was said about it."""

    seed: int
    document_id: UUID
    file_name: str | None
    chunk_id: UUID
    chunk_index: int
    start: int
    end: int
    page: int | None
    heading_path: list[str]
    status: str
    """``waiting``, ``done`` or ``failed``."""
    passage: str | None
    """None: erased."""
    system: str | None
    user: str | None
    exchanges: list[dict[str, Any]] | None
    """Each raw answer of the model, with what was said to it before."""
    usage: dict[str, Any]
    nothing_because: str | None
    code: str | None
    """Of a failed one: why, for programs,"""
    message: str | None
    """and for people."""
    entries: list[dict[str, Any]]
    """``entry`` and ``verdict``: status, the checks that it failed, quality and its parts."""


class Previewed(Shape):
    dataset_id: UUID
    job_id: UUID
    status: str
    """Of the job."""
    model: str
    chunks: int
    """Of all documents;"""
    useful: int
    """those of them that the whole plan asks."""
    seeds: list[PreviewedSeed]


async def preview(deps: Deps, dataset: DatasetRow, most: int) -> Previewed:
    """What is known of the first ``most`` seeds; those that are not done yet say so."""
    job = await deps.views.job(dataset.job_id)
    plans = await deps.views.plans(dataset.job_id)
    planned = next((plan.seeds for plan in plans if plan.first == 0), 0)
    seeds = await deps.plans.seeds(plans, range(min(most, planned)))
    units = {index: seed_unit(dataset.job_id, index) for index in seeds}
    done = await deps.store.entries.units(set(units.values()))
    failed = await deps.store.entries.failed(units.values())
    rows = await deps.store.entries.of_seeds(dataset.dataset_id, list(seeds))
    documents = await deps.views.some_documents({seed.document_id for seed in seeds.values()})
    return Previewed(
        dataset_id=dataset.dataset_id,
        job_id=dataset.job_id,
        status=job.status if job else "completed",
        model=dataset.model,
        chunks=dataset.chunks,
        useful=dataset.chunks - sum(dataset.skipped.values()),
        seeds=[
            await _seed(
                deps,
                seed,
                documents.get(seed.document_id),
                done.get(units[index]) or failed.get(units[index]),
                [row for row in rows if row.seed == index],
            )
            for index, seed in seeds.items()
        ],
    )


async def _seed(
    deps: Deps,
    seed: Seed,
    document: DocumentRow | None,
    outcome: UnitRow | FailureRow | None,
    rows: Sequence[EntryRow],
) -> PreviewedSeed:
    text = await blob_text(deps, document.body) if document else None
    call: CallBody | None = None
    if outcome is not None and outcome.call_id is not None:
        call = await call_of(deps, outcome.call_id)
    unit = outcome if isinstance(outcome, UnitRow) else None
    failure = outcome if isinstance(outcome, FailureRow) else None
    return PreviewedSeed(
        seed=seed.index,
        document_id=seed.document_id,
        file_name=document.name if document else None,
        chunk_id=seed.chunk_id,
        chunk_index=seed.chunk_index,
        start=seed.start,
        end=seed.end,
        page=seed.page,
        heading_path=list(seed.heading_path),
        status="done" if unit else "failed" if failure else "waiting",
        passage=text[seed.start : seed.end] if text is not None else None,
        system=await system_of(deps, call),
        user=call.user if call else None,
        exchanges=[each.model_dump() for each in call.exchanges] if call else None,
        usage=unit.usage if unit else {},
        nothing_because=unit.nothing_because if unit else None,
        code=failure.code if failure else None,
        message=failure.message if failure else None,
        entries=await _entries(deps, seed, document, unit, rows) if unit else [],
    )


async def _entries(
    deps: Deps, seed: Seed, document: DocumentRow | None, unit: UnitRow, rows: Sequence[EntryRow]
) -> list[dict[str, Any]]:
    contents = await texts(deps, {unit.unit_id: unit})
    return [
        {
            "entry": entry(row, unit, contents.get(row.entry_id), seed, document).model_dump(),
            "verdict": await verdict_of(deps, row, unit),
        }
        for row in rows
        if row.unit_id == unit.unit_id
    ]
