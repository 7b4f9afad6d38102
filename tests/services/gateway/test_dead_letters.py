"""Dead letters over REST: of one's own tenant, masked, bounded, whatever they hold."""

from collections.abc import AsyncIterator
from uuid import UUID

import orjson
import pytest

from contracts.letter import LetterDropRequested, LetterRetryRequested
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway

JOB = str(UUID(int=7))
GENERATE = "gristmill.commands.generate"


async def kept(ledger: FakeLedger, body: bytes, **headers: str) -> None:
    said = {"gristmill-subject": GENERATE, "gristmill-code": "x", "gristmill-reason": "Because."}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    await ledger.client.jetstream().publish("gristmill.dead.generate", body, headers=said)


@pytest.fixture
async def buried(gateway: Gateway, ledger: FakeLedger) -> AsyncIterator[None]:
    await ledger.client.jetstream().purge_stream("DEAD")
    body = orjson.dumps({"job_id": JOB, "units": [], "api_key": "sk-abcdef", "n": 1.5})
    await kept(ledger, body, authorization="Bearer abcdefgh", ce_type="t", ce_id="1")
    await kept(ledger, b"\x00\xff", gristmill_tenant="acme")
    await kept(ledger, b"\x00\xff", gristmill_reason="at nats://user:secret@host")
    await kept(ledger, b"[" * 100_000)
    yield
    await ledger.client.jetstream().purge_stream("DEAD")


async def test_they_are_listed_with_the_newest_first_and_those_of_others_left_out(
    gateway: Gateway, buried: None
) -> None:
    page = await gateway.get("/dead-letters?per_page=2")
    assert (page["total"], page["older"], len(page["dead_letters"])) == (3, False, 2)
    large, garbled = page["dead_letters"]
    assert (large["size"], large["service"], large["subject"]) == (100_000, "generate", GENERATE)
    assert "secret" not in garbled["reason"]
    [first] = (await gateway.get("/dead-letters?per_page=2&page=2"))["dead_letters"]
    assert (first["job_id"], first["type"], first["message_id"]) == (JOB, "t", "1")
    assert (await gateway.get("/jobs/overview"))["dead_letters"] == 3


async def test_each_is_shown_as_what_it_holds_and_no_secret_of_it(
    gateway: Gateway, buried: None
) -> None:
    found = (await gateway.get("/dead-letters"))["dead_letters"]
    large, garbled, whole = [await gateway.get(f"/dead-letters/{each['id']}") for each in found]
    assert whole["headers"]["authorization"] == "***"
    assert (whole["encoding"], whole["truncated"]) == ("json", False)
    assert whole["body"] == {"job_id": JOB, "units": [], "api_key": "***", "n": 1.5}
    assert (garbled["encoding"], garbled["body"]) == ("hex", "00ff")
    assert (large["encoding"], large["truncated"]) == ("text", True)
    assert len(large["body"]) == 64 * 1024


async def test_a_retry_and_a_drop_are_asked_of_the_ledger(
    gateway: Gateway, ledger: FakeLedger, buried: None
) -> None:
    [newest, *_] = (await gateway.get("/dead-letters"))["dead_letters"]
    name = newest["id"]
    await gateway.post(f"/dead-letters/{name}/retry", None)
    await gateway.delete(f"/dead-letters/{name}")
    assert [request for _, request in ledger.asked] == [
        LetterRetryRequested(letter=name),
        LetterDropRequested(letter=name),
    ]


@pytest.mark.parametrize("name", ["1500000000000-1", "x", "0-0", "..%2F..", "9" * 400])
async def test_one_that_is_not_there_is_not_found(
    gateway: Gateway, ledger: FakeLedger, buried: None, name: str
) -> None:
    for said in (
        await gateway.get(f"/dead-letters/{name}", 404),
        await gateway.post(f"/dead-letters/{name}/retry", None, 404),
        await gateway.delete(f"/dead-letters/{name}", status=404),
    ):
        assert said["code"] in ("letter_not_found", "not_found")
    assert ledger.asked == []
