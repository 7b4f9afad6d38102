"""The API's description of itself (OpenAPI): every status that an operation may answer, and an example of everything.

Examples are made from the schemas, with the values by which README and manual call the same things. Pure but for
``install``.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.gateway.shapes import Unauthorized, Unexpected
from services.gateway.showing import BASE

ID = "7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11"
TIME = "2026-01-21T14:30:00Z"
DEEPEST = 8
JSON = "application/json"

VALUES: Mapping[str, Any] = {
    "name": "canals",
    "description": "Texts about canals",
    "project_id": 1,
    "file_name": "panama-canal.pdf",
    "file_path": "dataset_7b3c1f60_batch_0.jsonl",
    "format": "jsonl",
    "format_type": "jsonl",
    "generation_mode": "question and answer",
    "mode": "question and answer",
    "type": "question and answer",
    "model": "builtin/extractive",
    "entries": 20,
    "question": "When were the Torrijos–Carter Treaties signed?",
    "answer": "The Torrijos–Carter Treaties were signed on 7 September 1977.",
    "category": "The Panama Canal",
    "difficulty": "easy",
    "quality_score": 0.97,
    "chunk_strategy": "markdown",
    "parser": "builtin",
    "current_step": "Generating (17/52 chunks)",
    "status": "completed",
    "progress": 100,
    "total": 1,
    "page": 1,
    "per_page": 20,
    "version": "0.1.0",
    "position": "1.42",
    "language": "en",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size_bytes": 91700,
    "code": "invalid_parameter",
    "detail": "entries: Input should be greater than or equal to 1",
    "message": "Dataset generation started",
    "field": "entries",
    "error": None,
    "document_ids": [ID],
    "dataset_ids": [ID],
    "chunk_ids": [ID],
    "project_ids": [1],
}
"""What a field of this name holds in examples, where its schema takes it."""

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "400": ("invalid_parameter", "entries: Input should be greater than or equal to 1"),
    "403": ("api_key_required", "Only a gateway with an API key can be shut down from outside."),
    "404": ("dataset_not_found", f"Dataset {ID} not found"),
    "408": ("body_too_slow", "The body had not come whole after 30 s. Send it again."),
    "409": ("dataset_not_complete", f"Dataset {ID} is not complete (its job is running)."),
    "410": ("blob_missing", "The blob store does not hold the file."),
    "413": ("body_too_large", "The body is larger than 2097152 bytes."),
    "416": ("range_not_satisfiable", "The file has 5 bytes, and none in the range asked for."),
    "429": ("too_many_requests", "Too many requests. Please try again later."),
    "503": ("job_queue_unavailable", "Job queue manager not initialized"),
}
"""What a refusal with a status may say."""

SHOWN = ("entries", "generation_mode", "description", "chunk_strategy")
"""Fields of requests that an example shows though they may be left out."""


def install(app: FastAPI) -> None:
    """Describe ``app`` when it is first asked to describe itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                routes=app.routes,
                separate_input_output_schemas=app.separate_input_output_schemas,
            )
            app.openapi_schema = described(made)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the framework's documented way


def described(api: dict[str, Any]) -> dict[str, Any]:
    """``api`` with what every operation shares."""
    schemas = api.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for shape in (Unauthorized, Unexpected):
        schemas[shape.__name__] = shape.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
    api["components"]["securitySchemes"] = {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    }
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            _describe(path, method, operation, schemas)
    return api


def _describe(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)  # what is wrong with a request is answered with 400
    if path.startswith(BASE) or path == "/shutdown":
        operation["security"] = [{}, {"ApiKey": []}]
        responses.setdefault("401", _of("The API key is missing or wrong.", "Unauthorized"))
        responses.setdefault("403", _of("Only with an API key.", "Problem"))
        if path.startswith(BASE):
            responses.pop("403")
    if "requestBody" in operation:
        responses.setdefault("408", _of("The body came too slowly.", "Problem"))
    responses.setdefault("429", _of("Too many requests; see `Retry-After`.", "Problem"))
    responses.setdefault("500", _of("A failure of Gristmill's own, in its log.", "Unexpected"))
    if method == "get" and path.startswith(BASE):
        _wait_for_a_position(operation)
    for status, response in responses.items():
        content = response.get("content", {}).get(JSON, {})
        if status in PROBLEMS and str(content.get("schema", {}).get("$ref")).endswith("/Problem"):
            code, detail = PROBLEMS[status]
            field = "entries" if status == "400" else None
            content.setdefault("example", {"detail": detail, "code": code, "field": field})
    for content in _contents(operation):
        if "example" not in content and "examples" not in content and "schema" in content:
            request = content in operation.get("requestBody", {}).get("content", {}).values()
            content["example"] = example(content["schema"], schemas, request=request)
        elif "example" in content:
            _fill(content["example"], content.get("schema", {}), schemas)


