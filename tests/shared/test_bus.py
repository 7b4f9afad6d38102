"""The topology on a real NATS, and the envelope of what travels on it."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import nats.errors
import nats.js.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import DiscardPolicy, RetentionPolicy

from contracts.project import ProjectRequested
from shared.burying import bury
from shared.bus import (
    BLOB,
    INLINE,
    REPLY_TO,
    SERVICES,
    Answer,
    Asker,
    Envelope,
    Undecodable,
    claim_check,
    claimed,
    connect,
    envelope_from,
)
from shared.errors import Refused, Unavailable
from shared.memory import MemoryBlobs
from shared.settings import Settings
from shared.stack import Nats
from shared.topology import declare, streams

MakeSettings = Callable[..., Settings]
Until = Callable[..., Awaitable[None]]
ATTRIBUTE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@pytest.fixture
async def ledger(nats_server: Nats, make_settings: MakeSettings) -> AsyncIterator[Client]:
    settings = make_settings("ledger", nats=nats_server)
    client = await connect(settings, "ledger")
    await declare(client, settings)
    yield client
    await client.close()


# -- the topology ----------------------------------------------------------------------------------


async def test_what_is_declared_is_there_with_its_policies(ledger: Client) -> None:
    stream = ledger.jetstream()
    for config in streams():
        assert config.name is not None
        found = (await stream.stream_info(config.name)).config
        assert found.subjects == config.subjects
        assert found.max_bytes == config.max_bytes
        queue = config.name in {"REQUESTS", "INBOX", "COMMANDS"}
        assert found.retention == (RetentionPolicy.WORK_QUEUE if queue else RetentionPolicy.LIMITS)
        assert found.discard == (DiscardPolicy.NEW if queue else DiscardPolicy.OLD)
    for service in SERVICES:
        consumer = (await stream.consumer_info("COMMANDS", service)).config
        assert consumer.filter_subject == f"gristmill.commands.{service}"
        assert consumer.ack_wait == 2.0


async def test_declaring_again_changes_what_differs_and_loses_no_message(
    ledger: Client, nats_server: Nats, make_settings: MakeSettings
) -> None:
    stream = ledger.jetstream()
    await stream.publish("gristmill.commands.export", b"kept")
    config = streams()[2].evolve(max_msgs=7)
    await stream.update_stream(config)

    await declare(ledger, make_settings("ledger", nats=nats_server, ack_wait=5.0))
    info = await stream.stream_info("COMMANDS")
    assert info.config.max_msgs == streams()[2].max_msgs
    assert info.state.messages == 1
    assert (await stream.consumer_info("COMMANDS", "export")).config.ack_wait == 5.0
    await stream.purge_stream("COMMANDS")


async def test_a_full_queue_refuses_what_is_new_and_keeps_what_it_holds(ledger: Client) -> None:
    stream = ledger.jetstream()
    await stream.update_stream(streams()[2].evolve(max_msgs=1))
    await stream.publish("gristmill.commands.export", b"first")
    with pytest.raises(nats.js.errors.APIError):
        await stream.publish("gristmill.commands.export", b"second")
    assert (await stream.get_last_msg("COMMANDS", "gristmill.commands.export")).data == b"first"
    await stream.purge_stream("COMMANDS")


async def test_a_service_hears_and_says_its_own_only(
    ledger: Client, nats_server: Nats, make_settings: MakeSettings
) -> None:
    client = await connect(make_settings("chunk", nats=nats_server), "chunk")
    stream = client.jetstream()
    await stream.publish("gristmill.results.chunk", b"{}")
    for subject in ("gristmill.results.generate", "gristmill.requests.default.project"):
        with pytest.raises((nats.errors.Error, TimeoutError)):
            await stream.publish(subject, b"{}", timeout=0.2)
    with pytest.raises((nats.errors.Error, TimeoutError)):
        await stream.consumer_info("COMMANDS", "generate", timeout=0.2)
    assert (await ledger.jetstream().stream_info("INBOX")).state.messages == 1
    await ledger.jetstream().purge_stream("INBOX")
    await client.close()


async def test_a_connection_comes_back_after_the_server_was_killed(
    fresh_nats: Nats, make_settings: MakeSettings, until: Until
) -> None:
    settings = make_settings("ledger", nats=fresh_nats)
    client = await connect(settings, "ledger")
    await declare(client, settings)
    await client.jetstream().publish("gristmill.commands.export", b"kept")
    os.kill(fresh_nats.pid, signal.SIGKILL)
    await until(lambda: client.stats["reconnects"] and client.is_connected)
    assert (await client.jetstream().stream_info("COMMANDS")).state.messages == 1
    await client.close()


# -- the envelope ----------------------------------------------------------------------------------


@given(id=ATTRIBUTE, source=ATTRIBUTE, body=st.binary(max_size=50))
def test_an_envelope_is_read_as_it_was_written(id: str, source: str, body: bytes) -> None:
    said = Envelope(
        type="gristmill.job.started.v1",
        id=id,
        source=source,
        subject="gristmill.events.default.job.started",
        body=body,
        headers={"gristmill-attempt": "3"},
    )
    headers = said.all_headers()
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    heard = envelope_from(said.subject, headers, body)
    assert (heard.type, heard.id, heard.source, heard.body) == (said.type, id, source, body)
    assert heard.headers["gristmill-attempt"] == "3"


def test_the_names_of_headers_are_read_in_any_case() -> None:
    headers = {"CE-Type": "t", "Ce-Id": "1", "ce-source": "s", "CE-SpecVersion": "1.0"}
    assert envelope_from("x", headers, b"").id == "1"


@pytest.mark.parametrize("missing", ["ce-type", "ce-id", "ce-source", "ce-specversion"])
def test_a_message_without_one_of_its_attributes_is_undecodable(missing: str) -> None:
    headers = Envelope(type="t", id="1", source="s", subject="x", body=b"").all_headers()
    del headers[missing]
    with pytest.raises(Undecodable, match=missing):
        envelope_from("x", headers, b"")


@pytest.mark.parametrize("headers", [None, {}, {"ce-type": ""}])
def test_a_message_without_headers_is_undecodable(headers: dict[str, str] | None) -> None:
    with pytest.raises(Undecodable):
        envelope_from("x", headers, b"")


@pytest.mark.parametrize("size", [0, 1, INLINE, INLINE + 1])
async def test_a_body_travels_by_reference_from_one_byte_over_the_inline_size(size: int) -> None:
    blobs, body = MemoryBlobs(), b"x" * size
    travels, headers = await claim_check(blobs, "default", body)
    assert (BLOB in headers) == (size > INLINE) == (travels != body)
    envelope = Envelope(type="t", id="1", source="s", subject="x", body=travels, headers=headers)
    assert await claimed(blobs, "default", envelope) == body


@pytest.mark.parametrize("mark", ["", "abc", "abc/", "abc/-1", "../6", f"{'0' * 64}/1.5"])
async def test_a_reference_that_is_none_is_undecodable(mark: str) -> None:
    envelope = Envelope(type="t", id="1", source="s", subject="x", body=b"{}", headers={BLOB: mark})
    with pytest.raises(Undecodable):
        await claimed(MemoryBlobs(), "default", envelope)


async def test_the_dead_are_kept_with_where_they_came_from_and_why(ledger: Client) -> None:
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    await ledger.subscribe("gristmill.dead.ledger", cb=hear)
    message = Msg(
        _client=ledger,
        subject="gristmill.results.chunk",
        data=b"\x00\xff",
        headers={"ce-id": "1", "Nats-Msg-Id": "would be swallowed as known"},
    )
    for _ in range(2):
        await bury(ledger, "ledger", message, "two\r\nlines" + "x" * 2000, code="x")
    await ledger.flush()
    assert [each.data for each in heard] == [b"\x00\xff"] * 2
    headers = heard[0].headers or {}
    assert headers["gristmill-subject"] == "gristmill.results.chunk"
    assert headers["gristmill-reason"].startswith("two lines")
    assert len(headers["gristmill-reason"]) == 1000
    assert headers["ce-id"] == "1"
    assert (await ledger.jetstream().stream_info("DEAD")).state.messages == 2


# -- asking ----------------------------------------------------------------------------------------


@pytest.fixture
async def asker(nats_server: Nats, make_settings: MakeSettings) -> AsyncIterator[Asker]:
    settings = make_settings("gateway", nats=nats_server, request_wait=0.5)
    client = await connect(settings, "gateway")
    yield Asker(client, settings)
    await client.close()


async def test_a_request_is_answered_at_the_askers_own_inbox(ledger: Client, asker: Asker) -> None:
    job = UUID(int=7)
    heard: list[Msg] = []

    async def answer(message: Msg) -> None:
        heard.append(message)
        reply = Answer(position="1.5", job_id=job)
        await ledger.publish((message.headers or {})[REPLY_TO], reply.model_dump_json().encode())

    await ledger.subscribe("gristmill.requests.acme.project", cb=answer)
    # The client's first ping may overtake what it still had to send, the second cannot.
    await ledger.flush()
    await ledger.flush()
    asker._wait = 10.0
    found = await asker.ask(
        ProjectRequested(name="Ä"), tenant="acme", source="test", request_id="k/1 ü"
    )
    assert (found.position, found.job_id) == ("1.5", job)
    envelope = envelope_from(heard[0].subject, heard[0].headers, heard[0].data)
    assert (envelope.type, envelope.id) == ("gristmill.project.requested.v1", "k/1 ü")
    await ledger.jetstream().purge_stream("REQUESTS")


async def test_who_is_not_answered_in_time_hears_that_the_ledger_is_away(
    ledger: Client, asker: Asker
) -> None:
    with pytest.raises(Unavailable) as away:
        await asker.ask(ProjectRequested(name="p"), tenant="default", source="t", request_id="1")
    assert (away.value.code, away.value.waiting_for) == ("not_recorded_yet", "the ledger")
    await ledger.jetstream().purge_stream("REQUESTS")


async def test_who_asks_a_bus_that_does_not_answer_hears_the_same(
    fresh_nats: Nats, make_settings: MakeSettings
) -> None:
    settings = make_settings("gateway", nats=fresh_nats, request_wait=0.3)
    client = await connect(settings, "gateway")
    os.kill(fresh_nats.pid, signal.SIGSTOP)
    with pytest.raises(Unavailable):
        await Asker(client, settings).ask(
            ProjectRequested(name="p"), tenant="default", source="t", request_id="1"
        )
    os.kill(fresh_nats.pid, signal.SIGCONT)
    await client.close()


def test_a_refusal_is_raised_with_its_status_and_field() -> None:
    answer = Answer(code="project_exists", message="Taken.", status=409, field="name")
    with pytest.raises(Refused) as refused:
        answer.or_refused()
    problem = refused.value
    assert (problem.code, problem.status, problem.field) == ("project_exists", 409, "name")
    assert Answer(position="1.1").or_refused().position == "1.1"
