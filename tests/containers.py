"""The test servers as containers: images, users, roles and configuration of docker-compose.yml, on this machine.

`GRISTMILL_TEST_STACK=containers` asks for them; where no container engine answers, whatever needs a server is skipped
with that reason. A test that kills a server by its process is skipped too: a container's is not this machine's to kill.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from shared.blobs import chosen
from shared.errors import GristmillError
from shared.stack import (
    Child,
    Database,
    Guard,
    Nats,
    Postgres,
    Running,
    Seaweed,
    jetstream,
    postgres,
)
from shared.stack.folder import NATS_USERS
from shared.stack.seaweed import PARTS, Ports
from tests.compose import CONTAINERS, ROOT, drawn, environment

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

VARIABLE = "GRISTMILL_TEST_STACK"
PORTS = {"nats": 4222, "postgres": 5432, "seaweedfs": 8333}
ROLES = ("admin", "ledger", "reader", "gateway")
READY_WITHIN = 120.0
"""Seconds; the image may have to be fetched first."""


def kind(environ: Mapping[str, str]) -> Literal["embedded", "containers"]:
    """Which servers the tests run on."""
    asked = environ.get(VARIABLE, "embedded")
    match asked:
        case "embedded" | "containers":
            return asked
        case _:
            raise ValueError(f"{VARIABLE} is {asked!r}; it may be 'embedded' or 'containers'")


def missing_engine() -> str | None:
    """Why no container can be started here; None where one can."""
    # In a process of its own: the client of an engine that is away leaves its sockets open.
    asked = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        "import docker; docker.from_env(timeout=5).ping()",
    ]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    if said.returncode == 0:
        return None
    problem = said.stderr.strip().rpartition("\n")[2]
    return (
        f"{VARIABLE}=containers, but no container engine answers: {problem} "
        f"Start Docker or Podman (DOCKER_HOST says where), or leave {VARIABLE} out."
    )


def skip_without_engine() -> None:
    if (reason := missing_engine()) is not None:
        pytest.skip(reason)


class Contained(Child):
    """A container where a child process is expected."""

    def __init__(self, container: "DockerContainer") -> None:
        self.starts = 1
        self._container = container

    @property
    def pid(self) -> int:
        pytest.skip("this test reaches for a server's process, and the servers are containers")

    async def stop(self) -> None:
        await asyncio.to_thread(self._container.stop)

    def kill(self) -> None:
        self._container.stop()


class InContainers(Running):
    """The same servers; a further NATS is a further container."""

    def __init__(self, data: Path, guard: Guard, env: Mapping[str, str], **servers: object) -> None:
        nats, database = servers["nats"], servers["postgres"]
        assert isinstance(nats, Nats)
        assert isinstance(database, Postgres)
        super().__init__(data, guard, nats, database, _of_nats(env), durable=False)
        self._env = env

    async def fresh_nats(self) -> Nats:
        extra = await start_nats(self._env)
        folder = await asyncio.to_thread(tempfile.mkdtemp, dir=self.data)
        self._extra.append((extra, Path(folder)))
        return extra


@asynccontextmanager
async def contained(data: Path) -> AsyncIterator[Running]:
    """NATS and Postgres in containers; skips where there is no engine."""
    skip_without_engine()
    data.mkdir()
    env, guard = drawn(), Guard()
    try:
        nats = await start_nats(env)
        try:
            database = await start_postgres(env)
        except BaseException:
            await nats.stop()
            raise
        running = InContainers(data, guard, env, nats=nats, postgres=database)
        try:
            yield running
        finally:
            await running.stop()
    finally:
        guard.close()


@asynccontextmanager
async def contained_seaweed(folder: Path) -> AsyncIterator[Seaweed]:
    """SeaweedFS in a container; skips where there is no engine."""
    skip_without_engine()
    env = drawn()
    child, port = await _started("seaweedfs", env)
    nowhere = dict.fromkeys(PARTS, 0)
    seaweed = Seaweed(child, Ports(s3=port, s3_grpc=0, **nowhere), env["S3_SECRET_KEY"])
    blobs = chosen(seaweed.settings(folder))

    async def answers() -> bool:
        try:
            await blobs.check()
        except GristmillError:
            return False
        return True

    try:
        await _until(answers)
        yield seaweed
    finally:
        blobs.close()
        await seaweed.stop()


async def start_nats(env: Mapping[str, str]) -> Nats:
    child, port = await _started("nats", env)
    passwords = _of_nats(env)
    await _until(lambda: jetstream.answers(port, passwords["operator"]), child)
    return Nats(child, port, passwords)


async def start_postgres(env: Mapping[str, str]) -> Postgres:
    child, port = await _started("postgres", env)
    passwords = {role: env[f"POSTGRES_PASSWORD_{role.upper()}"] for role in ROLES}
    database = Database(postgres.DATABASE, port, passwords)
    await _until(lambda: postgres.answers(database), child)
    return Postgres(child, database)


def _of_nats(env: Mapping[str, str]) -> dict[str, str]:
    return {user: env[f"NATS_PASSWORD_{user.upper()}"] for user in NATS_USERS}


async def _started(name: str, env: Mapping[str, str]) -> tuple[Contained, int]:
    """A container of docker-compose.yml, and the port of this machine by which it is reached."""
    container = made(name, env)
    await asyncio.to_thread(container.start)
    child = Contained(container)
    try:
        return child, await asyncio.to_thread(container.get_exposed_port, PORTS[name])
    except BaseException:
        await child.stop()
        raise


def made(name: str, env: Mapping[str, str]) -> "DockerContainer":
    """The container as docker-compose.yml has it, not started; its data goes with it."""
    from testcontainers.core.container import DockerContainer

    said = CONTAINERS[name]
    container = DockerContainer(said["image"]).with_exposed_ports(PORTS[name])
    container.with_envs(**environment(name, env)).with_kwargs(hostname=name)
    if "command" in said:
        container.with_command(said["command"])
    for volume in said["volumes"]:
        here, there, *_ = volume.split(":")
        if here.startswith("./"):
            container.with_volume_mapping(str(ROOT / here), there, "ro")
    return container


async def _until(answers: Callable[[], Awaitable[bool]], child: Contained | None = None) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not await answers():  # noqa: ASYNC110 - a server in a container says nothing of itself
                await asyncio.sleep(0.1)
    except BaseException:
        if child is not None:
            await child.stop()
        raise
