"""What ``POST /documents/process`` may say, and how its chunking fields become ours. Pure.

The old defaults of ``chunk_size`` and ``overlap`` belong to a strategy that counts tokens, so a field counts as said
only where the request holds it.
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.document import DELIMITERS, Chunking, Strategy
from services.gateway.chunking import checked
from services.gateway.ids import ProjectId
from services.gateway.not_built import not_available, refuse_all
from services.gateway.parsing import parser_meaning
from shared.errors import Refused

STRATEGIES: tuple[Strategy, ...] = (
    "token",
    "character",
    "semantic",
    "delimiter",
    "schema",
    "sentence",
    "markdown",
    "contextual",
)
CHUNKERS_OF_OTHERS = ("ollama", "openai", "huggingface")

NOTHING: dict[str, tuple[object, ...]] = {
    "semantic_prompt": (),
    "num_ctx": (),
    "system_instruction": (),
    "pages_per_split": (50,),
    "overlap_pages": (0,),
}
SIZES: dict[str, tuple[int, int]] = {
    "character": (512, 50),
    "token": (512, 50),
    "sentence": (10, 2),
    "contextual": (300, 0),
}
"""Size and overlap of windows where the request names none."""

OWNERS: dict[str, tuple[Strategy, object]] = {
    "character_chunk_size": ("character", None),
    "character_overlap": ("character", None),
    "schema_definition": ("schema", ""),
    "delimiters": ("delimiter", list(DELIMITERS)),
    "merge": ("delimiter", False),
    "tokenizer": ("token", ""),
    "similarity_drop": ("semantic", None),
}
"""Fields that one strategy alone uses, and their value (besides null) that asks for nothing."""


class ProcessBody(BaseModel):
    """Documents to be parsed and, where a strategy is named, cut into chunks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId
    document_ids: list[str] = Field(min_length=1, max_length=1000)
    parser: str | None = "grok"
    chunker: str | None = "grok"
    chunk_strategy: str | None = Field(
        default=None, description=f"{', '.join(STRATEGIES)}; null: parse only."
    )
    chunk_size: int | None = 512
    overlap: int | None = 50
    character_chunk_size: int | None = None
    character_overlap: int | None = None
    semantic_prompt: str | None = None
    schema_definition: str | None = None
    num_ctx: int | None = None
    system_instruction: str | None = None
    skip_parsing: bool | None = False
    sliding_window: bool | None = True
    pages_per_split: int | None = 50
    overlap_pages: int | None = 0
    delimiters: list[str] | None = None
    merge: bool | None = Field(
        default=None, description="Of delimiter: neighbours that fit into chunk_size are one chunk."
    )
    similarity_drop: float | None = Field(
        default=None, description="Of semantic: 0 to 1; more makes more chunks."
    )
    tokenizer: str | None = Field(
        default=None, description="Of token: NAME of <data>/tokenizers/NAME.json; null: by rule."
    )
    context_words: int | None = Field(
        default=None, description="Words before a chunk that its prompt shows as context."
    )


def chunking_from(body: ProcessBody) -> Chunking | None:
    """How the documents are to be cut; None: they are to be parsed only. Raise ``Refused``, naming the field.

    A tokenizer that is named is not resolved here.
    """
    _check_built(body)
    strategy = body.chunk_strategy or None
    if strategy is None:
        _check_unasked(body)
        return Chunking() if body.skip_parsing else None
    if strategy not in STRATEGIES:
        raise Refused(
            "invalid_parameter",
            f"Invalid chunk_strategy. Must be one of: {', '.join(STRATEGIES)}",
            field="chunk_strategy",
        )
    for field, (owner, nothing) in OWNERS.items():
        if strategy != owner and getattr(body, field) not in (None, nothing):
            raise _invalid(field, f"only the strategy {owner} uses it, not {strategy}")
    size, overlap = _sizes(body, strategy)
    said: dict[str, Any] = {"strategy": strategy, "size": size, "overlap": overlap}
    if strategy == "schema":
        said |= rules_from(body.schema_definition)
    own = [field for field, (owner, _) in OWNERS.items() if owner == strategy]
    for name in ("delimiters", "merge", "similarity_drop", "context_words"):
        if (name in own or name == "context_words") and getattr(body, name) is not None:
            said[name] = getattr(body, name)
    whole = "schema_definition" if strategy == "schema" else "overlap"
    return checked(said, {"size": "chunk_size", "rules": "schema_definition", "": whole})


def rules_from(definition: str | None) -> dict[str, Any]:
    """The parts of a schema definition: ``{"rules": [{"type", "value"}], "combine", "include_pattern"}`` as JSON."""
    field = "schema_definition"
    if not definition:
        raise _invalid(field, 'the strategy schema needs one, such as {"rules": [...]}')
    try:
        said = json.loads(definition)
    except (ValueError, RecursionError) as problem:
        raise Refused("invalid_parameter", f"Invalid JSON schema: {problem}", field=field) from None
    if not isinstance(said, dict):
        raise _invalid(field, "must be a JSON object with rules")
    unknown = sorted(set(said) - {"rules", "combine", "include_pattern"})
    if unknown:
        raise _invalid(field, f"knows rules, combine and include_pattern, not {unknown[0][:50]!r}")
    return said


def _check_unasked(body: ProcessBody) -> None:
    """Sizes say nothing without a strategy; the older API's defaults, spelled out, ask for nothing."""
    nothing = {name: value for name, (_, value) in OWNERS.items()}
    nothing |= {"chunk_size": 512, "overlap": 50, "context_words": None}
    for field, default in nothing.items():
        if field in body.model_fields_set and getattr(body, field) not in (None, default):
            raise Refused(
                "invalid_parameter",
                f"{field} needs a chunk_strategy: one of {', '.join(STRATEGIES)}.",
                field=field,
            )


def _sizes(body: ProcessBody, strategy: str) -> tuple[int, int]:
    """What the request says of size and overlap, or what the strategy has where it says nothing."""
    said = body.model_fields_set
    size = body.chunk_size if "chunk_size" in said else None
    overlap = body.overlap if "overlap" in said else None
    if strategy == "character":
        size = size if body.character_chunk_size is None else body.character_chunk_size
        overlap = overlap if body.character_overlap is None else body.character_overlap
    if body.sliding_window is False:
        if overlap not in (None, 0, 50):
            raise _invalid("sliding_window", f"false means no overlap, and overlap is {overlap}")
        overlap = 0
    if strategy not in SIZES:
        # Pieces do not overlap; clients that send every field send the old default along.
        return _first(size, Chunking().size), 0 if overlap in (None, 50) else overlap
    usual, shared = SIZES[strategy]
    size = _first(size, usual)
    # An overlap that nobody asked for does not stand in the way of a small size.
    return size, overlap if overlap is not None else min(shared, (size - 1) // 2)


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _check_built(body: ProcessBody) -> None:
    refuse_all(((field, getattr(body, field)) for field in NOTHING), NOTHING)
    parser_meaning(body.parser)
    if body.chunker in (None, "", "grok", "gemini", "builtin"):
        return
    if body.chunker in CHUNKERS_OF_OTHERS:
        raise not_available("chunker", f"{body.chunker}; leave it out for the built-in one")
    raise Refused(
        "invalid_parameter", "chunker: unknown; leave it out for the built-in one", field="chunker"
    )


def _invalid(field: str, message: str) -> Refused:
    return Refused("invalid_parameter", f"{field}: {message}", field=field)
