"""The client against a real server: every fault to its code, and nothing left behind."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import pytest
from pydantic import SecretStr

from shared.errors import Unavailable
from shared.llm.client import ModelClient
from shared.llm.failure import ModelError
from shared.llm.http import Http
from shared.llm.model import CallRecord, ModelRequest
from shared.llm.openai import OpenAi
from tests.performance.prompts import prompt
from tests.simulator.process import Simulation

KEY = "sk-live-0123456789abcdef"


def request(number: int = 0, schema: dict[str, object] | None = None) -> ModelRequest:
    system, user = prompt(number)
    return ModelRequest(
        model="simulated",
        messages=(("system", system), ("user", user)),
        temperature=0.7,
        max_tokens=2000,
        schema=schema,
    )


Pause = Callable[[float], Awaitable[None]]


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


class Connect(Protocol):
    def __call__(
        self,
        base_url: str,
        *,
        timeout: float = 5.0,
        key: str | None = None,
        pause: Pause = no_pause,
    ) -> ModelClient: ...


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make a client of a server; waits are counted and not waited for, unless asked."""
    opened: list[ModelClient] = []

    def make(
        base_url: str, *, timeout: float = 5.0, key: str | None = None, pause: Pause = no_pause
    ) -> ModelClient:
        http = Http(timeout)
        provider = OpenAi("openai", base_url, SecretStr(key) if key else None, http)
        client = ModelClient(
            {"openai": provider}, jitter=lambda: 0.0, pause=pause, connections=http
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.005)


async def test_an_answer_comes_over_a_connection_that_is_kept(
    simulator: Simulation, connect: Connect
) -> None:
    client = connect(simulator.openai_base_url)
    for number in range(5):
        answered = await client.call("openai", request(number))
        assert answered.answer.finish_reason == "stop"
        assert answered.answer.completion_tokens > 0
    stats = simulator.stats()
    assert (stats["calls"], stats["entries"]) == (5, 15)
    assert stats["connections"] == 2  # the client's one, and the one that asks


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ({"rate_limited": 1.0}, "rate_limited"),
        ({"server_error": 1.0}, "server_error"),
        ({"reset": 1.0}, "network"),
        ({"hang": 1.0}, "timeout"),
    ],
)
async def test_a_fault_that_stays_defers_the_unit_with_its_code(
    simulator: Simulation, connect: Connect, behaviour: dict[str, object], code: str
) -> None:
    simulator.control(**behaviour)
    reported: list[CallRecord] = []
    client = connect(simulator.openai_base_url, timeout=0.2)
    with pytest.raises(Unavailable) as away:
        await client.call("openai", request(), report=reported.append)
    assert away.value.code == code
    assert away.value.waiting_for == "openai/simulated"
    assert {record.outcome for record in reported} == {code}
    assert simulator.stats()["calls"] == len(reported)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ({"broken": 1.0}, "malformed_response"),
        ({"empty": 1.0}, "empty_response"),
        ({"models": ["other"]}, "model_not_found"),
        ({"key": "another"}, "auth"),
    ],
)
async def test_a_fault_of_the_model_is_the_units_outcome(
    simulator: Simulation, connect: Connect, behaviour: dict[str, object], code: str
) -> None:
    simulator.control(**behaviour)
    with pytest.raises(ModelError) as caught:
        await connect(simulator.openai_base_url, key=KEY).call("openai", request())
    assert caught.value.code == code


@pytest.mark.parametrize(
    "fault", ["rate_limited", "server_error", "reset", "broken", "empty", "hang"]
)
async def test_one_fault_costs_one_more_call_and_no_answer(
    simulator: Simulation, connect: Connect, fault: str
) -> None:
    simulator.control(**{fault: 1.0, "faulty_attempts": 1})
    client = connect(simulator.openai_base_url, timeout=0.5)
    answered = await client.call("openai", request())
    assert [record.outcome for record in answered.calls][1:] == ["ok"]
    assert simulator.stats()["calls"] == 2


async def test_a_cut_answer_is_an_answer_that_says_so(
    simulator: Simulation, connect: Connect
) -> None:
    simulator.control(truncated=1.0)
    answered = await connect(simulator.openai_base_url).call("openai", request())
    assert answered.answer.finish_reason == "length"


async def test_the_server_is_told_the_name_of_each_call(
    simulator: Simulation, connect: Connect
) -> None:
    simulator.control(server_error=1.0, faulty_attempts=1)
    client = connect(simulator.openai_base_url)
    await client.call("openai", request(), first=3, name=lambda number: f"call {number}")
    await client.call("openai", request(1))
    named = [(seen["call"], seen["outcome"]) for seen in simulator.calls()]
    assert named == [
        ("call 3", "server_error"), ("call 4", "ok"), (None, "server_error"), (None, "ok")
    ]  # fmt: skip


