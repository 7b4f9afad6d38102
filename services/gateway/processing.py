"""What ``POST /documents/process`` may say, and how its chunking fields become ours. Pure.

The old defaults of ``chunk_size`` and ``overlap`` belong to a strategy that counts tokens, so a field counts as said
only where the request holds it.
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.document import Chunking
from services.gateway.ids import ProjectId
from services.gateway.not_built import not_available, refuse_all
from services.gateway.problems import first_of
from shared.errors import Refused

STRATEGIES = ("character", "sentence", "markdown")
LATER = ("token", "semantic", "delimiter", "schema")
PARSERS_OF_OTHERS = ("ollama", "openai", "pypdf", "unstructured", "huggingface", "novlm")

NOTHING: dict[str, tuple[object, ...]] = {
    "semantic_prompt": (),
    "schema_definition": (),
    "num_ctx": (),
    "system_instruction": (),
    "pages_per_split": (50,),
    "overlap_pages": (0,),
    "delimiters": (["\n\n", "\n"],),
}
SENTENCES, SHARED = 10, 2
"""Size and overlap of sentence windows where the request names none."""
CHARACTERS, CHARACTERS_SHARED = 512, 50


class ProcessBody(BaseModel):
    """Documents to be parsed and, where a strategy is named, cut into chunks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId
    document_ids: list[str] = Field(min_length=1, max_length=1000)
    parser: str | None = "grok"
    chunker: str | None = "grok"
    chunk_strategy: str | None = Field(
        default=None, description="character, sentence or markdown; null: parse only."
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


def chunking_from(body: ProcessBody) -> Chunking | None:
    """How the documents are to be cut; None: they are to be parsed only. Raise ``Refused``, naming the field."""
    _check_built(body)
    strategy = body.chunk_strategy or None
    if strategy is None:
        _check_sizes_unasked(body)
        return Chunking() if body.skip_parsing else None
    if strategy in LATER:
        raise not_available("chunk_strategy", f"the strategy {strategy}")
    if strategy not in STRATEGIES:
        known = ", ".join((*STRATEGIES, *LATER))
        raise Refused(
            "invalid_parameter",
            f"Invalid chunk_strategy. Must be one of: {known}",
            field="chunk_strategy",
        )
    size, overlap = _sizes(body, strategy)
    try:
        return Chunking.model_validate({"strategy": strategy, "size": size, "overlap": overlap})
    except ValidationError as problem:
        field, message = first_of(problem.errors())
        name = {"size": "chunk_size"}.get(field, field or "overlap")
        raise Refused("invalid_parameter", f"{name}: {message}", field=name) from None


def _check_sizes_unasked(body: ProcessBody) -> None:
    """Sizes say nothing without a strategy; the older API's defaults, spelled out, ask for nothing."""
    for field, default in (("chunk_size", 512), ("overlap", 50)):
        if field in body.model_fields_set and getattr(body, field) not in (None, default):
            raise Refused(
                "invalid_parameter",
                f"{field} needs a chunk_strategy: one of {', '.join(STRATEGIES)}.",
                field=field,
            )


def _sizes(body: ProcessBody, strategy: str) -> tuple[int, int]:
    said = body.model_fields_set
    size = body.chunk_size if "chunk_size" in said else None
    overlap = body.overlap if "overlap" in said else None
    if strategy == "character":
        return (
            _first(body.character_chunk_size, size, CHARACTERS),
            _first(body.character_overlap, overlap, CHARACTERS_SHARED),
        )
    if body.character_chunk_size is not None or body.character_overlap is not None:
        field = (
            "character_chunk_size" if body.character_chunk_size is not None else "character_overlap"
        )
        raise Refused(
            "invalid_parameter", f"{field}: only the strategy character uses it", field=field
        )
    if strategy == "sentence":
        return _first(size, SENTENCES), _first(overlap, SHARED)
    # Sections do not overlap; clients that send every field send the old default along.
    return _first(size, Chunking().size), 0 if overlap in (None, 50) else overlap


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _check_built(body: ProcessBody) -> None:
    refuse_all(((field, getattr(body, field)) for field in NOTHING), NOTHING)
    if body.sliding_window is False:
        raise not_available("sliding_window", "say overlap: 0 for windows that do not overlap")
    for field, value in (("parser", body.parser), ("chunker", body.chunker)):
        if value in (None, "", "grok", "builtin"):
            continue
        if value in PARSERS_OF_OTHERS:
            raise not_available(field, f"{value}; leave it out for the built-in one")
        raise Refused(
            "invalid_parameter", f"{field}: unknown; leave it out for the built-in one", field=field
        )
