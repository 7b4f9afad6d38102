"""The API's description of itself: whole, with examples that its own schemas take."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from services.gateway.app import create_app
from services.gateway.deps import Deps
from shared.settings import Settings

METHODS = ("get", "post", "put", "delete", "patch")


@cache
def api() -> dict[str, Any]:
    return create_app(Deps(Settings())).openapi()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in api()["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def examples(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    holders = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for where, holder in holders.items():
        for kind, content in holder.get("content", {}).items():
            if kind in ("application/json", "multipart/form-data"):
                yield where, content


def test_every_operation_is_described_and_shows_what_it_takes_and_answers() -> None:
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(ids) == len(set(ids)) > 50
    for name, operation in operations():
        assert operation.get("summary"), name
        assert operation.get("tags"), name
        assert "422" not in operation["responses"], name
        assert {"429", "500"} <= set(operation["responses"]), name
        for where, content in examples(operation):
            assert "example" in content or "examples" in content, (name, where)
        for status, response in operation["responses"].items():
            assert response.get("description"), (name, status)


def test_every_operation_of_the_api_says_what_it_may_refuse() -> None:
    for name, operation in operations():
        if " /api/v1" in name:
            assert {"400", "401"} <= set(operation["responses"]), name
            assert operation["security"] == [{}, {"ApiKey": []}], name


def test_every_example_is_what_its_schema_takes() -> None:
    found = api()
    wrong = []
    for name, operation in operations():
        for where, content in examples(operation):
            if "schema" not in content or "example" not in content:
                continue
            schema = {**content["schema"], "components": found["components"]}
            problems = Draft202012Validator(schema).iter_errors(content["example"])
            wrong += [f"{name} {where}: {each.message}" for each in problems]
    assert wrong == []
