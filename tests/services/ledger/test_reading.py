"""Whatever comes on the bus is read, refused with a code, or refused by validation; nothing else is ever raised."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import COMMANDS, EVENTS, REPORTS, REQUESTS
from contracts.message import request_subject
from services.ledger import incoming
from services.ledger.incoming import Carrier, code_of
from shared import hearing
from shared.bundle import BATCH, parts
from shared.burying import described
from shared.clock import fresh_id
from shared.errors import GristmillError
from shared.memory import MemoryBlobs
from shared.task import Done, Task, Work
from shared.unread import unread

NAMES = sorted({*REQUESTS, *REPORTS, *EVENTS, *COMMANDS})
SUBJECTS = sorted(
    {request_subject(kind, "default") for kind in REQUESTS.values()}
    | {"gristmill.results.generate", "gristmill.requests.-.x", "gristmill.requests.default.nothing"}
)
DEEP = (b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000)
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\x00", "\ufffd", "a" * 2000, "1", "-1", "../x", "\u0663"]
)
KEYS = sorted(
    {
        name
        for kind in (*REQUESTS.values(), *REPORTS.values(), *COMMANDS.values())
        for name in kind.model_fields
    }
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = (
    st.binary(max_size=200)
    | st.sampled_from(
        [*DEEP, b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b"[]", b"null", b"1e999999"]
    )
    | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6).map(
        lambda found: json.dumps(found).encode()
    )
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "ce-id": TEXTS,
        "ce-source": TEXTS,
        "ce-type": st.sampled_from(NAMES) | TEXTS,
        "ce-specversion": st.sampled_from(["1.0", "0.3"]),
        "content-type": st.sampled_from(["application/json", BATCH, "text/xml"]),
        "gristmill-tenant": st.sampled_from(["default", "acme"]) | TEXTS,
        "gristmill-attempt": TEXTS,
        "gristmill-crashes": TEXTS,
        "gristmill-blob": TEXTS | st.just("0" * 64 + "/3"),
        "gristmill-part": TEXTS,
        "traceparent": TEXTS,
    },
)
SOUND = {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0"}


def refused(problem: GristmillError | ValidationError) -> None:
    """It has a code and a bounded reason."""
    code, field = code_of(problem)
    assert code
    assert isinstance(field, str)
    assert len(described(problem)) <= 1000


def message(subject: str, body: bytes, headers: dict[str, str]) -> Msg:
    return Msg(_client=Client(), subject=subject, data=body, headers=SOUND | headers)


@given(st.sampled_from(SUBJECTS), BODIES, HEADERS)
@example("gristmill.results.generate", DEEP[0], {"ce-type": "gristmill.unit.finished.v1"})
@example("gristmill.results.generate", DEEP[1], {"ce-type": "gristmill.unit.finished.v1"})
@example("gristmill.results.generate", DEEP[0], {"content-type": BATCH})
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
async def test_what_comes_to_the_ledger_is_read_or_refused_with_a_code(
    subject: str, body: bytes, headers: dict[str, str]
) -> None:
    said = message(subject, body, headers)
    try:
        for each in parts(said):
            await incoming.read(each, Carrier(said, 1), MemoryBlobs())
    except (GristmillError, ValidationError) as problem:
        refused(problem)


@given(BODIES, HEADERS)
@example(DEEP[0], {"ce-type": "gristmill.entries.generate.v1"})
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
async def test_what_comes_to_a_worker_is_read_or_refused_with_a_report(
    body: bytes, headers: dict[str, str]
) -> None:
    async def never(task: Task[Any]) -> Done:
        raise AssertionError(task.unit)

    does = {name: Work(kind, never) for name, kind in COMMANDS.items()}
    said = message("gristmill.commands.generate", body, headers)
    try:
        await hearing.read(said, "generate", does, MemoryBlobs())
    except (GristmillError, ValidationError) as problem:
        found = unread(said, problem, "generate", fresh_id())
        assert found.is_final or found.reports
