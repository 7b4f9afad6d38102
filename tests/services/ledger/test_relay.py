"""What was committed is published: commands once an attempt, events in the order of the log."""

import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from contracts.generation import GenerationRequested, GenerationSettings
from contracts.project import ProjectRequested
from services.ledger import relay
from shared.bus import ATTEMPT, BLOB, POSITION, Envelope, claimed
from shared.stack import Nats, Running
from tests.services.ledger.mill import Mill, job


async def announced(mill: Mill, events: int) -> list[Envelope]:
    """What stands in EVENTS, in its order; what a further leader said again is there once."""

    async def all_there() -> bool:
        return await mill.in_stream("EVENTS") == events

    await mill.until(all_there)
    found: dict[str, Envelope] = {}
    for each in mill.envelopes("gristmill.events"):
        found.setdefault(each.id, each)
    return list(found.values())


async def test_events_are_announced_in_the_order_of_the_log_with_their_ids(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    await mill.ended(await mill.generate_from(40))
    log = await mill.log()
    found = await announced(mill, len(log))
    assert [each.headers[POSITION] for each in found] == [each.position for each in log]
    for envelope, recorded in zip(found, log, strict=True):
        assert envelope.id == envelope.headers["nats-msg-id"] == str(recorded.id)
        assert envelope.headers["ce-time"] == recorded.recorded_at.isoformat()
        assert envelope.headers["ce-subject"] == str(recorded.stream)
        assert envelope.source == "ledger"
        assert orjson.loads(envelope.body) == recorded.event.model_dump(mode="json")
    said = [each.subject for each in mill.heard if ".control." not in each.subject]
    assert said[-1].startswith("gristmill.events.default.")


async def test_a_large_event_goes_by_blob_and_keeps_its_place(mill: Mill) -> None:
    await mill.ledger()
    project = await mill.project()
    await mill.document(project, "1")
    settings = GenerationSettings(model="openai/x", custom_prompt="\U0001f30d" * 90_000)
    request = GenerationRequested(project_id=project, settings=settings)
    large = job(await mill.ask(request))
    await mill.ask(ProjectRequested(name="after"))
    log = await mill.log()
    found = await announced(mill, len(log))
    assert [each.headers[POSITION] for each in found] == [each.position for each in log]
    [envelope] = [each for each in found if each.headers["ce-subject"] == str(large)]
    assert BLOB in envelope.headers
    body = await claimed(mill.blobs, "default", envelope)
    assert GenerationRequested.model_validate_json(body) == request


async def test_the_next_leader_goes_on_where_the_last_one_stopped(mill: Mill) -> None:
    await mill.ledger()
    await mill.project()
    await announced(mill, 2)
    # What is announced and not noted yet is announced again, which is another test.
    noted = "select pos = 2 from ledger.checkpoints where name = 'relay'"
    await mill.until(lambda: mill.pool.fetchval(noted))
    await mill.stop_ledger()
    await mill.ledger()
    await mill.project()
    await announced(mill, 4)
    assert len(mill.envelopes("gristmill.events")) == 4


async def test_what_was_announced_and_not_noted_is_announced_again_without_effect(
    mill: Mill,
) -> None:
    """A ledger that was killed between the two."""
    await mill.ledger()
    await mill.project()
    await announced(mill, 2)
    await mill.stop_ledger()
    await mill.pool.execute("update ledger.checkpoints set pos = 0")
    await mill.ledger()
    await mill.until(lambda: len(mill.envelopes("gristmill.events")) == 4)
    assert await mill.in_stream("EVENTS") == 2


async def test_a_command_is_published_once_an_attempt(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    await mill.ended(await mill.generate_from(30))
    commands = mill.envelopes("gristmill.commands")
    ids = [each.headers["nats-msg-id"] for each in commands]
    assert ids == [f"{each.id}:1" for each in commands]
    assert {each.headers[ATTEMPT] for each in commands} == {"1"}
    assert len(set(ids)) == len(ids)


def store_of(stack: Running, nats: Nats) -> Path:
    [folder] = [folder for server, folder in stack._extra if server is nats]
    return folder / "store"


async def wipe(mill: Mill, stack: Running, nats: Nats) -> None:
    """Kill the bus and empty it, as a lost disk would."""
    before = nats.starts
    shutil.rmtree(store_of(stack, nats), ignore_errors=True)
    os.kill(nats.pid, signal.SIGKILL)
    shutil.rmtree(store_of(stack, nats), ignore_errors=True)
    await mill.until(lambda: nats.starts > before)
    await mill.until(lambda: mill.client.is_connected)


async def test_a_bus_that_comes_back_empty_is_declared_again_without_being_used(
    own_bus: Mill, stack: Running, fresh_nats: Nats
) -> None:
    await own_bus.ledger()
    await own_bus.project()
    await wipe(own_bus, stack, fresh_nats)

    async def declared() -> bool:
        info = await own_bus.client.jetstream().streams_info()
        consumer = await own_bus.client.jetstream().consumers_info("COMMANDS")
        return len(info) == 5 and len(consumer) == 5

    await own_bus.until(lambda: _quietly(declared))
    assert await own_bus.project()


async def _quietly(check: Callable[[], Awaitable[bool]]) -> bool:
    from nats.errors import Error

    try:
        return await check()
    except (Error, TimeoutError):
        return False


async def test_what_a_killed_bus_had_not_written_is_announced_again(
    own_bus: Mill, fresh_nats: Nats
) -> None:
    """It stores announcements without waiting for the disk, and says so before."""
    await own_bus.ledger()
    for _ in range(10):
        await own_bus.project()
    before = fresh_nats.starts
    await own_bus.until(lambda: len(own_bus.envelopes("gristmill.events")) == 20)
    os.kill(fresh_nats.pid, signal.SIGKILL)
    await own_bus.until(lambda: fresh_nats.starts > before)
    await own_bus.until(lambda: own_bus.client.is_connected)

    async def whole() -> bool:
        return await own_bus.in_stream("EVENTS") == 20

    await own_bus.until(lambda: _quietly(whole))


async def test_what_is_too_much_to_keep_is_read_from_the_log(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MOST_KEPT", 3)
    monkeypatch.setattr(relay, "BATCH", 2)
    await mill.ledger()
    mill.documents()
    mill.generation()
    await mill.ended(await mill.generate_from(40))
    log = await mill.log()
    found = await announced(mill, len(log))
    assert [each.headers[POSITION] for each in found] == [each.position for each in log]
