"""Every operation asked with generated requests, good and bad: no failure of our own, no answer that is not described.

Seeded and small; what it found stands as a case of its own in the tables of bad requests.
"""

import asyncio
import contextlib
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import Story

EXAMPLES = 1
"""Of each operation and kind."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WAITING = ("min_position", "Gristmill-Min-Position", "timeout")
"""Parameters that have an answer wait for what never comes."""
ENDLESS = ("/stream",)
"""Operations whose answer ends with what they follow."""


async def test_no_operation_fails_or_answers_what_it_does_not_describe(
    gateway: Gateway, ledger: FakeLedger, told: Story
) -> None:
    async with gateway.http.get("/openapi.json") as response:
        described = await response.json()
    url = str(gateway.http._base_url).rstrip("/")
    for item in described["paths"].values():
        for operation in item.values():
            known = operation.get("parameters", [])
            operation["parameters"] = [each for each in known if each["name"] not in WAITING]
    problems, asked = await asyncio.to_thread(_ask_everything, described, url)
    assert not problems, "\n\n".join(problems)
    assert asked > 40


def _ask_everything(described: dict[str, Any], url: str) -> tuple[list[str], int]:
    """What was not as described, and how many requests were made."""
    problems: list[str] = []
    asked = 0
    with requests.Session() as session:
        for found in schemathesis.openapi.from_dict(described).get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            later = operation.tags is not None and "not available yet" in operation.tags
            if later or operation.path.endswith(ENDLESS):
                continue
            # What can be wrong in a path is asked in the positive way, too: no generated id is that of anything.
            wrongly = operation.body or operation.query
            for mode in GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if wrongly else []):
                made, wrong = _ask(operation, mode, url, session)
                asked += made
                problems += [f"{operation.label} ({mode.value}): {each}" for each in wrong]
    return problems, asked


def _ask(
    operation: Any, mode: GenerationMode, url: str, session: requests.Session
) -> tuple[int, list[str]]:
    wrong: list[str] = []
    asked = 0

    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        nonlocal asked
        asked += 1
        try:
            case.call_and_validate(base_url=url, session=session, checks=CHECKS, timeout=20)
        except schemathesis.core.failures.FailureGroup as group:
            wrong.extend(
                str(each)[:1500] + "\n" + case.as_curl_command()[:600] for each in group.exceptions
            )

    # An operation without parameters cannot be asked wrongly.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        one()
    return asked, wrong
