"""What the simulated server says of itself under load, and that it refuses what a real one refuses."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from tests.performance.prompts import prompt
from tests.simulator.process import ROOT, Simulation


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


def body(number: int = 0, **changes: object) -> bytes:
    system, user = prompt(number)
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return orjson.dumps({"model": "simulated", "messages": messages, "max_tokens": 2000} | changes)


class Asker:
    """Posts bodies to one server."""

    def __init__(self, simulator: Simulation, session: aiohttp.ClientSession) -> None:
        self._url = f"{simulator.openai_base_url}/chat/completions"
        self._session = session

    async def __call__(self, data: bytes, **headers: str) -> tuple[int, dict[str, object]]:
        async with self._session.post(self._url, data=data, headers=headers) as response:
            return response.status, orjson.loads(await response.read())


@pytest.fixture
def ask(simulator: Simulation, session: aiohttp.ClientSession) -> Asker:
    return Asker(simulator, session)


async def test_calls_repeats_and_paid_answers_are_counted(
    simulator: Simulation, ask: Asker
) -> None:
    simulator.control(latency_ms=50)
    await asyncio.gather(*(ask(body(n % 20)) for n in range(50)))
    stats = simulator.stats()
    assert stats["calls"] == 50
    assert stats["distinct"] == 20
    assert stats["repeats"] == 30
    assert stats["paid_twice"] == 30
    assert stats["in_flight"] == 0
    assert stats["in_flight_max"] == 50
    assert stats["outcomes"] == {"ok": 50}
    assert stats["entries"] == 150
    assert stats["last"] >= stats["first"] + 0.05


async def test_each_call_is_kept_with_its_name_and_who_made_it(
    simulator: Simulation, session: aiohttp.ClientSession, ask: Asker
) -> None:
    simulator.control(server_error=1.0, faulty_attempts=1)
    await ask(body(), **{"X-Client-Request-Id": "first"})
    await ask(body())
    url = f"{simulator.url}/generate-2/v1/chat/completions"
    async with session.post(url, data=body(1)) as response:
        assert response.status == 500
    first, second, third = simulator.calls()
    assert (first["call"], first["by"], first["outcome"]) == ("first", "", "server_error")
    assert (second["call"], second["outcome"]) == (None, "ok")
    assert second["answer"].startswith("chatcmpl-")
    assert first["request"] == second["request"] != third["request"]
    assert third["by"] == "generate-2"
    assert first["begin"] <= first["end"] <= second["begin"]


async def test_a_fault_is_no_paid_answer(simulator: Simulation, ask: Asker) -> None:
    simulator.control(server_error=1.0, faulty_attempts=1)
    statuses = [(await ask(body()))[0] for _ in range(2)]
    stats = simulator.stats()
    assert statuses == [500, 200]
    assert (stats["repeats"], stats["paid_twice"]) == (1, 0)
    assert stats["outcomes"] == {"server_error": 1, "ok": 1}


async def test_more_than_the_limit_at_once_is_refused(simulator: Simulation, ask: Asker) -> None:
    simulator.control(concurrency=4, latency_ms=100)
    answers = await asyncio.gather(*(ask(body(n)) for n in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 4 + [429] * 6


async def test_more_than_the_limit_at_once_waits_where_asked(
    simulator: Simulation, ask: Asker
) -> None:
    simulator.control(concurrency=4, queue=True, latency_ms=10)
    answers = await asyncio.gather(*(ask(body(n)) for n in range(10)))
    assert {status for status, _ in answers} == {200}


@pytest.mark.parametrize(
    ("behaviour", "data", "status"),
    [
        ({"key": "k"}, body(), 401),
        ({"models": ["other"]}, body(), 404),
        ({"formats": ["json_object"]}, body(response_format={"type": "json_schema"}), 400),
        ({}, b"{", 400),
        ({}, body(messages=[]), 400),
        ({}, body(messages=[{"role": "user", "content": None}]), 400),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_refused(
    simulator: Simulation, ask: Asker, behaviour: dict[str, object], data: bytes, status: int
) -> None:
    simulator.control(**behaviour)
    assert (await ask(data))[0] == status
    assert simulator.stats()["in_flight"] == 0


async def test_the_right_key_is_let_in(simulator: Simulation, ask: Asker) -> None:
    simulator.control(key="k")
    assert (await ask(body(), Authorization="Bearer k"))[0] == 200


async def test_a_prefix_seen_before_is_cached(ask: Asker) -> None:
    cached = []
    for number in range(2):
        _, answer = await ask(body(number))
        usage = answer["usage"]
        assert isinstance(usage, dict)
        cached.append(usage["prompt_tokens_details"]["cached_tokens"])
    assert cached[0] == 0
    assert cached[1] > 500


async def test_an_answer_beyond_max_tokens_is_cut(ask: Asker) -> None:
    _, answer = await ask(body(max_tokens=20))
    assert isinstance(answer["choices"], list)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(answer["choices"][0]["message"]["content"]) == 80


async def test_a_client_that_leaves_is_no_longer_in_flight(
    simulator: Simulation, ask: Asker
) -> None:
    simulator.control(hang=1.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ask(body())
    async with asyncio.timeout(5):
        while simulator.stats()["in_flight"]:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.005)
    assert simulator.stats()["outcomes"] == {"gone": 1}


def test_an_unknown_behaviour_is_refused(simulator: Simulation) -> None:
    with pytest.raises(RuntimeError, match="bad_control"):
        simulator.control(latnecy_ms=5)
    with pytest.raises(RuntimeError, match="bad_control"):
        simulator.control(server_error=1.5)


def test_requests_in_pieces_and_in_one_go_are_answered_in_order(simulator: Simulation) -> None:
    host, port = simulator.url.removeprefix("http://").split(":")
    one = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"
    other = b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(one[:9])
        client.sendall(one[9:] + one + other)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert said.index(b"HTTP/1.1 404") > said.rindex(b"HTTP/1.1 200")


def test_it_runs_by_its_path_and_stops_when_told() -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/simulator"), "latency_ms=1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.terminate()
        assert process.wait(10) == 0
