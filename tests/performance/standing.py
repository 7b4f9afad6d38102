"""A gateway and a ledger as processes of their own over fresh servers, without workers, to measure the front door."""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiohttp

from services.cli.environment import environment
from services.cli.tree import module_commands
from shared.migrations import migrate
from shared.stack import Child, Database, Program, Running, start
from tests.performance.waiting import until

CLIENTS = 64


@dataclass(frozen=True, slots=True)
class Door:
    """What is measured: the gateway, and the database behind it."""

    url: str
    database: Database
    stack: Running
    project: str
    job: UUID
    """A generation job that waits for its document for ever."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def serving(
    name: str, argv: tuple[str, ...], env: dict[str, str], stack: Running
) -> AsyncIterator[Child]:
    child = Child(Program(name=name, argv=argv, env=env), stack.logs, stack.guard)
    await child.spawn()
    try:
        yield child
    finally:
        await child.stop()


async def answers(url: str) -> bool:
    """Whether somebody answers there in order."""
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@contextlib.asynccontextmanager
async def standing() -> AsyncIterator[Door]:
    """Servers, ledger and gateway, with a project of one document and a job over it."""
    async with contextlib.AsyncExitStack() as open_things:
        folder = open_things.enter_context(tempfile.TemporaryDirectory(prefix="gristmill-bench-"))
        Path(folder).chmod(0o711)
        stack = await open_things.enter_async_context(start(Path(folder) / "data"))
        await migrate(stack.admin_url)
        database, nats, port = await stack.fresh_database(), await stack.fresh_nats(), free_port()
        inherited = {name: value for name, value in os.environ.items() if "GRISTMILL" not in name}
        for name in ("ledger", "gateway"):
            given = {
                "GRISTMILL_DATA": folder,
                "GRISTMILL_NATS_URL": nats.url(name),
                "GRISTMILL_DATABASE_URL": database.url(name),
                "GRISTMILL_PORT": str(port),
                "GRISTMILL_MOST_JOBS": "1000000",
            }
            env = environment(name, inherited, given)
            await open_things.enter_async_context(
                serving(name, module_commands()[name], env, stack)
            )
        url = f"http://127.0.0.1:{port}"
        await until(lambda: answers(f"{url}/health"))
        yield await _begun(url, database, stack)
        await nats.stop()


async def _begun(url: str, database: Database, stack: Running) -> Door:
    async with aiohttp.ClientSession(url) as http:
        async with http.post("/api/v1/projects", json={"name": "bench"}) as response:
            project = (await response.json())["id"]
        form = aiohttp.FormData()
        form.add_field("project_id", project)
        form.add_field("files", b"One document.", filename="one.txt")
        async with http.post("/api/v1/documents/upload", data=form) as response:
            response.raise_for_status()
        async with http.post("/api/v1/datasets/generate", json={"project_id": project}) as response:
            job = (await response.json())["job_id"]
    return Door(url, database, stack, project, UUID(job))


def bare_command(module: str, *given: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *given)
