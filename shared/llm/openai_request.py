"""Chat completions as OpenAI's API wants them asked, and the dialects that other servers make of it. Pure.

A dialect says what a model was found to take. It starts with everything and loses what the server refuses by
name, so that the first call of a job may be refused once or twice and no later one is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from shared.llm.model import ModelRequest

Format = Literal["json_schema", "json_object", "none"]

_UNSUPPORTED = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|not (?:supported|permitted|allowed|available|compatible)"
    r"|(?:does|do|did)(?: not|n't) (?:support|allow|exist)|invalid|extra inputs|must be",
    re.IGNORECASE,
)
_NEXT_FORMAT: Mapping[Format, Format] = {"json_schema": "json_object", "json_object": "none"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one model at one address takes."""

    format: Format = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    seed: bool = True

    def notes(self, request: ModelRequest) -> dict[str, str]:
        """What of ``request`` this dialect leaves out, by parameter."""
        notes = {}
        if not self.temperature:
            notes["temperature"] = "not taken by the model, left at its default"
        if not self.seed and request.seed is not None:
            notes["seed"] = "not taken by the model"
        if self.format != "json_schema" and request.schema is not None:
            notes["schema"] = f"not enforced by the model (response format {self.format})"
        return notes


def request_body(request: ModelRequest, dialect: Dialect) -> bytes:
    """The JSON of one call; the same arguments give the same bytes."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": [{"role": role, "content": content} for role, content in request.messages],
        dialect.limit: request.max_tokens,
    }
    if dialect.temperature:
        body["temperature"] = request.temperature
    if dialect.seed and request.seed is not None:
        body["seed"] = request.seed
    if request.schema is not None and dialect.format == "json_schema":
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": request.schema},
        }
    elif request.schema is not None and dialect.format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return orjson.dumps(body)


def adapted(dialect: Dialect, request: ModelRequest, complaint: str) -> Dialect | None:
    """The dialect without what ``complaint`` (of a 400 or 422) refuses; None: it refuses nothing that we can leave out.

    Only a complaint that names the parameter counts, so that a schema with a mistake in it is not taken for a server
    without schemas.
    """
    if not _UNSUPPORTED.search(complaint):
        return None
    said = complaint.lower()
    if dialect.limit == "max_tokens" and "max_completion_tokens" in said:
        return replace(dialect, limit="max_completion_tokens")
    if request.schema is not None and dialect.format != "none" and _about_format(said):
        return replace(dialect, format=_NEXT_FORMAT[dialect.format])
    if dialect.temperature and re.search(r"\btemperature\b", said):
        return replace(dialect, temperature=False)
    if dialect.seed and request.seed is not None and re.search(r"\bseed\b", said):
        return replace(dialect, seed=False)
    return None


def _about_format(said: str) -> bool:
    # OpenAI's "Invalid schema for response_format" is our mistake, not a missing ability.
    if "invalid schema" in said:
        return False
    return any(
        name in said
        for name in ("response_format", "json_schema", "json_object", "structured output", "guided")
    )
