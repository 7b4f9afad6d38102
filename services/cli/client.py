"""The gateway's REST API as the terminal uses it: one method per thing it asks for, failures as our own errors.

A request is repeated while the gateway is away, for as long as patience lasts; each carries a key of its own, so that
a repeated one has one effect.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import ValidationError

from services.cli.answers import (
    Answer,
    Chain,
    Dataset,
    DeadLetterDone,
    DeadLetters,
    DeadLetterWhole,
    Document,
    Documents,
    Entries,
    Health,
    Job,
    JobAsked,
    Jobs,
    Overview,
    Previewed,
    Processes,
    Project,
    Projects,
    Replayed,
    Submitted,
    Uploaded,
)
from services.cli.environment import own_key
from shared.clock import fresh_id, monotonic
from shared.errors import GristmillError, Refused, Unavailable
from shared.settings import as_environment

BASE = "/api/v1"
PATIENCE = 30.0
"""Seconds that a gateway may be away in the middle of a command."""
PAUSE = 0.25
SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=20)
"""Of a stream, which says that it is there every 15 s: one that is silent for longer is broken."""
PIECE = 256 * 1024
NOBODY = 0
"""Aliases of projects start at 1, so no project has this one."""

A = TypeVar("A", bound=Answer)
T = TypeVar("T")
Sender = Callable[[aiohttp.ClientSession], Awaitable[T]]


class Api:
    """One gateway."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self._session = session

    async def health(self) -> Health:
        """What the gateway says of its parts, also while some of them are away."""
        async with self._session.get("/health") as answer:
            if answer.status == 503:
                return Health.model_validate_json(await answer.read())
            return await _read(answer, Health)

    async def make_project(self, name: str) -> Project:
        return await self._post("/projects", Project, {"name": name})

    async def project_named(self, name: str) -> Project | None:
        page = 1
        while True:
            answer = await self._get("/projects", Projects, page=page, per_page=1000)
            for project in answer.projects:
                if project.name == name:
                    return project
            if page * 1000 >= answer.total:
                return None
            page += 1

    async def upload(self, project: str, paths: Sequence[Path]) -> list[Document]:
        """The documents of the files, in their order. Raise ``Refused``, with none of them taken, where the gateway
        does not take one.
        """
        key = _key()

        async def send(session: aiohttp.ClientSession) -> Uploaded:
            with contextlib.ExitStack() as files:
                form = aiohttp.FormData(quote_fields=False)  # a name is to arrive as it is
                form.add_field("project_id", project)
                for path in paths:
                    file = files.enter_context(path.open("rb"))
                    form.add_field("files", file, filename=path.name)
                async with session.post(f"{BASE}/documents/upload", data=form, headers=key) as sent:
                    return await _read(sent, Uploaded)

        return (await self._patiently(send)).uploaded_files

    async def fetch(self, project: str, urls: Sequence[str]) -> Submitted:
        """Have what lies at these addresses fetched, up to 100 of them."""
        return await self._post(
            "/documents/url", Submitted, {"project_id": project, "urls": list(urls)}
        )

    async def documents(self, project: str) -> list[Document]:
        """The first 1000."""
        answer = await self._get(f"/projects/{project}/documents", Documents, per_page=1000)
        return answer.documents

    async def check(self, body: Mapping[str, Any]) -> None:
        """Have the settings of ``generate`` checked. Raise ``Refused`` for what the gateway finds wrong with them."""
        try:
            await self._post(
                "/datasets/generate", Submitted, {**body, "project_id": NOBODY, "document_ids": []}
            )
        except Refused as problem:
            # The settings are looked at first: this is what good ones for nobody's project are answered.
            if problem.code != "project_not_found":
                raise

    async def generate(self, body: Mapping[str, Any]) -> Submitted:
        return await self._post("/datasets/generate", Submitted, body)

    async def job(self, id: str) -> Job:
        return await self._get(f"/jobs/status/{id}", Job)

    async def states(self, id: str) -> AsyncGenerator[Job, None]:
        """The job at once and whenever it changes, as the gateway tells by itself, until it has ended or the stream
        breaks, which is no error.
        """
        path, left = f"{BASE}/jobs/status/{id}/stream", b""
        try:
            async with self._session.get(path, timeout=SILENCE) as answer:
                if answer.content_type != "text/event-stream":
                    return
                async for piece in answer.content.iter_any():
                    *blocks, left = (left + piece).split(b"\n\n")
                    for block in blocks:
                        _, found, data = block.partition(b"data: ")
                        if found:
                            yield Job.model_validate_json(data)
        except (aiohttp.ClientError, TimeoutError, ValidationError):
            return

    async def jobs(self, limit: int) -> Jobs:
        return await self._get("/jobs", Jobs, per_page=limit)

    async def overview(self) -> Overview:
        return await self._get("/jobs/overview", Overview)

    async def cancel(self, id: str) -> JobAsked:
        return await self._post(f"/jobs/cancel/{id}", JobAsked, None)

    async def pause(self, id: str) -> JobAsked:
        return await self._post(f"/jobs/pause/{id}", JobAsked, None)

    async def fork(self, id: str, position: str | None, name: str | None) -> Submitted:
        return await self._post(f"/jobs/fork/{id}", Submitted, {"position": position, "name": name})

    async def resume(self, id: str) -> JobAsked:
        return await self._post(f"/jobs/resume/{id}", JobAsked, None)

    async def processes(self, service: str) -> Processes:
        return await self._get(f"/services/{quote(service, safe='')}", Processes)

    async def drain(self, service: str, incarnation: str | None) -> Processes:
        """Tell them, or one of them, to finish what they hold and to end."""
        path = f"{BASE}/services/{quote(service, safe='')}/drain"
        parameters = {} if incarnation is None else {"incarnation": incarnation}

        async def send(session: aiohttp.ClientSession) -> Processes:
            async with session.post(path, params=parameters) as answer:
                return await _read(answer, Processes)

        return await self._patiently(send)

    async def dead_letters(self, limit: int) -> DeadLetters:
        return await self._get("/dead-letters", DeadLetters, per_page=limit)

    async def dead_letter(self, id: str) -> DeadLetterWhole:
        return await self._get(f"/dead-letters/{quote(id, safe='')}", DeadLetterWhole)

    async def retry_dead_letter(self, id: str) -> DeadLetterDone:
        return await self._post(f"/dead-letters/{quote(id, safe='')}/retry", DeadLetterDone, None)

    async def drop_dead_letter(self, id: str) -> DeadLetterDone:
        key, path = _key(), f"{BASE}/dead-letters/{quote(id, safe='')}"

        async def send(session: aiohttp.ClientSession) -> DeadLetterDone:
            async with session.delete(path, headers=key) as answer:
                return await _read(answer, DeadLetterDone)

        return await self._patiently(send)

    async def start_replay(self) -> Replayed:
        return await self._post("/service/replay", Replayed, None)

    async def replay(self) -> Replayed:
        return await self._get("/service/replay", Replayed)

    async def dataset(self, id: str) -> Dataset:
        return await self._get(f"/datasets/{id}/details", Dataset)

    async def preview(self, dataset: str) -> Previewed:
        return await self._get(f"/datasets/{dataset}/preview", Previewed)

    async def entries(self, dataset: str, **parameters: str | int) -> Entries:
        return await self._get(f"/datasets/{dataset}/entries", Entries, **parameters)

    async def entry(self, id: str) -> Chain:
        return await self._get(f"/entries/{id}", Chain)

    async def download(self, path: str, target: Path) -> int:
        """Write what ``path`` (of this API, with its query) answers to ``target``; return its size in bytes.

        A file that is still being written is waited for.
        """

        async def fetch(session: aiohttp.ClientSession) -> int | None:
            async with session.get(path) as answer:
                if answer.status == 202:
                    return None
                if answer.status != 200:
                    await _fail(answer)
                return await _write(answer, target)

        while True:
            size = await self._patiently(fetch)
            if size is not None:
                return size
            await asyncio.sleep(PAUSE)

    async def _get(self, path: str, kind: type[A], **parameters: str | int) -> A:
        async def send(session: aiohttp.ClientSession) -> A:
            async with session.get(BASE + path, params=parameters) as answer:
                return await _read(answer, kind)

        return await self._patiently(send)

    async def _post(self, path: str, kind: type[A], body: Mapping[str, Any] | None) -> A:
        key = _key()

        async def send(session: aiohttp.ClientSession) -> A:
            async with session.post(BASE + path, json=body, headers=key) as answer:
                said = await _read(answer, kind)
                if answer.status == 202:
                    # Taken, but in no list yet: asked again with the same key, it is recorded once.
                    raise _queued()
                return said

        return await self._patiently(send)

    async def _patiently(self, send: Sender[T]) -> T:
        until = monotonic() + PATIENCE
        while True:
            try:
                return await send(self._session)
            except aiohttp.ClientError as problem:
                away: Unavailable = _away(self.url, problem)
            except TimeoutError:
                away = _away(self.url, "no answer in time")
            except Unavailable as problem:
                away = problem
            pause = PAUSE
            if away.code == "too_many_requests":
                pause = away.retry_after
                until = max(until, monotonic() + pause)
            if monotonic() > until:
                raise away
            await asyncio.sleep(pause)


