"""A way to ask the built-in model about a text and read its answer back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.generation import Slot
from services.generate.extractive.passage import Passage
from services.generate.extractive.respond import respond

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def passage() -> Callable[..., Passage]:
    def make(text: str, **parts: Any) -> Passage:
        slots = parts.pop("slots", (Slot(),) * parts.pop("n", 20))
        whole = {
            "mode": "question and answer", "title": "Panama Canal", "outline": (), "heading_path": (), "before": "",
            "after": "",
        }  # fmt: skip
        return Passage(text=text, slots=slots, **(whole | parts))

    return make


@pytest.fixture(scope="session")
def ask(passage: Callable[..., Passage]) -> Ask:
    """The parsed answer to a text; every quote is checked to be in the text."""

    def put(text: str, **parts: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(respond(passage(text, **parts)))
        assert list(answer) == ["entries", "nothing_because"]
        for entry in answer["entries"]:
            assert all(quote and quote in text for quote in entry.get("evidence", []))
        return answer

    return put


@pytest.fixture(scope="session")
def pairs(ask: Ask) -> Callable[..., dict[str, str]]:
    """Question to answer of everything asked about a text."""

    def put(text: str, **parts: Any) -> dict[str, str]:
        return {entry["question"]: entry["answer"] for entry in ask(text, **parts)["entries"]}

    return put


REFERENCE = """# Panama Canal

The **Panama Canal** is an artificial 82-kilometre waterway in Panama that connects the Atlantic Ocean with
the Pacific Ocean. It cuts across the Isthmus of Panama and is a conduit for maritime trade. The canal was
opened on 15 August 1914. The canal is 82 kilometres long.

## History

The Hay–Bunau-Varilla Treaty was signed in 1903. The [Torrijos–Carter Treaties](http://example.org/t) were signed
in 1977.[^1] They provided for the handover of the canal to Panama in 1999. However, this was not the first attempt.
The Gatun Dam was designed by George Washington Goethals. Gatun Lake was created in 1913 by damming the Chagres River.

## Locks

A navigation lock is a device used for raising and lowering boats between stretches of water of different levels.
The expanded Panama Canal locks consist of three chambers and nine basins. Water-saving basins are needed because
each passage of a ship uses about 200 million litres of fresh water.

| Lock | Width (m) | Chambers | Opened | Remark |
|---|---|---|---|---|
| Gatun | 33.5 | 3 | 1914 | oldest |
| Agua Clara | 55 | 3 | 2016 | new |

## How to transit the canal

1. Book a transit slot with the authority.
2. Anchor in the waiting area.
3. Take a pilot on board.

## Questions

### How long does a transit take?

A transit of the Panama Canal takes 8 to 10 hours. Waiting time is not included.
"""


@pytest.fixture(scope="session")
def reference() -> str:
    """Reference prose as a demo document has it."""
    return REFERENCE
