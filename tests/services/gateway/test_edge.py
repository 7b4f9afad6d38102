"""What a request meets before any route: the lock, the limit, names, other origins; without any server behind it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.gateway.__main__ import Server
from services.gateway.deps import Deps
from shared.api_keys import MARK, hash_of
from shared.errors import Refused
from shared.settings import Settings
from tests.services.gateway.listening import Gateway, listening

KEY, OTHER = "key-of-the-first-user", "key-of-the-other-user"
FAR = {"X-Forwarded-For": "192.0.2.7"}
"""A proxy on this machine says where a request came from."""


@pytest.fixture(scope="module")
async def locked() -> AsyncIterator[Gateway]:
    keys = f"{KEY},{MARK}{hash_of(OTHER)}"
    settings = Settings.model_validate({"api_keys": keys, "rate_limit": 0})
    async with listening(Deps(settings)) as found:
        yield found


async def status(gateway: Gateway, path: str, **headers: str) -> tuple[int, aiohttp.ClientResponse]:
    async with gateway.http.get(path, headers=headers) as response:
        await response.read()
        return response.status, response


async def test_any_key_locks_everything_but_the_pages_that_say_what_this_is(
    locked: Gateway,
) -> None:
    for path in ("/", "/health", "/docs", "/redoc", "/openapi.json"):
        assert (await status(locked, path))[0] in (200, 503), path
    for path in (
        "/api/v1/projects",
        "/api/v1/projects/",
        "/nowhere",
        "/docs/oauth2-redirect",
    ):
        async with locked.http.get(path) as response:
            assert response.status == 401, path
            missing = {"error": "Unauthorized", "message": "Missing X-API-Key header"}
            assert await response.json() == missing
    async with locked.http.post("/shutdown") as response:
        assert response.status == 401


async def test_a_wrong_key_is_told_from_a_missing_one(locked: Gateway) -> None:
    for wrong in ("nonsense", f"{KEY}x", hash_of(OTHER), MARK + hash_of(OTHER), "clé"):
        async with locked.http.get("/api/v1/projects", headers={"X-API-Key": wrong}) as response:
            assert response.status == 401
            invalid = {"error": "Unauthorized", "message": "Invalid API key"}
            assert await response.json() == invalid
    for key in (KEY, OTHER):
        assert (await status(locked, "/api/v1/projects", **{"X-API-Key": key}))[0] == 503
    assert not locked.deps.dismissed.is_set()


async def test_every_answer_names_its_request(locked: Gateway) -> None:
    for path in ("/", "/nowhere", "/api/v1/projects"):
        _, one = await status(locked, path)
        _, two = await status(locked, path)
        assert one.headers["X-Request-Id"] != two.headers["X-Request-Id"]
        _, mine = await status(locked, path, **{"X-Request-Id": "mine-7"})
        assert mine.headers["X-Request-Id"] == "mine-7"
        _, bad = await status(locked, path, **{"X-Request-Id": "a b\tc"})
        assert "a b" not in bad.headers["X-Request-Id"]


async def test_pages_from_known_origins_may_call_it_and_no_others(locked: Gateway) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for origin, allowed in (("http://localhost:3000", True), ("http://evil.example", False)):
        headers = {"Origin": origin, **asked}
        async with locked.http.options("/api/v1/projects", headers=headers) as response:
            assert (response.status == 200) == allowed
        _, answered = await status(locked, "/api/v1/projects", Origin=origin)
        assert (answered.headers.get("Access-Control-Allow-Origin") == origin) == allowed


async def test_the_limit_is_told_and_holds_for_each_address() -> None:
    async with listening(Deps(Settings.model_validate({"rate_limit": 3}))) as gateway:
        left = []
        for _ in range(3):
            code, response = await status(gateway, "/", **FAR)
            assert code == 200
            assert response.headers["X-RateLimit-Limit"] == "3"
            left.append(response.headers["X-RateLimit-Remaining"])
        assert left == ["2", "1", "0"]
        async with gateway.http.get("/api/v1/projects", headers=FAR) as response:
            assert response.status == 429
            said = await response.json()
            assert said["detail"] == "Too many requests. Please try again later."
            assert said["code"] == "too_many_requests"
            assert 1 <= int(response.headers["Retry-After"]) <= 60
            assert int(response.headers["X-RateLimit-Reset"]) > 1_700_000_000
        assert (await status(gateway, "/health", **FAR))[0] == 503
        assert (await status(gateway, "/"))[0] == 200


async def test_nobody_is_counted_on_an_open_machine_of_ones_own() -> None:
    async with listening(Deps(Settings())) as gateway:
        code, response = await status(gateway, "/")
        assert code == 200
        assert "X-RateLimit-Limit" not in response.headers
        _, response = await status(gateway, "/", **FAR)
        assert response.headers["X-RateLimit-Limit"] == "200"
        assert response.headers["X-RateLimit-Remaining"] == "199"


async def test_an_open_gateway_is_not_shut_down_from_outside() -> None:
    async with listening(Deps(Settings())) as gateway, gateway.http.post("/shutdown") as response:
        assert response.status == 403
        assert (await response.json())["code"] == "api_key_required"


async def test_a_locked_gateway_is_shut_down_by_a_key(tmp_path: object) -> None:
    settings = Settings.model_validate({"api_key": KEY, "data": tmp_path})
    async with listening(Deps(settings)) as gateway:
        async with gateway.http.post("/shutdown", headers={"X-API-Key": KEY}) as response:
            assert response.status == 202
            assert (await response.json())["scope"] == "gateway"
        assert gateway.deps.dismissed.is_set()


def test_the_gateway_itself_refuses_an_open_door_to_others() -> None:
    with pytest.raises(Refused) as refused:
        Server(Settings.model_validate({"host": "0.0.0.0"}))
    assert refused.value.code == "api_key_required"
    Server(Settings.model_validate({"host": "0.0.0.0", "api_key": KEY}))