@asynccontextmanager
async def connected(url: str, key: str | None = None) -> AsyncIterator[Api]:
    """The gateway at ``url``, with this API key or the environment's. Raise ``Unavailable`` where none answers."""
    url = base_of(url)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
    key = key or own_key(as_environment(os.environ))
    headers = {"X-API-Key": key} if key else None
    try:
        session = aiohttp.ClientSession(url, timeout=timeout, headers=headers)
    except ValueError:
        raise Refused("invalid_url", f"{url} is not an address.", field="url") from None
    async with session:
        try:
            async with session.get("/", timeout=aiohttp.ClientTimeout(total=10)) as answer:
                about = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise _away(url, problem) from None
        if not isinstance(about, dict) or not str(about.get("message", "")).startswith("Gristmill"):
            raise Refused("not_gristmill", f"What answers at {url} is not Gristmill.", field="url")
        yield Api(session, url)


def base_of(url: str) -> str:
    """The address of the gateway itself, however much of it was said."""
    said = url.strip().rstrip("/").removesuffix(BASE)
    return said if "://" in said else f"http://{said}"


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(fresh_id())}


def _away(url: str, problem: object) -> Unavailable:
    if isinstance(problem, aiohttp.ClientConnectorError):
        refused = isinstance(problem.os_error, ConnectionRefusedError)
        problem = "connection refused" if refused else problem.os_error
    why = f" ({problem})" if str(problem) else ""
    return Unavailable(
        "gateway_unreachable",
        f"No gateway answers at {url}{why}.",
        waiting_for="the gateway",
        retry_after=1,
    )


