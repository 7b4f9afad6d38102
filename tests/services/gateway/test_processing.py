"""How the chunking fields of a process body become ours."""

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


@pytest.mark.parametrize("strategy", ["token", "semantic", "delimiter", "schema"])
def test_strategies_of_later_are_refused_by_name(strategy: str) -> None:
    problem = refusal(chunk_strategy=strategy)
    assert (problem.code, problem.field) == ("not_available", "chunk_strategy")
    assert strategy in problem.message


def test_a_strategy_that_nobody_knows_is_answered_with_those_there_are() -> None:
    problem = refusal(chunk_strategy="moon")
    assert problem.code == "invalid_parameter"
    assert problem.message.startswith("Invalid chunk_strategy. Must be one of: character, ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parser": "ollama"}, "parser"),
        ({"semantic_prompt": "p"}, "semantic_prompt"),
        ({"schema_definition": "{}"}, "schema_definition"),
        ({"num_ctx": 4096}, "num_ctx"),
        ({"pages_per_split": 10}, "pages_per_split"),
        ({"overlap_pages": 1}, "overlap_pages"),
        ({"sliding_window": False}, "sliding_window"),
        ({"delimiters": ["#"]}, "delimiters"),
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
