"""The JSON schema that an answer must follow, in the subset that every structured-output dialect accepts.

All fields are required, no object is open, null is part of a type list, and nothing is limited by length, pattern or
format: what a schema cannot say, ``parsing.py`` and curation check.
"""

from typing import Any, get_args

from contracts.generation import Difficulty, Kind, Mode, Task

JsonSchema = dict[str, Any]

_TEXT: JsonSchema = {"type": "string"}
_TEXTS: JsonSchema = {"type": "array", "items": {"type": "string"}}
_TEXT_OR_NULL: JsonSchema = {"type": ["string", "null"]}
_BOOLEAN: JsonSchema = {"type": "boolean"}
_KIND: JsonSchema = {"type": "string", "enum": list(get_args(Kind))}
_TASK: JsonSchema = {"type": "string", "enum": list(get_args(Task))}
_DIFFICULTY: JsonSchema = {"type": "string", "enum": list(get_args(Difficulty))}

_QUESTION_ANSWER: JsonSchema = {
    "evidence": _TEXTS,
    "question": _TEXT,
    "answer": _TEXT,
    "short_answer": _TEXT_OR_NULL,
    "kind": _KIND,
    "difficulty": _DIFFICULTY,
    "answerable": _BOOLEAN,
}
FIELDS: dict[Mode, JsonSchema] = {
    "default": _QUESTION_ANSWER,
    "question and answer": _QUESTION_ANSWER,
    "instruction following": {
        "evidence": _TEXTS,
        "instruction": _TEXT,
        "input": _TEXT,
        "output": _TEXT,
        "task": _TASK,
        "difficulty": _DIFFICULTY,
    },
    "question": {
        "evidence": _TEXTS,
        "question": _TEXT,
        "kind": _KIND,
        "difficulty": _DIFFICULTY,
    },
    "answer": {"evidence": _TEXTS, "answer": _TEXT, "topic": _TEXT},
    "summarization": {"summary": _TEXT, "key_points": _TEXTS},
}
"""An entry's fields in the order in which they are to be written: the evidence before what is made of it."""


def json_schema(mode: Mode) -> JsonSchema:
    """The schema of one answer: ``{"entries": [...], "nothing_because": null | text}``."""
    entry = _closed(FIELDS[mode])
    return _closed({"entries": {"type": "array", "items": entry}, "nothing_because": _TEXT_OR_NULL})


def _closed(properties: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
