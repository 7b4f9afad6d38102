"""Operations that Gristmill's users know and that are not built: each says so by name, where a 404 would puzzle."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from services.gateway.shapes import Problem
from shared.errors import Refused

router = APIRouter(tags=["not available yet"])

LATER: tuple[tuple[str, str, str], ...] = (
    ("PUT", "/datasets/{id}/entries/{entry_id}", "changing an entry"),
    ("POST", "/datasets/{id}/feedback", "feedback on entries"),
    ("POST", "/datasets/{id}/regenerate", "generating entries again"),
    ("POST", "/datasets/generate-evaluation", "evaluation sets"),
    ("GET", "/datasets/config/high-level-prompts", "lists of prompts"),
    ("GET", "/datasets/config/default-prompts", "lists of prompts"),
    ("POST", "/datasets/parameters", "saved parameters of generation"),
    ("GET", "/datasets/parameters/{id}", "saved parameters of generation"),
    ("GET", "/datasets/settings/batch-processing", "settings over REST"),
    ("POST", "/datasets/settings/batch-processing", "settings over REST"),
    ("GET", "/datasets/versions", "versions of datasets"),
    ("GET", "/datasets/versions/latest", "versions of datasets"),
    ("POST", "/datasets/versions/compare", "comparing versions of datasets"),
    ("POST", "/datasets/versions/rollback", "going back to a version of a dataset"),
    ("POST", "/datasets/versions/increment", "versions of datasets"),
    ("GET", "/prompts", "stored prompts"),
    ("POST", "/prompts", "stored prompts"),
    ("GET", "/prompts/{id}", "stored prompts"),
    ("PUT", "/prompts/{id}", "stored prompts"),
    ("DELETE", "/prompts/{id}", "stored prompts"),
    ("GET", "/prompts/by-name/{name}", "stored prompts"),
    ("POST", "/quality/analyze", "reports on the quality of a file"),
    ("GET", "/quality/history", "reports on the quality of a file"),
    ("GET", "/quality/metrics", "reports on the quality of a file"),
    ("POST", "/quality/validate", "reports on the quality of a file"),
    ("POST", "/quality/threshold-check", "reports on the quality of a file"),
    ("GET", "/quality/{id}/results", "reports on the quality of a file"),
    ("POST", "/benchmarking/run", "benchmarks"),
    ("GET", "/benchmarking/results", "benchmarks"),
    ("GET", "/benchmarking/results/{id}", "benchmarks"),
    ("POST", "/benchmarking/cancel/{id}", "benchmarks"),
    ("POST", "/benchmarking/compare", "benchmarks"),
    ("GET", "/benchmarking/history", "benchmarks"),
    ("GET", "/benchmarking/leaderboard", "benchmarks"),
    ("GET", "/taxonomy", "taxonomies"),
    ("POST", "/taxonomy", "taxonomies"),
    ("DELETE", "/taxonomy", "taxonomies"),
    ("POST", "/taxonomy/generate", "taxonomies"),
    ("POST", "/taxonomy/extend", "taxonomies"),
    ("GET", "/taxonomy/{id}", "taxonomies"),
    ("PUT", "/taxonomy/{id}", "taxonomies"),
    ("DELETE", "/taxonomy/{id}", "taxonomies"),
    ("GET", "/extraction", "extraction of entities"),
    ("POST", "/extraction", "extraction of entities"),
    ("GET", "/extraction/{id}", "extraction of entities"),
    ("DELETE", "/extraction/{id}", "extraction of entities"),
    ("GET", "/extraction/{id}/results", "extraction of entities"),
    ("DELETE", "/extraction/{id}/delete", "extraction of entities"),
    ("POST", "/extraction/{id}/restart", "extraction of entities"),
    ("GET", "/extraction/projects/{id}/jobs", "extraction of entities"),
    ("GET", "/extraction/storage/{what}", "extraction of entities"),
    ("POST", "/extraction/storage/maintenance/{what}", "extraction of entities"),
    ("GET", "/plugins", "uploaded plugins (formats come as Python packages)"),
    ("POST", "/plugins/upload", "uploaded plugins (formats come as Python packages)"),
    ("DELETE", "/plugins/{id}", "uploaded plugins (formats come as Python packages)"),
    ("GET", "/settings/log-level", "settings over REST"),
    ("POST", "/settings/log-level", "settings over REST"),
)
"""Method, path, and what it would be."""


def _refusing(what: str) -> Callable[..., Awaitable[Problem]]:
    async def refuse() -> Problem:
        raise Refused("not_available", f"Not available yet: {what}.")

    return refuse


def _add(method: str, path: str, what: str) -> None:
    name = f"{method} {path}".lower()
    example: dict[str, Any] = {
        "detail": f"Not available yet: {what}.",
        "code": "not_available",
        "field": None,
    }
    router.add_api_route(
        path,
        _refusing(what),
        methods=[method],
        status_code=400,
        response_model=Problem,
        response_description=f"Not available yet: {what}.",
        responses={400: {"content": {"application/json": {"example": example}}}},
        summary=f"Not available yet: {what}",
        operation_id="later_" + "".join(c if c.isalnum() else "_" for c in name),
    )


for row in LATER:
    _add(*row)
