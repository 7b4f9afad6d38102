"""Entries of a dataset: pages of them with their evidence, and the whole chain of one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from contracts.entries import Reason
from contracts.generation import Kind, Task
from services.gateway import ids
from services.gateway.chain import chain
from services.gateway.deps import Here
from services.gateway.reading_entries import shown
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Chain, Entries, EntryQuality
from services.gateway.views.entry_reads import Filter, Order
from shared.errors import Refused

router = APIRouter(tags=["entries"])

Status = Literal["accepted", "rejected", "surplus", "generated", "curated", "all"]


@router.get("/datasets/{id}/entries")
async def list_entries(
    deps: Here,
    id: str,
    page: Page = 1,
    per_page: PerPage = 50,
    filter_quality: Annotated[float | None, Query(ge=0, le=1)] = None,
    sort_by: Order | None = None,
    status: Status | None = None,
    reason: Reason | None = None,
    kind: Kind | Task | None = None,
) -> Entries:
    """Accepted entries in the order of their sources, or those that are asked for. ``reason`` means rejected ones."""
    dataset = await ids.dataset(deps.views, id)
    wanted = status or ("rejected" if reason else "accepted")
    kept = Filter(
        status=None if wanted == "all" else wanted,
        reason=reason,
        kind=kind,
        quality=filter_quality,
    )
    entries = deps.store.entries
    rows = await entries.page(dataset.dataset_id, kept, sort_by, per_page, offset(page, per_page))
    totals = await entries.totals(dataset.dataset_id, kept)
    return Entries(
        entries=await shown(deps, dataset, rows),
        total=totals.total,
        page=page,
        per_page=per_page,
        quality_summary=EntryQuality(
            average_score=round(totals.average, 4) if totals.average is not None else None,
            distribution={"high": totals.high, "medium": totals.medium, "low": totals.low},
        ),
    )


@router.get("/datasets/{id}/entries/{entry_id}")
async def get_entry(deps: Here, id: str, entry_id: str) -> Chain:
    """From the bytes of the file to the verdict: source, chunk, evidence, prompt, raw responses, judgement."""
    dataset = await ids.dataset(deps.views, id)
    name = ids.uuid_of(entry_id)
    row = await deps.store.entries.one(dataset.dataset_id, name) if name else None
    if row is None:
        raise _unknown(entry_id)
    return await chain(deps, dataset, row)


@router.get("/entries/{entry_id}")
async def find_entry(deps: Here, entry_id: str) -> Chain:
    """The same for an entry whose dataset the asker does not know."""
    name = ids.uuid_of(entry_id)
    owner = await deps.store.entries.dataset_of(name) if name else None
    dataset = await deps.views.dataset(owner) if owner else None
    if dataset is None or name is None:
        raise _unknown(entry_id)
    row = await deps.store.entries.one(dataset.dataset_id, name)
    if row is None:
        raise _unknown(entry_id)
    return await chain(deps, dataset, row)


def _unknown(entry: str) -> Refused:
    return Refused("entry_not_found", f"Entry {entry[:64]} not found", status=404)
