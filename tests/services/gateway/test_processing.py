"""How the chunking fields of a process body become ours."""

import json
from typing import Any

import pytest

from contracts.document import Chunking
from services.gateway.processing import ProcessBody, chunking_from
from shared.errors import Refused


def chunking(**body: Any) -> Chunking | None:
    return chunking_from(
        ProcessBody.model_validate({"project_id": 1, "document_ids": ["a"], **body})
    )


def refusal(**body: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        chunking(**body)
    return caught.value


ALL_THE_OLD_DEFAULTS: dict[str, Any] = {
    "parser": "grok",
    "chunker": "grok",
    "chunk_strategy": None,
    "chunk_size": 512,
    "overlap": 50,
    "character_chunk_size": None,
    "character_overlap": None,
    "semantic_prompt": None,
    "schema_definition": None,
    "num_ctx": None,
    "system_instruction": None,
    "skip_parsing": False,
    "sliding_window": True,
    "pages_per_split": 50,
    "overlap_pages": 0,
}


def test_without_a_strategy_documents_are_only_parsed() -> None:
    assert chunking() is None
    assert chunking(**ALL_THE_OLD_DEFAULTS) is None


def test_parsed_documents_are_cut_with_the_defaults() -> None:
    assert chunking(skip_parsing=True) == Chunking()


@pytest.mark.parametrize(
    ("body", "size", "overlap"),
    [
        ({"chunk_strategy": "character"}, 512, 50),
        ({"chunk_strategy": "character", "chunk_size": 900, "overlap": 0}, 900, 0),
        ({"chunk_strategy": "character", "character_chunk_size": 300, "chunk_size": 900}, 300, 50),
        ({"chunk_strategy": "character", "character_overlap": 7}, 512, 7),
        ({"chunk_strategy": "sentence"}, 10, 2),
        ({"chunk_strategy": "sentence", "chunk_size": 5, "overlap": 1}, 5, 1),
        ({"chunk_strategy": "markdown"}, 2000, 0),
        ({"chunk_strategy": "markdown", "chunk_size": 700, "overlap": 50}, 700, 0),
    ],
)
def test_sizes_count_only_where_the_request_says_them(
    body: dict[str, Any], size: int, overlap: int
) -> None:
    assert chunking(**body) == Chunking(strategy=body["chunk_strategy"], size=size, overlap=overlap)


def test_a_strategy_that_nobody_knows_is_answered_with_those_there_are() -> None:
    problem = refusal(chunk_strategy="moon")
    assert problem.code == "invalid_parameter"
    assert problem.message.startswith(
        "Invalid chunk_strategy. Must be one of: token, character, semantic, delimiter, schema"
    )


def test_an_overlap_of_the_whole_window_is_refused_in_the_words_of_the_older_api() -> None:
    problem = refusal(chunk_strategy="token", chunk_size=10, overlap=10)
    assert problem.message == "overlap must be less than chunk_size"


RULES = {"rules": [{"type": "pattern", "value": "^Q: "}], "combine": "all", "include_pattern": True}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"chunk_strategy": "token"}, {"size": 512, "overlap": 50}),
        ({"chunk_strategy": "token", "chunk_size": 20}, {"size": 20, "overlap": 9}),
        ({"chunk_strategy": "token", "sliding_window": False}, {"size": 512, "overlap": 0}),
        ({"chunk_strategy": "contextual", "context_words": 5}, {"size": 300, "context_words": 5}),
        ({"chunk_strategy": "delimiter"}, {"size": 2000}),
        (
            {"chunk_strategy": "delimiter", "delimiters": ["##", "--"], "merge": True},
            {"size": 2000, "delimiters": ["##", "--"], "merge": True},
        ),
        ({"chunk_strategy": "semantic", "similarity_drop": 0.1}, {"similarity_drop": 0.1}),
        ({"chunk_strategy": "semantic", "context_words": 20}, {"context_words": 20}),
        ({"chunk_strategy": "schema", "schema_definition": json.dumps(RULES)}, RULES),
        (
            {**ALL_THE_OLD_DEFAULTS, "chunk_strategy": "delimiter", "delimiters": ["\n\n", "\n"]},
            {"size": 512, "delimiters": ["\n\n", "\n"]},
        ),
    ],
)
def test_each_strategy_takes_its_own_fields(body: dict[str, Any], expected: dict[str, Any]) -> None:
    strategy = {"strategy": body["chunk_strategy"]}
    assert chunking(**body) == Chunking.model_validate(strategy | expected)


@pytest.mark.parametrize(
    "definition",
    [
        "no json",
        "[]",
        "{}",
        '{"rules": []}',
        '{"rules": [{"type": "moon", "value": "x"}]}',
        '{"rules": [{"type": "structure", "value": "table"}]}',
        '{"rules": [{"type": "pattern", "value": "("}]}',
        '{"rules": [{"type": "pattern", "value": "(?=a)b"}]}',
        '{"rules": [{"type": "pattern", "value": "(a)\\\\1"}]}',
        '{"rules": [{"type": "pattern", "value": "a{2000}"}]}',
        '{"rules": [{"type": "delimiter", "value": ""}]}',
        '{"rules": [{"type": "delimiter", "value": "x"}], "combine": "some"}',
        '{"rules": [{"type": "delimiter", "value": "x"}], "moon": 1}',
        '{"rules": [{"type": "delimiter", "value": "x"}], "strategy": "token"}',
        "",
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused(definition: str) -> None:
    problem = refusal(chunk_strategy="schema", schema_definition=definition)
    assert problem.code == "invalid_parameter"
    assert problem.field
    assert problem.field.split(".")[0] in ("schema_definition", "combine")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema_definition", json.dumps(RULES)),
        ("delimiters", ["#"]),
        ("merge", True),
        ("tokenizer", "bert"),
        ("similarity_drop", 0.5),
        ("character_overlap", 5),
    ],
)
def test_a_field_of_another_strategy_is_refused_by_name(field: str, value: object) -> None:
    problem = refusal(chunk_strategy="sentence", **{field: value})
    assert (problem.code, problem.field) == ("invalid_parameter", field)
    assert refusal(**{field: value}).message.startswith(f"{field} needs a chunk_strategy")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parser": "ollama"}, "parser"),
        ({"semantic_prompt": "p"}, "semantic_prompt"),
        ({"num_ctx": 4096}, "num_ctx"),
        ({"pages_per_split": 10}, "pages_per_split"),
        ({"overlap_pages": 1}, "overlap_pages"),
        ({"system_instruction": "s"}, "system_instruction"),
    ],
)
def test_what_is_not_built_is_refused(body: dict[str, Any], field: str) -> None:
    problem = refusal(**body)
    assert (problem.code, problem.field) == ("not_available", field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parser": "moon"}, "parser"),
        ({"chunk_strategy": "character", "chunk_size": 0}, "chunk_size"),
        ({"chunk_strategy": "character", "chunk_size": 10, "overlap": 10}, "overlap"),
        ({"chunk_strategy": "markdown", "overlap": 5}, "overlap"),
        ({"chunk_strategy": "markdown", "character_chunk_size": 5}, "character_chunk_size"),
    ],
)
def test_what_cannot_be_is_refused(body: dict[str, Any], field: str) -> None:
    problem = refusal(**body)
    assert (problem.code, problem.field) == ("invalid_parameter", field)
