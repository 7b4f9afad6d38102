"""The written promises are those of the code, and they only ever grow."""

import json
import re
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from contracts import REQUESTS, schemas
from contracts.message import CLOSED, request_subject
from contracts.schemas import PROMISED, asyncapi, files, schema_of
from contracts.schemas.__main__ import main
from contracts.schemas.asyncapi import ANSWERS, HEADERS, STREAMS
from contracts.schemas.compatibility import incompatible
from shared.bus import (
    ATTEMPT,
    BLOB,
    JOB,
    POSITION,
    REPLY_TO,
    Answer,
    Envelope,
)
from shared.stack.users import OPEN
from shared.topology import DAY, streams

WRITTEN = Path(schemas.__file__).parent
PUBLISHED = Path(__file__).parent / "published"
SAMPLES = Path(__file__).parent / "samples"
wanted_files = cache(files)
RENEW = "the schemas are stale; write them anew with: python -m contracts.schemas"


def test_the_written_schemas_are_those_of_the_contracts() -> None:
    files = (path for path in WRITTEN.iterdir() if path.suffix in (".json", ".md"))
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    wanted = wanted_files()
    stale = sorted(
        name for name in written.keys() | wanted.keys() if written.get(name) != wanted.get(name)
    )
    assert stale == [], RENEW


def test_writing_brings_a_folder_up_to_date_and_removes_what_is_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gristmill.miller.slept.v1.json").write_text("{}")
    main(tmp_path)
    first = capsys.readouterr().out
    main(tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == wanted_files()
    assert "removed gristmill.miller.slept.v1.json" in first
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_published_form_is_still_taken(name: str) -> None:
    path = PUBLISHED / f"{name}.json"
    assert path.exists(), f"publish it: cp contracts/schemas/{name}.json tests/contracts/published/"
    published = json.loads(path.read_text(encoding="utf-8"))
    breaks = incompatible(published, schema_of(PROMISED[name]))
    assert breaks == [], f"{name} is a promise; make a V2 class with an upcaster beside it"


def test_nothing_that_was_published_is_gone() -> None:
    assert {path.stem for path in PUBLISHED.glob("*.json")} <= PROMISED.keys()


def test_a_schema_says_what_stands_under_each_field() -> None:
    schema = schema_of(PROMISED["gristmill.call.settled.v1"])
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["description"].startswith("A model call ended")
    assert (
        schema["properties"]["number"]["description"] == "Of the call within its attempt, from 0."
    )
    inherited = schema_of(PROMISED["gristmill.document.parse.v1"])
    assert {"job_id", "units"} <= set(inherited["required"])


# -- AsyncAPI ----------------------------------------------------------------------------------------


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(each) for each in node.values()))
    return set().union(*(references(each) for each in node)) if isinstance(node, list) else set()


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads(wanted_files()["asyncapi.json"])
    for reference in references(document):
        if reference.startswith("./"):
            assert (WRITTEN / reference).exists(), reference
            continue
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_every_message_travels_on_a_channel_and_every_channel_has_both_ends() -> None:
    document = json.loads(wanted_files()["asyncapi.json"])
    assert document["channels"].pop("answers")["messages"].keys() == ANSWERS.keys()
    carried = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert carried == PROMISED.keys() - schemas.KEPT.keys()
    ends: dict[str, set[str]] = {name: set() for name in document["channels"]}
    for each in document["operations"].values():
        ends[each["channel"]["$ref"].removeprefix("#/channels/")].add(each["action"])
    assert all(actions == {"send", "receive"} for actions in ends.values())


def test_the_document_keeps_to_what_asyncapi_asks_of_each_part() -> None:
    document = json.loads(wanted_files()["asyncapi.json"])
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    for name, channel in document["channels"].items():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", name)
        # Each variable of an address is described, and nothing else is.
        named = set(re.findall(r"{(\w+)}", channel["address"] or ""))
        assert channel.get("parameters", {}).keys() == named
    for each in document["operations"].values():
        assert each["action"] in {"send", "receive"}
        channel = each["channel"]["$ref"]
        assert channel.removeprefix("#/channels/") in document["channels"]
        for answer in each.get("reply", {}).get("messages", []):
            # A reply may name only messages of the channel that it names.
            assert answer["$ref"].startswith(each["reply"]["channel"]["$ref"] + "/messages/")
    for message in document["components"]["messages"].values():
        for trait in message.get("traits", []):
            assert trait["$ref"].startswith("#/components/messageTraits/")
    for trait in document["components"]["messageTraits"].values():
        Draft202012Validator.check_schema(trait["headers"])
        assert set(trait["headers"]["required"]) <= trait["headers"]["properties"].keys()


@pytest.mark.parametrize("name", [*sorted(PROMISED), *ANSWERS])
def test_every_payload_is_a_schema_that_takes_its_golden_sample(name: str) -> None:
    if name in ANSWERS:
        Draft202012Validator.check_schema(ANSWERS[name])
        told = Answer(position="1.2", job_id=UUID(int=1)) if name == "answer.recorded" else None
        refused = Answer(code="x", message="y", field="z")
        Draft202012Validator(ANSWERS[name]).validate(json.loads((told or refused).said()))
        return
    schema = json.loads(wanted_files()[f"{name}.json"])
    Draft202012Validator.check_schema(schema)
    sample = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(sample)


def test_every_subject_lies_in_the_stream_that_the_document_names() -> None:
    document = json.loads(wanted_files()["asyncapi.json"])
    del document["channels"]["answers"]
    for channel in document["channels"].values():
        [subject] = document["x-jetstream-streams"][channel["x-jetstream"]["stream"]]["subjects"]
        pattern = re.escape(subject).replace(r"\*", "[^.]+").replace(">", ".+")
        assert re.fullmatch(pattern, channel["address"])


def test_other_systems_may_say_every_request_but_what_is_closed_to_them() -> None:
    said = {request_subject(cls, "x").rpartition(".")[2] for cls in REQUESTS.values()}
    assert said - set(CLOSED) == set(OPEN)


def test_the_streams_of_the_document_are_those_of_the_bus() -> None:
    declared = {
        str(each.name): {
            "subjects": each.subjects,
            "retention": each.retention and each.retention.value,
            "discard": each.discard and each.discard.value,
            "max_age_days": (each.max_age or 0) / DAY,
            "duplicate_window_seconds": each.duplicate_window,
        }
        for each in streams()
    }
    assert declared == STREAMS


def test_the_headers_of_the_document_are_those_of_the_envelope() -> None:
    traits = json.loads(json.dumps(asyncapi()))["components"]["messageTraits"]
    common = set(traits["report"]["headers"]["properties"])
    sent = set(Envelope("t", "i", "s", "x", b"").all_headers())
    assert sent <= common
    assert BLOB in common
    assert (REPLY_TO in HEADERS["request"], ATTEMPT in HEADERS["command"]) == (True, True)
    assert {POSITION, JOB} <= HEADERS["event"].keys()