async def test_retry_after_is_waited_for(simulator: Simulation, connect: Connect) -> None:
    simulator.control(rate_limited=1.0, faulty_attempts=2, retry_after=1.5)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    await connect(simulator.openai_base_url, pause=pause).call("openai", request())
    assert pauses == [1.5, 1.5]


async def test_a_429_delays_nobody_else(simulator: Simulation, connect: Connect) -> None:
    simulator.control(rate_limited=0.3, retry_after=1.0)
    held = asyncio.Event()

    async def pause(_: float) -> None:
        await held.wait()

    client = connect(simulator.openai_base_url, pause=pause)
    calls = [asyncio.create_task(client.call("openai", request(n))) for n in range(30)]
    await until(lambda: simulator.stats()["calls"] == 30 and simulator.stats()["in_flight"] == 0)
    outcomes = simulator.stats()["outcomes"]
    await until(lambda: sum(call.done() for call in calls) == outcomes["ok"])
    assert 0 < outcomes["rate_limited"] < 30
    simulator.control(rate_limited=0.0)
    held.set()
    await asyncio.gather(*calls)
    assert simulator.stats()["paid_twice"] == 0


async def test_a_refused_connection_is_deferred_after_two_quick_tries(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reported: list[CallRecord] = []
    client = connect(f"http://127.0.0.1:{port}/v1")
    with pytest.raises(Unavailable) as away:
        await client.call("openai", request(), report=reported.append)
    assert away.value.code == "network"
    assert [record.outcome for record in reported] == ["network", "network"]


async def test_a_server_that_speaks_no_http_is_malformed(connect: Connect) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(ModelError) as caught:
            await connect(f"http://127.0.0.1:{port}/v1").call("openai", request())
    assert caught.value.code == "malformed_response"


async def test_a_cancelled_call_leaves_no_connection(
    simulator: Simulation, connect: Connect
) -> None:
    simulator.control(hang=1.0)
    client = connect(simulator.openai_base_url, timeout=60)
    calls = [asyncio.create_task(client.call("openai", request(n))) for n in range(8)]
    await until(lambda: simulator.stats()["in_flight"] == 8)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await until(lambda: simulator.stats()["connections"] == 1)
    assert simulator.stats()["in_flight"] == 0


@pytest.mark.parametrize("behaviour", [{"key": "another"}, {"models": []}, {"server_error": 1.0}])
async def test_the_key_is_in_no_message_and_no_repr(
    simulator: Simulation, connect: Connect, behaviour: dict[str, object]
) -> None:
    simulator.control(**behaviour)
    client = connect(simulator.openai_base_url, key=KEY)
    with pytest.raises((ModelError, Unavailable)) as caught:
        await client.call("openai", request())
    error = caught.value
    said = [str(error), repr(error), error.message, repr(error.__cause__), repr(vars(client))]
    assert not [text for text in said if KEY in text or "0123456789" in text]


@pytest.mark.parametrize("key", ["e", "EMPTY", "read"])
async def test_a_word_given_for_a_key_stays_in_the_answers(
    simulator: Simulation, connect: Connect, key: str
) -> None:
    said = await connect(simulator.openai_base_url).call("openai", request())
    again = await connect(simulator.openai_base_url, key=key).call("openai", request())
    assert again.answer.text == said.answer.text
    assert "[key]" not in again.answer.raw


async def test_a_server_without_schemas_is_asked_without_and_remembered(
    simulator: Simulation, connect: Connect
) -> None:
    simulator.control(formats=[])
    client = connect(simulator.openai_base_url)
    schema: dict[str, object] = {"type": "object"}
    first = await client.call("openai", request(0, schema=schema))
    assert [record.outcome for record in first.calls] == [
        "unsupported_parameter",
        "unsupported_parameter",
        "ok",
    ]
    assert "schema" in first.answer.notes
    second = await client.call("openai", request(1, schema=schema))
    assert [record.outcome for record in second.calls] == ["ok"]


async def test_many_first_calls_narrow_the_dialect_once(
    simulator: Simulation, connect: Connect
) -> None:
    simulator.control(formats=["json_object"])
    client = connect(simulator.openai_base_url)
    await asyncio.gather(
        *(client.call("openai", request(n, schema={"type": "object"})) for n in range(20))
    )
    last = await client.call("openai", request(99, schema={"type": "object"}))
    assert "json_object" in last.answer.notes["schema"]
