"""How everything that goes wrong is answered: ``{detail, code, field}`` with a status, never a trace or a secret."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.gateway.known_parameters import fields_of, meant
from shared.blobs import BlobMissing
from shared.errors import GristmillError, Refused, Unavailable
from shared.telemetry import scope

log = logging.getLogger(__name__)

_CODES = {
    400: "malformed_json",  # the framework says so of a body that it cannot read, and of nothing else
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "body_too_large",
}
_KINDS = {
    "missing": "missing_parameter",
    "extra_forbidden": "unknown_parameter",
    "json_invalid": "malformed_json",
}
_NO_OBJECT = ("model_attributes_type", "model_type", "dict_type")
_NOT_JSON = "The body is not valid JSON in UTF-8 (or it is nested too deeply, or holds a number that is too long)."
PATIENCE = 5
"""Seconds after which what was too much may be asked again."""
MOST_FIELD = 100
"""Characters of a field's name that are repeated."""


def answer(status: int, code: str, detail: str, field: str | None = None) -> JSONResponse:
    return JSONResponse(
        {"detail": detail, "code": code, "field": field or None}, status_code=status
    )


def install(app: FastAPI) -> None:
    """Answer every exception in the one shape."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(BlobMissing, _gone)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Refused)  # noqa: S101 - registered for this class only
    response = answer(problem.status, problem.code, problem.message, problem.field)
    if problem.status == 429:
        response.headers["Retry-After"] = str(PATIENCE)
    return _last(response)


async def _unavailable(_request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Unavailable)  # noqa: S101 - registered for this class only
    response = answer(503, problem.code, problem.message)
    response.headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    return response


async def _gone(_request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, GristmillError)  # noqa: S101 - registered for a subclass only
    return answer(410, problem.code, problem.message)


async def _invalid(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, RequestValidationError)  # noqa: S101 - registered for this class only
    first = problem.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str | int))
    field = field[:MOST_FIELD]
    code = _KINDS.get(first["type"], "invalid_parameter")
    where = None if code == "malformed_json" else field
    sentence = _sentence(first, field, code)
    if code == "unknown_parameter":
        sentence += meant(field, fields_of(request))
    return answer(400, code, sentence, where)


def _sentence(error: dict[str, Any], field: str, code: str) -> str:
    """What is wrong, with the field's name; the offending value is not repeated, since it may be a secret."""
    if code == "malformed_json":
        return _NOT_JSON
    if not field and error["type"] in _NO_OBJECT:
        return "The body must be a JSON object, sent with Content-Type: application/json."
    if code == "missing_parameter":
        return f"{field or 'A JSON body'} is required."
    if code == "unknown_parameter":
        return f"{field} is not a parameter of this request."
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


async def _http(_request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)  # noqa: S101 - registered for this class only
    code = _CODES.get(problem.status_code, "http_error")
    detail = _NOT_JSON if code == "malformed_json" else str(problem.detail)
    return _last(answer(problem.status_code, code, detail))


def _last(response: JSONResponse) -> JSONResponse:
    """The rest of a body that was too slow is not waited for, so nothing else can come on its connection."""
    if response.status_code == 408:
        response.headers["Connection"] = "close"
    return response


async def _unexpected(request: Request, problem: Exception) -> JSONResponse:
    request_id = str(request.state.request_id)
    with scope.bound(request=request_id):
        log.error("a request failed", exc_info=problem)
    return JSONResponse(
        {
            "error": "Internal server error",
            "message": "An unexpected error occurred",
            "request_id": request_id,
        },
        status_code=500,
        # The framework answers this past every other layer, so the header is set here.
        headers={"X-Request-Id": request_id},
    )


def first_of(errors: Sequence[Any]) -> tuple[str, str]:
    """The field and the message of the first of pydantic's errors, for a model that is built from parts."""
    error = errors[0]
    return ".".join(str(part) for part in error["loc"]), str(error["msg"]).removeprefix(
        "Value error, "
    )
