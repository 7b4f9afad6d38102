"""Many events in one message: each comes out as it would have come alone, whatever else is in there."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bundle import BATCH, MOST_PARTS, PARTS, bundled, envelopes, headers_for, parts, size
from shared.bus import TENANT, Envelope, Undecodable, envelope_from

words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
anything = st.recursive(st.none() | st.integers(-9, 9) | words, st.lists, max_leaves=5)


@st.composite
def events(draw: st.DrawFn) -> Envelope:
    headers = {TENANT: draw(st.sampled_from(["default", "other"]))}
    if draw(st.booleans()):
        headers["traceparent"] = f"00-{'1' * 32}-{'2' * 16}-01"
    body = orjson.dumps({"said": draw(anything)})
    return Envelope("gristmill.unit.finished.v1", draw(words), draw(words), "s", body, headers)


def message(data: bytes, headers: dict[str, str]) -> Msg:
    return Msg(_client=Client(), subject="s", reply="", data=data, headers=headers)


@given(st.lists(events(), min_size=1, max_size=8))
def test_what_is_bundled_comes_out_as_it_would_have_come_alone(said: list[Envelope]) -> None:
    bundle = bundled(said)
    came = message(bundle.body, headers_for(bundle))
    assert size(came) == len(said)
    found = [(e.type, e.id, e.source, e.body, e.headers[TENANT]) for e in envelopes(came)]
    assert found == [(e.type, e.id, e.source, e.body, e.headers[TENANT]) for e in said]
    traces = [each.headers.get("traceparent") for each in envelopes(came)]
    assert traces == [each.headers.get("traceparent") for each in said]


def test_one_event_travels_as_ever() -> None:
    event = Envelope("t", "i", "s", "s", b"{}", {TENANT: "default"})
    assert bundled([event]) is event
    assert headers_for(event) == event.all_headers()


@pytest.mark.parametrize("data", [b"{", b"{}", b"[1]", b"[" + b"{}," * MOST_PARTS + b"{}]"])
def test_a_bundle_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(Undecodable):
        list(parts(message(data, {"content-type": BATCH})))


def test_an_event_that_lacks_an_attribute_is_refused_alone() -> None:
    sound = bundled([Envelope("t", str(n), "s", "s", b"{}") for n in range(2)])
    broken = orjson.loads(sound.body)
    del broken[0]["id"]
    first, second = parts(message(orjson.dumps(broken), {"content-type": BATCH}))
    with pytest.raises(Undecodable, match="ce-id is missing"):
        envelope_from(first.subject, first.headers, first.data)
    assert envelope_from(second.subject, second.headers, second.data).id == "1"


@pytest.mark.parametrize(("said", "found"), [("3", 3), ("999", MOST_PARTS), ("x", 1), ("-1", 1)])
def test_how_many_events_a_message_brings_is_bounded(said: str, found: int) -> None:
    assert size(message(b"", {PARTS: said})) == found
