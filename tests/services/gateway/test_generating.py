"""What a generate body becomes: defaults that ask for nothing pass, what is not built is refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.document import Chunking
from services.gateway.generating import NOTHING, GenerateBody, older_fields, settings_from
from shared.errors import Refused

BUILTIN = "builtin/extractive"
REMOTE = "openai/small"

WRITTEN_IN_THE_DOCS: dict[str, Any] = {
    "project_id": 1,
    "data_source": "Chunks Only",
    "prompt_name": "default",
    "generation_mode": "default",
    "format_type": "jsonl",
    "concurrency": 1,
    "batch_size": 50,
    "include_evaluation_sets": False,
    "taxonomy_project": None,
    "taxonomy_name": None,
    "output_dir": ".",
    "analyze_quality": True,
    "quality_threshold": 0.7,
    "enable_versioning": False,
    "dataset_name": None,
    "run_benchmarks": False,
    "benchmark_suite": "glue",
    "parsing_model": "gemini",
    "chunking_model": "gemini",
    "classification_model": "gemini",
    "datasets_per_chunk": 3,
    "only_validated": False,
}


def settings(default: str = BUILTIN, /, **body: Any) -> Any:
    return settings_from(GenerateBody.model_validate({"project_id": 1, **body}), default)


def refusal(default: str = BUILTIN, /, **body: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        settings(default, **body)
    return caught.value


def test_the_request_of_the_documentation_is_taken() -> None:
    made = settings_from(GenerateBody.model_validate(WRITTEN_IN_THE_DOCS), BUILTIN)
    assert (made.mode, made.concurrency, made.batch_size, made.per_chunk) == ("default", 1, 50, 3)
    assert (made.model, made.entries, made.format) == (BUILTIN, None, "jsonl")


def test_null_everywhere_is_the_defaults() -> None:
    fields: dict[str, Any] = {
        name: None for name in GenerateBody.model_fields if name != "project_id"
    }
    assert settings(**fields) == settings()


def test_concurrency_is_chosen_for_the_model_where_nobody_said_it() -> None:
    assert settings(BUILTIN).concurrency == 8
    assert settings(REMOTE).concurrency == 16
    assert settings(REMOTE, concurrency=3).concurrency == 3


def test_the_body_s_model_wins_over_the_configured_one() -> None:
    assert settings(BUILTIN, model=REMOTE).model == REMOTE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt_name", "medical"),
        ("include_evaluation_sets", True),
        ("taxonomy_project", "p"),
        ("taxonomy_name", "t"),
        ("extraction_file_id", 3),
        ("selected_categories", ["a"]),
        ("only_validated", True),
        ("quality_threshold", 0.9),
        ("enable_versioning", True),
        ("run_benchmarks", True),
        ("extraction_rules", "r"),
        ("dataset_format", "f"),
        ("data_augmentation", "synonym_replacement"),
        ("data_source", "Taxonomy"),
        ("data_source", "Extract"),
        ("format_type", "anki"),
        ("custom_prompt", "Write limericks about {chunk}"),
    ],
)
def test_what_is_not_built_is_refused_by_name(field: str, value: object) -> None:
    problem = refusal(**{field: value})
    assert (problem.code, problem.field, problem.status) == ("not_available", field, 400)
    assert field in problem.message


def test_every_field_that_is_not_built_has_a_case_above() -> None:
    cases = next(
        mark
        for mark in test_what_is_not_built_is_refused_by_name.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ).args[1]
    assert set(NOTHING) <= {field for field, _ in cases}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data_source", "Everything"),
        ("format_type", "xml"),
        ("benchmark_suite", "sat"),
        ("complexity_level", "impossible"),
        ("question_style", "rude"),
        ("negativity_ratio", 2),
        ("temperature", -1),
        ("max_tokens", 0),
        ("language", "klingon"),
        ("seed", -1),
    ],
)
def test_values_that_mean_nothing_are_refused_by_name(field: str, value: object) -> None:
    problem = refusal(REMOTE, **{field: value})
    assert (problem.code, problem.field) == ("invalid_parameter", field)


def test_a_part_of_a_part_is_named() -> None:
    assert refusal(thresholds={"quality": 7}).field == "thresholds.quality"
    assert refusal(thresholds={"nonsense": 7}).field == "thresholds.nonsense"
    assert refusal(chunking={"strategy": "moon"}).field == "chunking.strategy"
    assert (
        refusal(chunking={"size": 10, "overlap": 20, "strategy": "character"}).field == "chunking"
    )


def test_a_way_of_cutting_that_is_named_is_to_be_followed() -> None:
    assert not settings().recut
    assert not settings(chunking={}).recut
    asked = settings(chunking={"strategy": "semantic", "similarity_drop": 0.2})
    assert asked.recut
    assert asked.chunking == Chunking(strategy="semantic", similarity_drop=0.2)
    rules = {"strategy": "schema", "rules": [{"type": "pattern", "value": "(?=a)"}]}
    assert refusal(chunking=rules).field == "chunking.rules.0"
    rules = {"strategy": "schema", "rules": [{"type": "pattern", "value": "a{2000}"}]}
    assert refusal(chunking=rules).field == "chunking.rules"
    for chunking in (
        {"strategy": "token", "tokenizer": {"kind": "text"}},
        {"strategy": "character", "tokenizer": "bert"},
    ):
        assert refusal(chunking=chunking).field == "chunking.tokenizer"


def test_a_preview_makes_a_few_seeds_whatever_they_yield() -> None:
    assert settings(preview=3).preview == 3
    problem = refusal(preview=3, entries=10)
    assert (problem.code, problem.field) == ("invalid_parameter", "preview")


@pytest.mark.parametrize(
    ("field", "value"),
    [("entries", -1), ("entries", 0), ("concurrency", 0), ("batch_size", -1), ("nonsense", 1)],
)
def test_impossible_numbers_and_unknown_fields_never_become_a_body(field: str, value: int) -> None:
    with pytest.raises(ValidationError):
        GenerateBody.model_validate({"project_id": 1, field: value})


def test_old_levels_of_complexity_become_ours() -> None:
    assert settings(REMOTE, complexity_level="expert").complexity == "hard"
    assert settings(REMOTE, complexity_level="beginner").complexity == "easy"
    assert settings(REMOTE, complexity_level="auto").complexity == "auto"


def test_custom_audience_and_purpose_win() -> None:
    made = settings(REMOTE, audience="nurses", custom_audience="millers", custom_purpose="craft")
    assert (made.audience, made.purpose) == ("millers", "craft")


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../../etc",
        "a/../..",
        "/etc",
        "\\\\host\\x",
        "C:\\x",
        "~root",
        "a\x00b",
        "x" * 101,
        "a/b/c/d",
        "a//b",
        "a/",
        "./a",
        ".hidden",
        "a/.b",
        "a b",
        "größe",
        "mine\n",
        "a\nb",
    ],
)
def test_an_output_folder_that_leads_out_of_the_data_folder_is_refused(path: str) -> None:
    problem = refusal(output_dir=path)
    assert (problem.code, problem.field) == ("invalid_parameter", "output_dir")


@pytest.mark.parametrize("path", ["mine", "a/b", "2026-11-21/v1.2/a..b_c", "x" * 100])
def test_an_output_folder_is_a_name_of_up_to_three_parts(path: str) -> None:
    assert settings(output_dir=path).output_dir == path


@pytest.mark.parametrize("path", [None, "", ".", "./"])
def test_an_output_folder_that_is_the_usual_place_asks_for_nothing(path: str | None) -> None:
    assert settings(output_dir=path) == settings()


def test_the_models_of_the_older_api_choose_nothing_and_are_told_so() -> None:
    body = GenerateBody.model_validate({"project_id": 1, "parsing_model": "grok"})
    assert settings_from(body, BUILTIN) == settings()
    told = older_fields(body)
    assert told["parsing_model"]["said"] == "grok"
    assert "nothing here" in str(told["classification_model"]["means"])
