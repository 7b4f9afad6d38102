"""The whole chain of one entry: from the bytes of its file to the verdict on it, each link with what identifies it."""

from typing import Any
from uuid import UUID

from contracts.blob import BlobRef
from contracts.entries import CallBody, EntriesCurated, Evidence
from contracts.generation import Seed
from services.gateway.deps import Deps
from services.gateway.reading_entries import entry, evidence, texts
from services.gateway.shapes import Chain
from services.gateway.views.rows import DatasetRow, DocumentRow, EntryRow, UnitRow
from shared.blobs import BlobMissing

AROUND = 300
"""Code points of the surrounding text that are shown on either side of a quote."""


async def chain(deps: Deps, dataset: DatasetRow, row: EntryRow) -> Chain:
    """What is known of an entry; a link that was erased is None."""
    units = await deps.store.entries.units({row.unit_id})
    unit = units[row.unit_id]
    content = (await texts(deps, units)).get(row.entry_id)
    plans = await deps.views.plans(dataset.job_id)
    seed = (await deps.plans.seeds(plans, {row.seed})).get(row.seed)
    document = await deps.views.document(unit.document_id)
    text = await blob_text(deps, document.body) if document else None
    call = await call_of(deps, unit.call_id)
    return Chain(
        entry=entry(row, unit, content, seed, document),
        source=await _source(deps, document, seed),
        chunk=_chunk(unit, seed, text),
        evidence=[_quoted(each, text) for each in evidence(content)],
        prompt={
            **unit.prompt,
            "system_sha256": call.system if call else None,
            "system": await system_of(deps, call),
            "user": call.user if call else None,
        },
        call={
            "call_id": str(unit.call_id),
            "model": unit.model,
            "parameters": unit.parameters,
            "response_key": unit.response_key,
            "usage": unit.usage,
            "exchanges": [each.model_dump() for each in call.exchanges] if call else None,
        },
        verdict=await verdict_of(deps, row, unit),
    )


async def _source(deps: Deps, document: DocumentRow | None, seed: Seed | None) -> dict[str, Any]:
    if document is None:
        return {}
    names = await deps.views.document_names(document.document_id)
    return {
        "document_id": str(document.document_id),
        "file_name": document.name,
        "other_names": [name for name in names if name != document.name],
        "sha256": document.blob["sha256"],
        "size": document.blob["size"],
        "media": document.blob["media"],
        "parser": document.parser,
        "title": document.title,
        "language": document.language,
        "text_sha256": document.body["sha256"] if document.body else None,
        "page": seed.page if seed else None,
        "heading_path": list(seed.heading_path) if seed else [],
    }


def _chunk(unit: UnitRow, seed: Seed | None, text: str | None) -> dict[str, Any]:
    if seed is None:
        return {"chunk_id": str(unit.chunk_id)}
    return {
        "chunk_id": str(unit.chunk_id),
        "index": seed.chunk_index,
        "start": seed.start,
        "end": seed.end,
        "page": seed.page,
        "heading_path": list(seed.heading_path),
        "text": text[seed.start : seed.end] if text is not None else None,
    }


def _quoted(quote: Evidence, text: str | None) -> dict[str, Any]:
    """A quote with the text on either side of it, read again from the stored text at its offsets."""
    said = quote.model_dump()
    if text is None or quote.start is None or quote.end is None:
        return said
    return {
        **said,
        "found": text[quote.start : quote.end],
        "before": text[max(0, quote.start - AROUND) : quote.start],
        "after": text[quote.end : quote.end + AROUND],
    }


async def blob_text(deps: Deps, ref: dict[str, Any] | None) -> str | None:
    """The text of a blob; None where it was erased."""
    if ref is None:
        return None
    try:
        return (await deps.blobs.get(deps.tenant, BlobRef.model_validate(ref))).decode()
    except BlobMissing:
        return None


async def call_of(deps: Deps, call: UUID) -> CallBody | None:
    """What was sent and what came back; None where it was erased."""
    found = await deps.store.bodies([call])
    return CallBody.model_validate_json(found[call]) if call in found else None


async def system_of(deps: Deps, call: CallBody | None) -> str | None:
    """The system message of a call, which is a blob of the whole job."""
    if call is None:
        return None
    return await blob_text(deps, BlobRef(kind="prompt", sha256=call.system, size=0).model_dump())


async def verdict_of(deps: Deps, row: EntryRow, unit: UnitRow) -> dict[str, Any]:
    """What was judged, and at which positions of the log."""
    parts: dict[str, float] = {}
    if row.verdict_pos is not None:
        recorded = await deps.store.event(row.verdict_pos)
        if recorded is not None and isinstance(recorded.event, EntriesCurated):
            verdicts = recorded.event.verdicts
            parts = next((v.quality_parts for v in verdicts if v.entry_id == row.entry_id), {})
    return {
        "status": row.status,
        "reason": row.reason,
        "reasons": row.found or [],
        "quality": row.quality,
        "quality_parts": parts,
        "category": row.category,
        "kind": row.kind,
        "difficulty": row.difficulty,
        "generated_at": unit.pos,
        "judged_at": row.verdict_pos,
        "admitted_at": row.admitted_pos,
    }
