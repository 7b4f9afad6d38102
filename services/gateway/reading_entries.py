"""Entries as the API shows them: rows of the views joined, at read time, with texts from bodies and places from plans.

A text that was erased is missing from the answer, and everything else about the entry stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.entries import (
    Answer,
    BodyEntry,
    EntriesBody,
    Evidence,
    Instruction,
    Malformed,
    Question,
    QuestionAnswer,
    Summary,
)
from contracts.generation import Seed
from services.gateway.deps import Deps
from services.gateway.shapes import Entry
from services.gateway.views.rows import DatasetRow, DocumentRow, EntryRow, UnitRow

Content = QuestionAnswer | Instruction | Question | Answer | Summary | Malformed


async def shown(deps: Deps, dataset: DatasetRow, rows: Sequence[EntryRow]) -> list[Entry]:
    """These entries, in this order."""
    store = deps.store
    units = await store.entries.units({row.unit_id for row in rows})
    contents = await texts(deps, units)
    plans = await store.views.plans(dataset.job_id)
    seeds = await deps.plans.seeds(plans, {row.seed for row in rows})
    documents = await store.views.some_documents({unit.document_id for unit in units.values()})
    return [
        entry(
            row,
            units[row.unit_id],
            contents.get(row.entry_id),
            seeds.get(row.seed),
            documents.get(units[row.unit_id].document_id),
        )
        for row in rows
    ]


async def texts(deps: Deps, units: Mapping[UUID, UnitRow]) -> dict[UUID, Content]:
    """What the entries of these units say, where it was not erased."""
    bodies = await deps.store.bodies({unit.body_id for unit in units.values()})
    found: list[BodyEntry] = []
    for body in bodies.values():
        found.extend(EntriesBody.model_validate_json(body).entries)
    return {each.entry_id: each.content for each in found}


def entry(
    row: EntryRow,
    unit: UnitRow,
    content: Content | None,
    seed: Seed | None,
    document: DocumentRow | None,
) -> Entry:
    question, answer = sides(content)
    return Entry(
        id=row.entry_id,
        question=question,
        answer=answer,
        category=row.category,
        quality_score=row.quality,
        difficulty=row.difficulty,
        source_chunk=unit.chunk_id,
        metadata=_metadata(row, unit, seed, document),
        type=row.type,
        status=row.status,
        kind=row.kind,
        evidence=[each.model_dump() for each in evidence(content)],
        reasons=row.found or [],
        content=content.model_dump(mode="json") if content is not None else None,
    )


def _metadata(
    row: EntryRow, unit: UnitRow, seed: Seed | None, document: DocumentRow | None
) -> dict[str, Any]:
    return {
        "model": unit.model,
        "prompt": unit.prompt,
        "parameters": unit.parameters,
        "response_key": unit.response_key,
        "usage": unit.usage,
        "document_id": str(unit.document_id),
        "document": document.name if document else None,
        "page": seed.page if seed else None,
        "heading_path": list(seed.heading_path) if seed else [],
        "chunk_index": seed.chunk_index if seed else None,
        "passage": [seed.start, seed.end] if seed else None,
        "unit_id": str(unit.unit_id),
        "seed": row.seed,
        "round": unit.round,
        "sample": unit.sample,
    }


def sides(content: Content | None) -> tuple[str | None, str | None]:
    """What comes nearest to a question and to an answer."""
    match content:
        case QuestionAnswer():
            return content.question, content.answer
        case Instruction():
            asked = content.instruction
            return f"{asked}\n\n{content.input}" if content.input else asked, content.output
        case Question():
            return content.question, None
        case Answer():
            return None, content.answer
        case Summary():
            return None, content.summary
        case _:
            return None, None


def evidence(content: Content | None) -> tuple[Evidence, ...]:
    """The quotes that an entry rests on; a summary rests on the passage that it summarises."""
    match content:
        case None | Malformed():
            return ()
        case Summary():
            return (Evidence(quote=content.source, start=content.start, end=content.end),)
        case _:
            return content.evidence
