"""The promises of the wire, written out for readers in any language: one JSON Schema (2020-12) a message, one for each
body and blob that is kept, and an AsyncAPI document. ``python -m contracts.schemas`` writes the files; nothing here
opens one.
"""

import ast
import inspect
import json
import textwrap
from functools import cache
from itertools import pairwise

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from contracts import COMMANDS, EVENTS, REPORTS
from contracts.document import Chunk, Structure
from contracts.entries import CallBody, EntriesBody
from contracts.generation import PlanManifest, PlanPage
from contracts.message import Message
from contracts.schemas.asyncapi import asyncapi
from contracts.schemas.table import event_table

__all__ = ["DIALECT", "KEPT", "PROMISED", "asyncapi", "event_table", "files", "schema_of"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

KEPT: dict[str, type[Message]] = {
    cls.__name__: cls for cls in (EntriesBody, CallBody, PlanManifest, PlanPage, Structure, Chunk)
}
"""Bodies and blobs that outlive the version that wrote them, so that their form is a promise as well."""

PROMISED: dict[str, type[Message]] = EVENTS | REPORTS | COMMANDS | KEPT
"""Everything whose form is promised, by the name of its file."""


class _Described(GenerateJsonSchema):
    """Adds what stands under each field in the source as its description."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        properties = found.get("properties", {})
        cls: type[Message] = schema["cls"]
        for name, text in _said_of_fields(cls).items():
            if name in properties:
                properties[name] = {**properties[name], "description": text}
        return found


@cache
def _said_of_fields(cls: type[Message]) -> dict[str, str]:
    """The strings that follow the fields of a class and of its bases, by field."""
    said: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not (issubclass(base, Message) and base.__module__.startswith("contracts.")):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, text in pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(words))),
                ):
                    said[name] = inspect.cleandoc(words)
    return said


def schema_of(cls: type[Message]) -> JsonSchemaValue:
    """What a message of this class may be, as whoever says it must know: fields with a default may be left out."""
    return {
        "$schema": DIALECT,
        **cls.model_json_schema(schema_generator=_Described, mode="validation"),
    }


TITLE = """# What is said

Every message, who says and who hears it. `python -m contracts.schemas` writes this file and its neighbours: a JSON
Schema for each, and an AsyncAPI document with the subjects. The rules of their names are in `contracts/message.py`."""


def files() -> dict[str, str]:
    """The text of every file, by its name; the same for the same contracts."""
    schemas: dict[str, object] = {
        f"{name}.json": schema_of(cls) for name, cls in sorted(PROMISED.items())
    }
    schemas["asyncapi.json"] = asyncapi()
    texts = {name: rendered(schema) for name, schema in schemas.items()}
    return texts | {"README.md": f"{TITLE}\n\n{event_table()}\n"}


def rendered(document: object) -> str:
    """JSON as it is written: indented, with the characters themselves, one newline at its end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
