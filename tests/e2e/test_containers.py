"""The containers of docker-compose.yml, run as plain processes: their commands and their environment, against the
embedded servers with the containers' own configuration, users, roles and passwords; with the blobs in S3.

No container engine is needed. What is not proved: that the images exist and the Dockerfile builds.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from signal import Signals
from typing import Any

import aiohttp
import pytest

from shared.stack import SERVICES, Child, Guard, Postgres, Program, Seaweed, free_port
from shared.stack.jetstream import answers as nats_answers
from shared.stack.jetstream import binary
from shared.stack.ports import listening
from shared.stack.postgres import start_postgres, wheel
from shared.stack.seaweed import start_seaweed
from tests.compose import CONTAINERS, DEPLOY, ROOT, drawn, environment

Until = Callable[..., Awaitable[None]]
TEA = ROOT / "tests" / "data" / "documents" / "tea.txt"


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="gristmill-test-"))
    found.chmod(0o711)
    yield found
    shutil.rmtree(found)


class House:
    """The servers, and what stands for the names by which containers know them."""

    def __init__(self, folder: Path, guard: Guard, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.guard = guard
        self.env = env
        self.places: dict[str, str] = {}

    def environment(self, name: str) -> dict[str, str]:
        """Of a container, with nothing from outside but the search path, on this machine's ports and folders."""
        found = {"PATH": os.environ["PATH"]}
        for key, value in environment(name, self.env).items():
            found[key] = self._here(value)
        port = str(free_port())
        if found.get("GRISTMILL_HEALTH_PORT", "0") != "0":
            found["GRISTMILL_HEALTH_PORT"] = port
        if "GRISTMILL_PORT" in found:
            # Inside its own network it listens to all; here it must not.
            found |= {"GRISTMILL_PORT": port, "GRISTMILL_HOST": "127.0.0.1"}
        data = self.folder / f"data-{name}"
        data.mkdir(exist_ok=True)
        return found | {"GRISTMILL_DATA": str(data)}

    def _here(self, value: str) -> str:
        for theirs, ours in self.places.items():
            value = value.replace(theirs, ours)
        return value

    def child(self, name: str) -> Child:
        """A container as a process. Its working folder is elsewhere, so only what is installed is found."""
        python, *words = CONTAINERS[name]["command"]
        assert python == "python"
        program = Program(
            name=name,
            argv=(sys.executable, "-P", *words),
            env=self.environment(name),
            stop_within=15,
        )
        return Child(program, self.folder, self.guard)

    def run(self, *argv: str | Path, env: Mapping[str, str]) -> str:
        done = subprocess.run(argv, capture_output=True, text=True, env=dict(env), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    guard = Guard()
    found = House(folder, guard, drawn())
    servers: list[Child | Postgres | Seaweed] = []
    try:
        nats, port = await _nats(found)
        servers.append(nats)
        found.places["@nats:4222"] = f"@127.0.0.1:{port}"
        passwords = dict.fromkeys(("admin",), found.env["POSTGRES_PASSWORD_ADMIN"])
        known = passwords | dict.fromkeys(("ledger", "reader", "gateway"), "not-of-compose")
        postgres = await start_postgres(folder / "postgres", folder, known, guard, durable=False)
        servers.append(postgres)
        found.places["@postgres:5432"] = f"@127.0.0.1:{postgres.database.port}"
        seaweed = await start_seaweed(folder / "s3", folder, found.env["S3_SECRET_KEY"], guard)
        servers.append(seaweed)
        found.places["http://seaweedfs:8333"] = seaweed.endpoint
        yield found
    finally:
        await asyncio.gather(*(server.stop() for server in servers))
        guard.close()


async def _nats(found: House) -> tuple[Child, int]:
    """The server on the containers' configuration, told only where it is."""

    def make(port: int) -> Child:
        conf, store = DEPLOY / "nats" / "nats.conf", found.folder / "nats"
        where = ("-a", "127.0.0.1", "-p", str(port), "-sd", str(store), "-m", str(free_port()))
        program = Program(
            name="nats",
            argv=(str(binary()), "-c", str(conf), *where),
            env=found.env,
            stop_with=Signals.SIGINT,
        )
        return Child(program, found.folder, found.guard)

    password = found.env["NATS_PASSWORD_OPERATOR"]
    return await listening(make, lambda port: nats_answers(port, password), 10)


def prepare(found: House) -> None:
    """What the Postgres image and the container `migrate` do before any service starts."""
    admin = found.environment("migrate")["ADMIN_DATABASE_URL"]
    psql = wheel() / "pginstall18" / "bin" / "psql"
    roles = found.environment("postgres")
    for _ in "twice":
        found.run(psql, "-X", "-q", "-d", admin, "-f", DEPLOY / "postgres" / "roles.sql", env=roles)
    command = CONTAINERS["migrate"]["command"]
    assert command == ["gristmill", "migrate"]
    gristmill = Path(sys.executable).with_name("gristmill")
    said = found.run(gristmill, *command[1:], env=found.environment("migrate"))
    assert "0001_ledger" in said


async def test_every_container_works_with_what_compose_gives_it_and_keeps_its_blobs_in_s3(
    folder: Path, until: Until
) -> None:
    async with house(folder) as found:
        await asyncio.to_thread(prepare, found)
        children = {name: found.child(name) for name in SERVICES}
        try:
            await asyncio.gather(*(child.spawn() for child in children.values()))
            gateway = children["gateway"].program.env or {}
            url = f"http://127.0.0.1:{gateway['GRISTMILL_PORT']}"
            headers = {"X-API-Key": gateway["GRISTMILL_API_KEYS"]}
            async with aiohttp.ClientSession(url, headers=headers) as session:
                await until(lambda: _answers(session, "/health"), within=30)
                async with session.get("/api/v1/projects", headers={"X-API-Key": "guessed"}) as no:
                    assert no.status == 401
                await _ready(children, until)
                dataset = await _grind(session, until)
                async with session.get(f"/api/v1/datasets/{dataset}/download") as answer:
                    assert answer.status == 200
                    assert len((await answer.text()).splitlines()) == 3
            assert {name: child.alive for name, child in children.items()} == dict.fromkeys(
                SERVICES, True
            )
        finally:
            await asyncio.gather(*(child.stop() for child in children.values()))
        # Nothing of the job lies in the containers, which may go at any time.
        left = [path for path in folder.glob("data-*/**/*") if path.is_file()]
        assert left == []


async def _ready(children: Mapping[str, Child], until: Until) -> None:
    """The health check of each container succeeds."""
    async with aiohttp.ClientSession() as session:
        for name, child in children.items():
            port = (child.program.env or {})["GRISTMILL_HEALTH_PORT"]
            path = CONTAINERS[name]["healthcheck"]["test"][3]
            if port != "0":
                assert "http://127.0.0.1:8081/healthz" in path
                await until(lambda port=port: _answers(session, f"http://127.0.0.1:{port}/healthz"))


async def _answers(session: aiohttp.ClientSession, path: str) -> bool:
    try:
        async with session.get(path) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _grind(session: aiohttp.ClientSession, until: Until) -> str:
    """One file to a dataset of three entries; its id."""
    project = await _said(session, "POST", "/projects", json={"name": "tea"})
    form = aiohttp.FormData({"project_id": str(project["id"])})
    form.add_field("files", TEA.read_bytes(), filename="tea.txt")
    await _said(session, "POST", "/documents/upload", data=form)
    asked = {"project_id": project["id"], "entries": 3, "generation_mode": "question and answer"}
    job = await _said(session, "POST", "/datasets/generate", json=asked)

    async def completed() -> bool:
        found = await _said(session, "GET", f"/jobs/status/{job['job_id']}")
        assert found["status"] not in {"failed", "cancelled"}, found
        return bool(found["status"] == "completed")

    await until(completed, within=60)
    return str(job["dataset_id"])


async def _said(session: aiohttp.ClientSession, method: str, path: str, **body: Any) -> Any:
    async with session.request(method, f"/api/v1{path}", **body) as answer:
        said = await answer.json()
        assert answer.status == 200, said
        return said
