"""Golden samples: what was once said stays readable for ever. A sample is added, never edited."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import EVENTS, REPORTS
from contracts.entries import EntriesCurated, EntriesGenerated
from contracts.generation import GenerationRequested
from contracts.message import Message
from contracts.schemas import PROMISED, rendered
from contracts.unit import UnitFinished
from shared.bus import dump

Drawn = Callable[[type[Message]], st.SearchStrategy[Any]]

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
OF_TYPE = re.compile(r"(gristmill\.[a-z_]+\.[a-z_]+\.v[0-9]+|[A-Z][A-Za-z]+)(\.[a-z0-9-]+)?")
"""``<type>.json``; a later form of the same message adds ``<type>.<word>.json``."""


def type_of(path: Path) -> str:
    found = OF_TYPE.fullmatch(path.stem)
    assert found, f"{path.name} is not <wire type>.json or <wire type>.<word>.json"
    return found.group(1)


def test_every_message_has_a_sample() -> None:
    missing = sorted(PROMISED.keys() - {type_of(path) for path in SAMPLES})
    assert missing == [], "write tests/contracts/samples/<type>.json, by hand and realistic"


def test_no_message_that_has_a_sample_was_taken_away() -> None:
    assert sorted({type_of(path) for path in SAMPLES} - PROMISED.keys()) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_and_written_again_byte_for_byte(path: Path) -> None:
    written = path.read_text(encoding="utf-8")

    message = PROMISED[type_of(path)].model_validate_json(written)

    # Fields that the class got later are in no old sample; they take their defaults.
    assert rendered(message.model_dump(mode="json", exclude_unset=True)) == written
    assert type(message).model_validate_json(dump(message)) == message


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_with_a_field_that_nobody_knows_is_refused(path: Path) -> None:
    said = json.loads(path.read_text(encoding="utf-8")) | {"surprise": 1}
    with pytest.raises(ValueError, match="surprise"):
        PROMISED[type_of(path)].model_validate(said)


def test_what_an_outcome_carries_is_itself_a_message() -> None:
    (path,) = (path for path in SAMPLES if path.stem == "gristmill.unit.finished.v1")
    report = UnitFinished.model_validate_json(path.read_text(encoding="utf-8"))
    for said in report.events:
        assert (
            EVENTS[said.type].model_validate(said.data).model_dump(mode="json", exclude_unset=True)
            == said.data
        )


MAIN = (EntriesGenerated, EntriesCurated, GenerationRequested, UnitFinished)


@pytest.mark.parametrize("cls", MAIN, ids=lambda cls: cls.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_main_messages_survive_the_wire_whatever_they_hold(
    cls: type[Message], drawn: Drawn, data: st.DataObject
) -> None:
    message = data.draw(drawn(cls))
    assert cls.model_validate_json(dump(message)) == message
    assert orjson.loads(dump(message)) == message.model_dump(mode="json")


@pytest.mark.parametrize("name", sorted(PROMISED.keys()))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_message_survives_the_wire(name: str, drawn: Drawn, data: st.DataObject) -> None:
    cls = PROMISED[name]
    message = data.draw(drawn(cls))
    assert cls.model_validate_json(dump(message)) == message


def test_reports_are_no_events_of_the_log() -> None:
    assert REPORTS.keys() & EVENTS.keys() == set()
