"""The REST client, against a small real server in the gateway's place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from services.cli import client
from services.cli.client import Api, base_of, connected
from services.cli.finding import found, running_on
from services.cli.grinding import fresh_project, project_of
from shared.errors import GristmillError, Refused, Unavailable
from shared.stack import Presence, free_port

PROBLEM = {"detail": "Job x not found", "code": "job_not_found", "field": None}


class Gateway:
    """Answers what a test put in, in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.asked: list[tuple[str, str, str | None]] = []
        self.bodies: list[object] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/":
            return web.json_response({"message": "Gristmill API"})
        self.asked.append((request.method, request.path, request.headers.get("Idempotency-Key")))
        if request.content_type == "application/json":
            self.bodies.append(await request.json())
        elif request.content_type == "multipart/form-data":
            form = await request.post()
            self.bodies.append([getattr(part, "filename", part) for part in form.values()])
        return self.answers.pop(0)


@asynccontextmanager
async def serving(handle: web.RequestHandler | object) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port("127.0.0.1")
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    fake = Gateway()
    async with serving(fake.handle) as url:
        fake.url = url
        yield fake


@pytest.fixture
async def api(gateway: Gateway) -> AsyncIterator[Api]:
    async with connected(gateway.url) as api:
        yield api


def project(name: str) -> web.Response:
    return web.json_response({"id": f"id of {name}", "name": name, "alias": 1})


def taken() -> web.Response:
    return web.json_response({"detail": "It exists", "code": "project_exists"}, status=400)


async def test_what_the_gateway_refuses_keeps_its_code_and_words(
    gateway: Gateway, api: Api
) -> None:
    gateway.answers = [web.json_response(PROBLEM, status=404)]
    with pytest.raises(Refused) as refused:
        await api.job("x")
    assert (refused.value.code, refused.value.message) == ("job_not_found", "Job x not found")


async def test_a_request_is_repeated_with_its_key_while_the_gateway_is_away(
    gateway: Gateway, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAUSE", 0.0)
    away = {"detail": "The store is away", "code": "store_unavailable"}
    gateway.answers = [web.json_response(away, status=503), project("tea")]
    assert (await api.make_project("tea")).id == "id of tea"
    (_, _, first), (_, _, second) = gateway.asked
    assert first is not None
    assert first == second


async def test_patience_ends(gateway: Gateway, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.0)
    monkeypatch.setattr(client, "PAUSE", 0.0)
    away = {"detail": "The store is away", "code": "store_unavailable"}
    gateway.answers = [web.json_response(away, status=503) for _ in range(50)]
    with pytest.raises(Unavailable) as problem:
        await api.make_project("tea")
    assert problem.value.code == "store_unavailable"


async def test_an_answer_that_is_no_answer_is_one_clear_error(gateway: Gateway, api: Api) -> None:
    gateway.answers = [web.Response(text="<html>", status=500), web.json_response({"jobs": 3})]
    with pytest.raises(Refused) as problem:
        await api.jobs(5)
    assert problem.value.code == "gateway_failed"
    with pytest.raises(GristmillError) as unread:
        await api.jobs(5)
    assert unread.value.code == "answer_not_understood"


async def test_settings_are_checked_for_a_project_that_nobody_has(
    gateway: Gateway, api: Api
) -> None:
    unknown = {"detail": "Project with ID 0 not found", "code": "project_not_found"}
    model = {"detail": "There is no provider foo", "code": "unknown_provider"}
    gateway.answers = [web.json_response(unknown, status=404), web.json_response(model, status=400)]
    await api.check({"model": "openai/x"})
    assert gateway.bodies == [{"model": "openai/x", "project_id": 0, "document_ids": []}]
    with pytest.raises(Refused) as refused:
        await api.check({"model": "foo/x"})
    assert refused.value.code == "unknown_provider"


async def test_files_travel_under_their_own_names(
    gateway: Gateway, api: Api, tmp_path: Path
) -> None:
    paths = [tmp_path / "a b.md", tmp_path / "tä.txt"]
    for path in paths:
        path.write_text("x")
    gateway.answers = [web.json_response({"uploaded_files": []})]
    await api.upload("p1", paths)
    assert gateway.bodies == [["p1", "a b.md", "tä.txt"]]


async def test_a_download_is_waited_for_and_written_whole(
    gateway: Gateway, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAUSE", 0.0)
    submitted = {"job_id": "j2", "message": "being written"}
    gateway.answers = [
        web.json_response(submitted, status=202),
        web.Response(body=b"x" * 1_000_000),
    ]
    target = tmp_path / "tea.jsonl"
    assert await api.download("/api/v1/datasets/d1/download?format=jsonl", target) == 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["tea.jsonl"]


async def test_a_name_that_is_taken_gets_a_number(gateway: Gateway, api: Api) -> None:
    gateway.answers = [taken(), taken(), project("tea-3")]
    assert (await fresh_project(api, "tea")).name == "tea-3"
    assert gateway.bodies == [{"name": "tea"}, {"name": "tea-2"}, {"name": "tea-3"}]


async def test_a_project_that_is_there_takes_more_documents(gateway: Gateway, api: Api) -> None:
    listed = {"projects": [{"id": "p1", "name": "tea"}], "total": 1}
    gateway.answers = [taken(), web.json_response(listed)]
    assert (await project_of(api, "tea")).id == "p1"


async def test_where_nobody_answers_it_says_so_at_once() -> None:
    nobody = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    with pytest.raises(Unavailable) as problem:
        async with connected(nobody):
            pass
    assert problem.value.message == f"No gateway answers at {nobody} (connection refused)."


async def test_another_program_is_not_taken_for_a_gateway() -> None:
    async def other(_: web.Request) -> web.Response:
        return web.json_response({"hello": "world"})

    async with serving(other) as url:
        with pytest.raises(Refused) as problem:
            async with connected(url):
                pass
    assert problem.value.code == "not_gristmill"


async def test_a_data_folder_leads_to_its_gateway_unless_that_was_killed(
    gateway: Gateway, tmp_path: Path
) -> None:
    assert await running_on(tmp_path) is None
    presence = tmp_path / "up.json"
    presence.write_text(Presence(url=gateway.url, pid=1).model_dump_json())
    assert await running_on(tmp_path) == gateway.url
    gone = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    presence.write_text(Presence(url=gone, pid=1).model_dump_json())
    with pytest.raises(Unavailable) as problem:
        async with found(None, tmp_path):
            pass
    assert problem.value.code == "nothing_runs"
    assert f"gristmill up --data {tmp_path}" in problem.value.message


@pytest.mark.parametrize(
    "said", ["localhost:8000", "http://localhost:8000/", "http://localhost:8000/api/v1"]
)
def test_an_address_may_be_said_in_part_or_in_full(said: str) -> None:
    assert base_of(said) == "http://localhost:8000"
