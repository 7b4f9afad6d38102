"""Many CloudEvents in one message of the bus, by the batch mode of CloudEvents 1.0: a JSON array of structured events.

A bundle costs one acknowledgement of the bus instead of one for each event, and is nothing but a way to travel: each
event in it keeps its own id, tenant and trace, and is recorded, ignored or buried by itself. Sends nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

import orjson
from nats.aio.msg import Msg

from shared.bus import PART, SAFE, TENANT, Envelope, Undecodable, envelope_from, headers_of
from shared.telemetry.traces import HEADER

BATCH = "application/cloudevents-batch+json"
PARTS = "gristmill-parts"
"""Header: how many events a message brings, for whoever takes only so many; without it, one."""
MOST_PARTS = 64
AROUND = 400
"""Bytes, at most, that an event of ours takes in a bundle besides its body."""

_ATTRIBUTES = {"ce-id": "id", "ce-source": "source", "ce-type": "type"}
_EXTENSIONS = {TENANT: "gristmilltenant", HEADER: "traceparent"}


def bundled(envelopes: Sequence[Envelope]) -> Envelope:
    """One message for events of one subject. Those whose bodies lie elsewhere travel alone."""
    first = envelopes[0]
    if len(envelopes) == 1:
        return first
    events = [
        {
            "specversion": "1.0",
            "type": each.type,
            "id": each.id,
            "source": each.source,
            **{name: each.headers[key] for key, name in _EXTENSIONS.items() if key in each.headers},
            "data": orjson.Fragment(each.body),
        }
        for each in envelopes
    ]
    headers = {"Nats-Msg-Id": f"{first.id}+", PARTS: str(len(envelopes))}
    return replace(first, body=orjson.dumps(events), headers=headers)


def headers_for(envelope: Envelope) -> dict[str, str]:
    """The headers under which an event, or a bundle of them, is published."""
    if PARTS not in envelope.headers:
        return envelope.all_headers()
    return {"content-type": BATCH, **envelope.headers}


def size(message: Msg) -> int:
    """How many events a message says that it brings."""
    said = (message.headers or {}).get(PARTS, "1")
    return min(int(said), MOST_PARTS) if said.isdecimal() else 1


def parts(message: Msg) -> Iterator[Msg]:
    """The message itself, or each event of a bundle as the message that it would have been alone.

    Raises:
        Undecodable: a bundle that is none.
    """
    media = headers_of(message).get("content-type", "")
    if media != BATCH:
        yield message
        return
    try:
        events = orjson.loads(message.data)
    except orjson.JSONDecodeError:
        raise Undecodable("the bundle is no JSON", "malformed_json") from None
    if not isinstance(events, list) or not all(isinstance(each, dict) for each in events):
        raise Undecodable("the bundle is no list of events")
    if len(events) > MOST_PARTS:
        raise Undecodable(f"the bundle brings more than {MOST_PARTS} events")
    for number, event in enumerate(events):
        yield Msg(
            _client=message._client,  # noqa: SLF001 - a part is acknowledged with its message, never by itself
            subject=message.subject,
            reply=message.reply,
            data=orjson.dumps(event.pop("data", None)),
            headers=_headers(event) | {PART: str(number)},
        )


def _headers(event: dict[str, object]) -> dict[str, str]:
    """The headers of an event that travels alone; what is missing here is found missing there."""
    names = {"ce-specversion": "specversion", **_ATTRIBUTES, **_EXTENSIONS}
    return {key: quote(str(event[name]), safe=SAFE) for key, name in names.items() if name in event}


def envelopes(message: Msg) -> list[Envelope]:
    """All that a message brings. Raise ``Undecodable`` where one of them is no event."""
    return [envelope_from(each.subject, headers_of(each), each.data) for each in parts(message)]
