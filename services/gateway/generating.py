"""What ``POST /datasets/generate`` may say, and the settings that it becomes. Pure: what is not built is refused.

The fields and defaults are those of the API that Gristmill's users know, with our own beside them. A value that asks
for nothing (null, false, an empty list, the old default) is accepted.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.document import Chunking
from contracts.generation import (
    MOST_PREVIEWED,
    Context,
    GenerationSettings,
    Mode,
    OutputDir,
    Thresholds,
)
from services.gateway import formats
from services.gateway.chunking import checked
from services.gateway.ids import ProjectId
from services.gateway.not_built import not_available, refuse_all
from services.gateway.problems import first_of
from shared.errors import Refused

SUITES = ("glue", "superglue", "mmlu", "medical")
SOURCES = ("Chunks Only", "Taxonomy", "Extract")
BUILTIN_CONCURRENCY = 8
REMOTE_CONCURRENCY = 16

COMPLEXITY: dict[str, Literal["auto", "easy", "intermediate", "hard"]] = {
    "auto": "auto",
    "easy": "easy",
    "basic": "easy",
    "beginner": "easy",
    "intermediate": "intermediate",
    "advanced": "hard",
    "expert": "hard",
    "hard": "hard",
}

NOTHING: dict[str, tuple[object, ...]] = {
    "prompt_name": ("default",),
    "include_evaluation_sets": (),
    "taxonomy_project": (),
    "taxonomy_name": (),
    "extraction_file_id": (),
    "selected_categories": (),
    "only_validated": (),
    "quality_threshold": (0.7, 0.0),
    "enable_versioning": (),
    "run_benchmarks": (),
    "extraction_rules": (),
    "dataset_format": (),
    "data_augmentation": ("none",),
}
"""Fields that stand for what is not built, and their values that ask for nothing."""


def _no_truth(value: object) -> object:
    """JSON's true is no 1, though Python's is."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic takes no other error
    return value


MEANT = {
    "parsing_model": "nothing here: documents are parsed by their type",
    "chunking_model": "nothing here: documents are cut as `chunking` says",
    "classification_model": "nothing here: curation gives categories without a model",
}
"""Older fields that name models; only ``model`` chooses one."""
NOWHERE = (None, "", ".", "./")
"""Values of ``output_dir`` that ask for no folder."""
_OUTPUT_DIR = TypeAdapter[str](OutputDir)

Whole = Annotated[int, BeforeValidator(_no_truth)]


