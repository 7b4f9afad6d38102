"""The schemas keep to the subset that every structured-output dialect accepts."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from contracts.generation import Mode
from services.generate.parsing import DRAFTS
from services.generate.prompts.files import NAMES, load
from services.generate.schemas import FIELDS, json_schema

ALLOWED = {"type", "properties", "required", "additionalProperties", "items", "enum"}
MODES = get_args(Mode)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in schema.get("properties", {}).values():
        yield from parts(part)
    if "items" in schema:
        yield from parts(schema["items"])


@pytest.mark.parametrize("mode", MODES)
def test_every_dialect_of_structured_output_accepts_the_schema(mode: Mode) -> None:
    for part in parts(json_schema(mode)):
        assert part.keys() <= ALLOWED
        if part["type"] == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
        if part["type"] == "array":
            assert "items" in part


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_entries_and_a_reason_for_none(mode: Mode) -> None:
    schema = json_schema(mode)

    assert list(schema["properties"]) == ["entries", "nothing_because"]
    assert schema["properties"]["nothing_because"] == {"type": ["string", "null"]}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "summarization"])
def test_the_evidence_is_written_before_what_is_made_of_it(mode: Mode) -> None:
    assert next(iter(FIELDS[mode])) == "evidence"


@pytest.mark.parametrize("mode", MODES)
def test_prompt_schema_and_parser_name_the_same_fields_in_the_same_order(mode: Mode) -> None:
    fields = list(FIELDS[mode])
    prompt = load(NAMES[mode]).text
    output = prompt[prompt.index("# Output") : prompt.index("# A good entry")]

    assert fields == list(DRAFTS[mode].model_fields)
    assert [line.split("`")[1] for line in output.splitlines() if line.startswith("- ")] == fields
