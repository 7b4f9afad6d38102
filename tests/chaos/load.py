"""What users do meanwhile: projects, uploads, jobs of many sizes, cancellations, restarts, downloads. Over REST alone.

Every request has a key of its own and is repeated until it is answered; what was answered is kept for the checker.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, so that a run's jobs can be had again
from typing import Any
from uuid import UUID

import aiohttp
import orjson

from tests.chaos.facts import Told

DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
TEXTS = ("tea.txt", "metric-system.md", "milling.md", "lighthouses.html")
MODEL = "openai/simulated"
MOST_OPEN = 4
"""Jobs of the load that are open at once."""
TRIES_EVERY = 0.3
ONCE = aiohttp.ClientTimeout(total=20)
ENDED = ("completed", "failed", "cancelled")
TAKEN = frozenset({200, 201, 202})
Answered = tuple[int, dict[str, Any]]
Say = Callable[[str], None]


class Load:
    """``chunk_size`` sets how many calls a dataset over all texts takes: about 100 at 250."""

    def __init__(self, url: str, seed: int, say: Say, *, chunk_size: int = 250) -> None:
        self._url = url
        self._dice = Random(seed + 1)
        self._say = say
        self._chunk_size = chunk_size
        self._session: aiohttp.ClientSession | None = None
        self._sent = 0
        self._running: set[asyncio.Task[None]] = set()
        self.working = asyncio.Event()
        """Set when a first job has ended: everything runs."""
        self.told: list[Told] = []
        self.refusable: set[str] = set()
        """Keys of requests that may be refused by the time they are recorded."""
        self.jobs: dict[str, str] = {}
        """Every job that was taken, with its last known status."""
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []
        """Answers that no user should get."""

    async def run(self, until: Callable[[], bool]) -> None:
        """Keep jobs going as long as ``until`` says no, then wait for what was begun to be taken."""
        async with aiohttp.ClientSession(self._url, timeout=ONCE) as self._session:
            try:
                self._running = {asyncio.create_task(self._usual(until))}
                while not until():
                    self._running = {task for task in self._running if not task.done()}
                    if len(self._running) < MOST_OPEN:
                        self._running.add(asyncio.create_task(self._user(until)))
                    await asyncio.sleep(0.2)
                await asyncio.gather(*self._running)
            finally:
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)

    async def _usual(self, until: Callable[[], bool]) -> None:
        """One user in every run who does what most do: chunks that overlap, all of them asked, then a few entries."""
        project = await self._project(TEXTS[:2], self._chunk_size // 2, until)
        self.working.set()
        if project is not None:
            for settings in ({}, {"entries": 8}):
                job = await self._generate(project, settings)
                if job is not None:
                    await self._ended(job, until)

    async def _user(self, until: Callable[[], bool]) -> None:
        """One user: a project of some documents, cut, then datasets of it until time is up."""
        names = self._dice.sample(TEXTS, self._dice.randint(1, 3))
        overlap = self._dice.choice((0, 0, self._chunk_size // 2))
        project = await self._project(names, overlap, until)
        for _ in range(self._dice.randint(1, 3)):
            if project is None or until():
                return
            await self._dataset(project, until)

    async def _project(
        self, names: Sequence[str], overlap: int, until: Callable[[], bool]
    ) -> str | None:
        status, project = await self._said("POST", "/projects", json={"name": self._key()})
        if status not in TAKEN:
            return None
        self._note("project", project["id"], project)
        documents = await self._uploaded(project["id"], names)
        if not documents:
            return None
        body = {
            "project_id": project["id"],
            "document_ids": documents,
            "chunk_strategy": "character",
            "chunk_size": self._chunk_size,
            "overlap": overlap,
        }
        processing = await self._job("POST", "/documents/process", json=body)
        if processing is not None:
            await self._ended(processing, until)
        return str(project["id"])

    async def _uploaded(self, project: str, names: Sequence[str]) -> list[str]:
        key = self._key()

        def form() -> aiohttp.FormData:
            made = aiohttp.FormData(default_to_multipart=True)
            made.add_field("project_id", project)
            for name in names:
                made.add_field("files", (DOCUMENTS / name).read_bytes(), filename=name)
            return made

        status, stored = await self._said("POST", "/documents/upload", key=key, form=form)
        if status not in TAKEN:
            return []
        ids = [str(each["id"]) for each in stored["uploaded_files"]]
        for id in ids:
            self._note("document", id, stored)
            # What is queued is in no list yet, and cannot be named in a request.
            while (await self._said("GET", f"/documents/{id}"))[0] != 200:  # noqa: ASYNC110 - another process
                await asyncio.sleep(TRIES_EVERY)
        return ids

    async def _dataset(self, project: str, until: Callable[[], bool]) -> None:
        dice = self._dice
        settings: dict[str, Any] = {"batch_size": dice.choice((0, 10, 50))}
        if dice.random() < 0.5:
            settings["entries"] = dice.randint(3, 40)
        job = await self._generate(project, settings)
        if job is None:
            return
        fate = dice.random()
        if fate < 0.5:
            await asyncio.sleep(dice.random() * 6)
            await self._word("cancel" if fate < 0.25 else "pause", job)
        if fate >= 0.25 and fate < 0.5:
            await asyncio.sleep(dice.random() * 4)
            await self._word("resume", job)
        status = await self._ended(job, until)
        if status in ("cancelled", "failed") and dice.random() < 0.7:
            await self._word("restart", job)
            status = await self._ended(job, until)
        if status == "completed" and dice.random() < 0.5:
            await self._downloaded(job)

    async def _generate(self, project: str, settings: Mapping[str, Any]) -> str | None:
        body: dict[str, Any] = {
            "project_id": project,
            "model": MODEL,
            "generation_mode": "question and answer",
            "concurrency": self._dice.choice((2, 4, 8)),
            # The same question of two jobs is two questions: each has a number of its own in its calls.
            "seed": self._sent + 1,
        }
        return await self._job("POST", "/datasets/generate", json=body | dict(settings))

    async def _word(self, what: str, job: str) -> None:
        """Say something about a job that may have come too far for it."""
        key = self._key()
        self.refusable.add(key)
        status, said = await self._said("POST", f"/jobs/{what}/{job}", key=key)
        if status in TAKEN:
            self._note("word", job, said)
            self.jobs[job] = "running"
        self.counts[what if status in TAKEN else f"{what} refused"] += 1

    async def _downloaded(self, job: str) -> None:
        """Have the dataset written in another format, and read it."""
        status, found = await self._said("GET", f"/jobs/status/{job}")
        if status != 200 or not found.get("dataset_id"):
            return
        format = self._dice.choice(("alpaca", "json", "parquet"))
        path = f"/datasets/{found['dataset_id']}/download?format={format}"
        for _ in range(20):
            status, _body = await self._said("GET", path, raw=True)
            if status != 202:
                break
            await asyncio.sleep(0.5)
        self.counts["download"] += 1

    async def _job(self, method: str, path: str, json: Mapping[str, Any]) -> str | None:
        status, said = await self._said(method, path, json=json)
        if status not in TAKEN:
            return None
        job = str(said["job_id"])
        self._note("job", job, said)
        self.jobs[job] = "running"
        self.counts[path] += 1
        return job

    async def _ended(self, job: str, until: Callable[[], bool]) -> str:
        """The job's last status; its last known one where time is up before it has ended."""
        while True:
            status, found = await self._said("GET", f"/jobs/status/{job}")
            if status == 200:
                self.jobs[job] = found["status"]
                if found["status"] in ENDED:
                    return str(found["status"])
            if until():
                return "unknown"
            await asyncio.sleep(0.4)

    def _key(self) -> str:
        self._sent += 1
        return f"load-{self._dice.getrandbits(48):012x}-{self._sent}"

    def _note(self, what: str, id: str, said: Mapping[str, Any]) -> None:
        recorded = said.get("state", "recorded") == "recorded"
        self.counts["recorded" if recorded else "queued"] += 1
        self.told.append(Told(what, UUID(str(id)), recorded, time.time()))

    async def _said(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        json: Mapping[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        raw: bool = False,
    ) -> Answered:
        """Ask until somebody answers that the request was taken or refused."""
        assert self._session is not None
        headers = {"Idempotency-Key": key or self._key()} if method == "POST" else {}
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                data = None if form is None else form()
                async with self._session.request(
                    method, f"/api/v1{path}", json=json, data=data, headers=headers
                ) as answer:
                    body = await answer.read()
                    said = {} if raw else json_of(body)
                    if answer.status not in (429, 503):
                        self._look(method, path, answer.status, said)
                        return answer.status, said
                    self.counts[f"{answer.status}"] += 1
            await asyncio.sleep(TRIES_EVERY)

    def _look(self, method: str, path: str, status: int, said: Mapping[str, Any]) -> None:
        known = status in TAKEN or (status in (404, 409) and path.startswith("/jobs/"))
        known = known or (status == 404 and method == "GET")
        if not known:
            self.unexpected.append(f"{method} {path}: {status} {said}"[:300])


def json_of(body: bytes) -> dict[str, Any]:
    """Raise ``ValueError`` where it is no object."""
    said = orjson.loads(body)
    if isinstance(said, dict):
        return said
    raise ValueError(f"no object: {body[:100]!r}")