class GenerateBody(BaseModel):
    """A dataset to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId
    prompt_name: str | None = "default"
    custom_prompt: str | None = None
    generation_mode: Mode | None = "default"
    format_type: str | None = "jsonl"
    concurrency: Whole | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Model calls in flight; null: chosen for the model.",
    )
    batch_size: Whole | None = Field(default=50, ge=0, description="Chunks of a file; 0: one file.")
    include_evaluation_sets: bool | None = False
    taxonomy_project: str | int | None = None
    taxonomy_name: str | None = None
    data_source: str | None = "Chunks Only"
    extraction_file_id: str | int | None = None
    selected_categories: list[str] | None = None
    only_validated: bool | None = False
    output_dir: str | None = Field(
        default=".",
        description="A folder below `exports` of the data folder, in which the finished files are laid besides:"
        " up to 3 names of letters, digits, - _ and . joined by /; null or `.`: nowhere.",
    )
    analyze_quality: bool | None = Field(
        default=True, description="The figures need no model call, so they are there in any case."
    )
    quality_threshold: float | None = 0.7
    enable_versioning: bool | None = False
    dataset_name: str | None = Field(default=None, max_length=200)
    run_benchmarks: bool | None = False
    benchmark_suite: str | None = "glue"
    parsing_model: str | None = Field(default="gemini", max_length=200)
    chunking_model: str | None = Field(default="gemini", max_length=200)
    classification_model: str | None = Field(default="gemini", max_length=200)
    datasets_per_chunk: Whole | None = Field(default=3, ge=1, le=50)
    purpose: str | None = None
    audience: str | None = None
    extraction_rules: str | None = None
    dataset_format: str | None = None
    question_style: str | None = None
    answer_style: str | None = None
    negativity_ratio: float | None = None
    data_augmentation: str | None = None
    custom_audience: str | None = None
    custom_purpose: str | None = None
    complexity_level: str | None = None
    domain: str | None = None

    model: str | None = Field(default=None, description="provider/model; null: the configured one.")
    entries: Whole | None = Field(
        default=None, ge=1, description="Accepted entries wanted; null: what the chunks yield."
    )
    context: Context | None = None
    document_ids: list[str] | None = Field(default=None, max_length=1000)
    language: str | None = None
    temperature: float | None = None
    max_tokens: Whole | None = None
    seed: Whole | None = None
    thresholds: dict[str, Any] | None = None
    chunking: dict[str, Any] | None = Field(
        default=None,
        description="How documents are cut; those that were cut in another way are cut again."
        " Null: as they were cut, or by sections.",
    )
    reuse_answers: bool | None = Field(
        default=None,
        description="Take recorded answers to the very same calls of earlier jobs, instead of paying again.",
    )
    preview: Whole | None = Field(
        default=None, ge=1, le=MOST_PREVIEWED, description="Make only so many seeds, to look at."
    )


def settings_from(body: GenerateBody, default_model: str) -> GenerationSettings:
    """The settings that ``body`` asks for. Raise ``Refused``, naming the field."""
    _check_built(body)
    settings = _settings(body, body.model or default_model)
    missing = settings.not_available()
    if missing is not None:
        field, message = missing
        raise Refused("not_available", message, field=_field(field))
    return settings


def older_fields(body: GenerateBody) -> dict[str, dict[str, str | None]]:
    """What the fields of the older API that name models said, and what that means."""
    return {
        name: {"said": getattr(body, name), "means": meaning} for name, meaning in MEANT.items()
    }


def _output_dir(said: str | None) -> str | None:
    """The folder that is asked for. Raise ``Refused`` where it is none, or leads out of the data folder."""
    if said in NOWHERE:
        return None
    try:
        return _OUTPUT_DIR.validate_python(said)
    except ValidationError:
        raise _invalid(
            "output_dir",
            "must be a name under the data folder: up to 3 parts joined by /, each of up to 100 letters (a-z), digits,"
            " - _ and ., none beginning with a dot",
        ) from None


def _check_built(body: GenerateBody) -> None:
    refuse_all(((field, getattr(body, field)) for field in NOTHING), NOTHING)
    if body.data_source not in (None, "", "Chunks Only"):
        if body.data_source in SOURCES:
            raise not_available("data_source", f'"{body.data_source}" needs a taxonomy')
        raise _invalid("data_source", f"must be one of: {', '.join(SOURCES)}")
    if body.benchmark_suite not in (None, "", *SUITES):
        raise _invalid("benchmark_suite", f"must be one of: {', '.join(SUITES)}")
    formats.check(body.format_type or "jsonl", "format_type")
    if body.format_type in formats.PAIRED and body.generation_mode in formats.ONE_SIDED:
        raise Refused(
            "format_cannot_hold",
            f"Format {body.format_type} cannot hold entries of mode {body.generation_mode!r}, because each of its rows"
            " needs an answer to a question: take jsonl, json or parquet.",
            field="format_type",
        )


def _settings(body: GenerateBody, model: str) -> GenerationSettings:
    said: dict[str, Any] = {
        "mode": body.generation_mode or "default",
        "model": model,
        "entries": body.entries,
        "concurrency": body.concurrency or _concurrency(model),
        "format": body.format_type,
        "batch_size": body.batch_size,
        "per_chunk": body.datasets_per_chunk,
        "audience": body.custom_audience or body.audience,
        "purpose": body.custom_purpose or body.purpose,
        "complexity": _complexity(body.complexity_level),
        "negativity_ratio": body.negativity_ratio,
        "thresholds": _part(Thresholds, "thresholds", body.thresholds),
        "chunking": _chunking(body.chunking),
        "recut": bool(body.chunking),
        "preview": body.preview,
        "output_dir": _output_dir(body.output_dir),
    }
    same = "context custom_prompt domain language question_style answer_style temperature max_tokens seed reuse_answers"
    said |= {name: getattr(body, name) for name in same.split()}
    try:
        return GenerationSettings.model_validate(
            {name: value for name, value in said.items() if value not in (None, "")}
        )
    except ValidationError as problem:
        field, message = first_of(problem.errors())
        raise _invalid(_field(field or "preview"), message) from None


_FIELDS = {
    "mode": "generation_mode",
    "per_chunk": "datasets_per_chunk",
    "format": "format_type",
    "complexity": "complexity_level",
}
"""Settings whose name in the API is another."""


def _field(setting: str) -> str:
    return _FIELDS.get(setting, setting)


def _concurrency(model: str) -> int:
    """As many calls as the model is known to bear: rules of our own use the processor, others wait for a server."""
    return BUILTIN_CONCURRENCY if model.startswith("builtin/") else REMOTE_CONCURRENCY


def _complexity(level: str | None) -> str | None:
    if not level:
        return None
    if level not in COMPLEXITY:
        raise _invalid("complexity_level", f"must be one of: {', '.join(COMPLEXITY)}")
    return COMPLEXITY[level]


def _part(kind: type[BaseModel], field: str, said: dict[str, Any] | None) -> BaseModel | None:
    if not said:
        return None
    try:
        return kind.model_validate(said)
    except ValidationError as problem:
        inner, message = first_of(problem.errors())
        raise _invalid(f"{field}.{inner}" if inner else field, message) from None


def _chunking(said: dict[str, Any] | None) -> Chunking | None:
    """A tokenizer that is named is not resolved here: ``tokenizer_of`` says its name."""
    if not said:
        return None
    tokenizer_of(said)
    return checked({k: v for k, v in said.items() if k != "tokenizer"}, {}, "chunking")


def tokenizer_of(chunking: dict[str, Any] | None) -> str | None:
    """The tokenizer that a way of cutting names, if any. Raise ``Refused`` where it is none or has no use."""
    name = (chunking or {}).get("tokenizer")
    if name in (None, ""):
        return None
    if not isinstance(name, str):
        raise _invalid("chunking.tokenizer", "must be the name of a tokenizer")
    if (chunking or {}).get("strategy") != "token":
        raise _invalid("chunking.tokenizer", "only the strategy token uses it")
    return name


def _invalid(field: str, message: str) -> Refused:
    return Refused("invalid_parameter", f"{field}: {message}", field=field)
