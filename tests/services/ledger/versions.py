"""A small generate worker as a process of another version: ``python -m tests.services.ledger.versions older|newer``.

The older one says what the published forms require and nothing else; the newer one says fields that nobody of today
knows. Each is the worker of today with another mouth. (A command that says more than a worker knows is another test.)
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.entries import GenerateEntries
from contracts.generation import PlanGeneration
from contracts.unit import UnitDeferred, UnitFinished
from shared.blobs import Blobs
from shared.bus import Envelope
from shared.saying import Saying
from shared.service import serve, wired
from shared.worker import Done, Task, Work
from tests.services.ledger.mill import generated, plan

PUBLISHED = Path(__file__).parents[2] / "contracts" / "published"
MORE = {"of_a_later_day": {"words": ["that", "nobody", "knows"]}}


def required(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Of a message, what its published form requires."""
    schema = orjson.loads((PUBLISHED / f"{kind}.json").read_bytes())
    return {name: value for name, value in data.items() if name in schema["required"]}


def older(kind: str, report: dict[str, Any]) -> dict[str, Any]:
    events = [
        event | {"data": required(event["type"], event["data"])}
        for event in report.get("events", ())
    ]
    return required(kind, report) | ({"events": events} if events else {})


def newer(_: str, report: dict[str, Any]) -> dict[str, Any]:
    events = [event | {"data": event["data"] | MORE} for event in report.get("events", ())]
    return report | MORE | ({"events": events} if events else {})


async def generate(task: Task[GenerateEntries]) -> Done:
    task.may_start()
    return generated(task)


def work(_: Blobs) -> list[Work]:
    return [
        Work(PlanGeneration, plan),
        Work(GenerateEntries, generate, lambda command: command.share),
    ]


def speak_as(other: Any, patch: pytest.MonkeyPatch) -> None:
    before = Saying._envelope

    def envelope(self: Saying, tenant: str, report: UnitFinished | UnitDeferred) -> Envelope:
        said = before(self, tenant, report)
        return replace(said, body=orjson.dumps(other(said.type, orjson.loads(said.body))))

    patch.setattr(Saying, "_envelope", envelope)


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        speak_as({"older": older, "newer": newer}[sys.argv[1]], patch)
        serve("generate", wired(work))
