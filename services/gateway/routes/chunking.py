"""Advice on how a document is best cut, from what can be measured of its text. Starts no work."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from contracts.blob import BlobRef
from contracts.document import Structure
from services.gateway import ids
from services.gateway.advising import ALTERNATIVES, GOALS, LEAST, advise, examples_in, goals_of
from services.gateway.deps import Here
from services.gateway.measuring import MOST, Measures, measure
from services.gateway.not_built import not_available
from services.gateway.shapes import Shape
from shared.errors import Refused

router = APIRouter(prefix="/documents", tags=["documents"])


class AnalyzeBody(BaseModel):
    """A document that is to be cut, and what for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_id: str
    goal: str | None = Field(
        default=None,
        max_length=1000,
        description=f"Understood by its words: {', '.join(w for ws in GOALS.values() for w in ws)}.",
    )
    examples: list[Annotated[str, Field(max_length=20_000)]] | None = Field(
        default=None, max_length=20, description="Chunks as they should be, copied from the text."
    )
    model: str | None = Field(default=None, description="Null: rules, which need none.")


class Recommended(Shape):
    """A way of cutting; ``strategy`` and ``parameters`` can be sent to ``POST /documents/process``."""

    strategy: str
    parameters: dict[str, Any]
    confidence: float
    """How well the rules think that it fits, 0 to 1; no probability."""
    reasons: list[str]
    """Sentences with the figures that speak for it."""


class ChunkingAdvice(Shape):
    document_id: UUID
    recommended_strategy: str
    parameters: dict[str, Any]
    confidence: float
    reasons: list[str]
    alternative_strategies: list[Recommended]
    measures: dict[str, Any]
    """What was measured of the text."""


@router.post("/analyze-chunking")
async def analyze_chunking(deps: Here, body: AnalyzeBody) -> ChunkingAdvice:
    """Recommend a way of cutting a parsed document, with reasons and alternatives. No model is asked."""
    if body.model:
        raise not_available("model", "the advice comes from rules; leave it out")
    goal = (body.goal or "").strip()
    if goal and not goals_of(goal):
        raise Refused(
            "invalid_parameter",
            "goal: none of its words is understood; it can speak of"
            f" {', '.join(words[0] for words in GOALS.values())}, or be left out",
            field="goal",
        )
    row = await ids.document(deps.views, body.document_id)
    if row.body is None or row.structure is None:
        raise Refused(
            "not_parsed",
            f"Document {row.document_id} is not parsed yet (status: {row.status})",
            field="document_id",
        )
    text, structure = await asyncio.gather(
        deps.blobs.get(deps.tenant, BlobRef.model_validate(row.body)),
        deps.blobs.get(deps.tenant, BlobRef.model_validate(row.structure)),
    )
    return await asyncio.to_thread(_advice, row.document_id, text, structure, goal, body.examples)


def _advice(
    document: UUID, data: bytes, structure: bytes, goal: str, examples: list[str] | None
) -> ChunkingAdvice:
    text = data.decode()
    measures = measure(text, Structure.model_validate_json(structure))
    first, *others = [
        Recommended(
            strategy=each.strategy,
            parameters=each.parameters,
            confidence=each.score,
            reasons=each.reasons,
        )
        for each in advise(measures, goal, examples_in(text, examples or ()))
    ]
    return ChunkingAdvice(
        document_id=document,
        recommended_strategy=first.strategy,
        parameters=first.parameters,
        confidence=first.confidence,
        reasons=[*_read(goal, text, measures), *first.reasons],
        alternative_strategies=[e for e in others if e.confidence >= LEAST][:ALTERNATIVES],
        measures=asdict(measures),
    )


def _read(goal: str, text: str, measures: Measures) -> list[str]:
    """How the goal was read, and how much of the text."""
    said = [f"The goal was read as: {', '.join(goals_of(goal))}."] if goal else []
    if len(text) > MOST:
        said.append(f"Judged by the first {measures.characters:,} of {len(text):,} characters.")
    return said