def _queued() -> Unavailable:
    return Unavailable(
        "queued",
        "The event store is away: the request waits on the bus and will be done when the store is back.",
        waiting_for="the event store",
        retry_after=1,
    )


async def _read(answer: aiohttp.ClientResponse, kind: type[A]) -> A:
    if answer.status >= 400:
        await _fail(answer)
    try:
        return kind.model_validate_json(await answer.read())
    except ValidationError as problem:
        where = ".".join(str(part) for part in problem.errors()[0]["loc"])
        raise GristmillError(
            "answer_not_understood",
            f"The gateway's answer to {answer.url.path} cannot be read ({where}): another version?",
        ) from None


async def _fail(answer: aiohttp.ClientResponse) -> None:
    """Raise what the gateway says is wrong."""
    text = await answer.text()
    if answer.status == 401:
        raise Refused(
            "unauthorized",
            f"The gateway asks for an API key: {_message(text)}. Set GRISTMILL_API_KEY.",
            status=401,
        )
    try:
        said = json.loads(text)
        code, detail = str(said["code"]), str(said["detail"])
    except (ValueError, KeyError, TypeError):
        code, detail = (
            "gateway_failed",
            f"The gateway answered {answer.status} to {answer.url.path}.",
        )
    if answer.status == 503:
        raise Unavailable(code, detail, waiting_for="the gateway", retry_after=PAUSE)
    if code == "too_many_requests":
        wait = answer.headers.get("Retry-After", "1")
        raise Unavailable(code, detail, waiting_for="the gateway", retry_after=float(wait))
    raise Refused(code, detail, status=answer.status)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return "it answered 401"


async def _write(answer: aiohttp.ClientResponse, target: Path) -> int:
    """The body as a file, whole or not at all; return its size in bytes."""
    part = target.with_name(f".{target.name}.part")
    size = 0
    try:
        with part.open("wb") as file:
            async for piece in answer.content.iter_chunked(PIECE):
                size += file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size