def _contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in JSON or form that the operation takes or answers."""
    holders = [operation.get("requestBody", {}), *operation["responses"].values()]
    kinds = (JSON, "multipart/form-data")
    return [each for h in holders for kind, each in h.get("content", {}).items() if kind in kinds]


def _fill(shown: Any, schema: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Put back the nulls of an example that a route brings: the framework leaves them out."""
    if "$ref" in schema:
        _fill(shown, schemas.get(schema["$ref"].rpartition("/")[2], {}), schemas)
    elif isinstance(shown, dict):
        for name in schema.get("required", []):
            shown.setdefault(name, None)
        for name, each in schema.get("properties", {}).items():
            _fill(shown.get(name), each, schemas)
    elif isinstance(shown, list):
        for each in shown:
            _fill(each, schema.get("items", {}), schemas)


def _of(description: str, shape: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _wait_for_a_position(operation: dict[str, Any]) -> None:
    known = operation.setdefault("parameters", [])
    if any(each.get("name") == "min_position" for each in known):
        return
    known.append(
        {
            "name": "min_position",
            "in": "query",
            "required": False,
            "description": "A `Gristmill-Position` that the answer must have seen; it is waited for.",
            "schema": {"type": "string", "pattern": r"^[0-9]{1,9}\.[0-9]{1,18}$"},
            "example": "1.0",
        }
    )


def example(
    schema: Any,
    schemas: Mapping[str, Any],
    name: str = "",
    depth: int = 0,
    *,
    request: bool = False,
) -> Any:
    """A value that ``schema`` takes; of a request, what must be said and what is worth showing."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return {}
    if "$ref" in schema:
        found = schemas.get(schema["$ref"].rpartition("/")[2], {})
        return example(found, schemas, name, depth + 1, request=request)
    for word in ("const", "example"):
        if word in schema:
            return schema[word]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return VALUES[name] if VALUES.get(name) in schema["enum"] else schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return _one_of(schema[word], schemas, name, depth, request=request)
    if schema.get("type") == "object":
        return _object(schema, schemas, depth, request=request)
    if name in VALUES and _fits(VALUES[name], schema):
        return VALUES[name]
    if schema.get("type") == "array":
        inner = example(
            schema.get("items", {}), schemas, name.rstrip("s"), depth + 1, request=request
        )
        return [] if inner == {} else [inner]
    return _plain(schema)


def _one_of(
    choices: list[Any], schemas: Mapping[str, Any], name: str, depth: int, *, request: bool
) -> Any:
    if name in VALUES and any(_fits(VALUES[name], each) for each in choices):
        return VALUES[name]
    first = next((each for each in choices if each.get("type") != "null"), {"type": "null"})
    return example(first, schemas, name, depth + 1, request=request)


def _object(
    schema: dict[str, Any], schemas: Mapping[str, Any], depth: int, *, request: bool
) -> dict[str, Any]:
    needed = schema.get("required", [])
    return {
        name: example(each, schemas, name, depth + 1, request=request)
        for name, each in schema.get("properties", {}).items()
        if not request or name in needed or name in SHOWN
    }


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "null": (type(None),),
}


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    kinds = _TYPES.get(str(schema.get("type")), ())
    plain = "format" not in schema and "enum" not in schema and "pattern" not in schema
    return isinstance(value, kinds) and plain


def _plain(schema: dict[str, Any]) -> Any:
    match schema.get("type"), schema.get("format"):
        case "string", "uuid":
            return ID
        case "string", "date-time":
            return TIME
        case "string", "binary":
            return "(the bytes of a file)"
        case "string", _:
            return "text"
        case "integer", _:
            return max(1, int(schema.get("minimum", 1)))
        case "number", _:
            return 0.5
        case "boolean", _:
            return False
        case "null", _:
            return None
        case _:
            return {}
