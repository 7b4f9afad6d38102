"""The bytes of a call, and what is left out where a server refuses it."""

import orjson
import pytest

from shared.llm.model import ModelRequest
from shared.llm.openai_request import Dialect, adapted, request_body

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
REQUEST = ModelRequest(
    model="small",
    messages=(("system", "Be brief."), ("user", "Grüße?")),
    temperature=0.7,
    max_tokens=50,
    seed=7,
    schema=SCHEMA,
)


def test_a_request_is_what_the_api_documents() -> None:
    assert orjson.loads(request_body(REQUEST, Dialect())) == {
        "model": "small",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Grüße?"},
        ],
        "max_tokens": 50,
        "temperature": 0.7,
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
        },
    }


def test_the_same_request_is_the_same_bytes() -> None:
    assert request_body(REQUEST, Dialect()) == request_body(REQUEST, Dialect())


@pytest.mark.parametrize(
    ("complaint", "narrower"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            Dialect(limit="max_completion_tokens"),
        ),
        ("response_format of type json_schema is not supported", Dialect(format="json_object")),
        ("This model does not support structured outputs.", Dialect(format="json_object")),
        ("Unsupported value: 'temperature' does not support 0.7 with this model.", Dialect(temperature=False)),
        ("Unrecognized request argument supplied: seed", Dialect(seed=False)),
        ("Invalid schema for response_format 'answer': missing 'type'.", None),
        ("messages must not be empty", None),
        ("The temperature of the lake rose.", None),
    ],
)  # fmt: skip
def test_a_complaint_narrows_the_dialect_only_by_what_it_names(
    complaint: str, narrower: Dialect | None
) -> None:
    assert adapted(Dialect(), REQUEST, complaint) == narrower


def test_formats_are_given_up_one_after_the_other() -> None:
    refusal = "response_format is not supported"
    dialects = [Dialect()]
    while (narrower := adapted(dialects[-1], REQUEST, refusal)) is not None:
        dialects.append(narrower)
    assert [dialect.format for dialect in dialects] == ["json_schema", "json_object", "none"]
    assert "response_format" not in orjson.loads(request_body(REQUEST, dialects[-1]))


def test_what_is_left_out_is_said() -> None:
    dialect = Dialect(format="none", temperature=False, seed=False)
    assert set(dialect.notes(REQUEST)) == {"temperature", "seed", "schema"}
    assert Dialect().notes(REQUEST) == {}
    body = orjson.loads(request_body(REQUEST, dialect))
    assert "temperature" not in body
    assert "seed" not in body
