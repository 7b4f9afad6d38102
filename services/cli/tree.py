"""The whole of Gristmill in one process tree: servers, services, and this process, which keeps them all running.

``running`` is what ``up`` shows on the terminal and what other commands and tests embed. It decides nothing about
jobs; the services are started as commands, which are data.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from services.cli.environment import ROLES, environment, of_blobs
from services.cli.replicas import processes, replicas
from shared.api_keys import MARK, check_open
from shared.blobs import chosen
from shared.errors import Refused
from shared.migrations import migrate
from shared.settings import as_environment, load_settings
from shared.stack import (
    SERVICES,
    Child,
    ChildEnded,
    Nats,
    Postgres,
    Presence,
    Program,
    Running,
    Seaweed,
    claimed,
    free_port,
    is_free,
    make,
    place,
    servers,
    write,
)

FIRST = ("gateway", "ledger")
"""Started before the others, so that the API answers as soon as it can."""
HEALTHY_WITHIN = 60.0
OK = b"200"
TELL = 2.0
"""Seconds between two words about what takes long."""
ATTEMPTS = 3
"""Times that the gateway may die before it has ever been healthy."""
PATIENCE = 8.0
"""Seconds that a service has to finish or to hand back what it holds; the gateway gives its requests five."""

LOOPBACK = "127.0.0.1"

Report = Callable[[str], None]
Commands = Mapping[str, tuple[str, ...]]


class Tree:
    """Everything that runs. ``url`` is the gateway's."""

    def __init__(self, url: str, stack: Running) -> None:
        self.url = url
        self.stack = stack
        self.children: dict[str, Child] = {}

    def pid(self, name: str) -> int:
        """Of a service, or of ``nats``, ``postgres`` or ``seaweedfs``; another one after a restart."""
        everything: dict[str, Nats | Postgres | Seaweed | Child] = {
            **self.children,
            "nats": self.stack.nats,
            "postgres": self.stack.postgres,
        }
        if self.stack.s3 is not None:
            everything["seaweedfs"] = self.stack.s3
        return everything[name].pid

    async def add(self, program: Program) -> Child:
        """Start a program and keep it running."""
        child = Child(program, self.stack.logs, self.stack.guard)
        self.children[program.name] = child
        await child.spawn()
        child.keep()
        return child

    async def stop(self) -> None:
        """Stop the services: the ledgers last, so that they can record what the others still say."""
        ledgers = {name for name in self.children if name.partition("-")[0] == "ledger"}
        for group in (self.children.keys() - ledgers, ledgers):
            await asyncio.gather(*(self.children[name].stop() for name in group))

    def kill(self) -> None:
        """End everything at once; leaving ``running`` still cleans up."""
        for child in self.children.values():
            child.kill()
        self.stack.kill()


def module_commands() -> Commands:
    """Each service as its own process; ``-P`` keeps a folder named `services` where the user is out of the way."""
    return {name: (sys.executable, "-P", "-m", f"services.{name}") for name in SERVICES}


def silent(_: str) -> None:
    """Report nothing."""


@asynccontextmanager
async def running(
    data: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    report: Report = silent,
    commands: Commands | None = None,
    environ: Mapping[str, str] | None = None,
    keys: Collection[str] = (),
    s3: bool = False,
    durable: bool = True,
    metrics: int | None = None,
    several: str = "",
) -> AsyncIterator[Tree]:
    """Run all of Gristmill on folder ``data`` and yield it once the gateway is healthy; stop it all at the end.

    Args:
        data: made where it is missing; what is in it goes on.
        host: a loopback address, or any where there are ``keys``.
        port: of the gateway; 0 draws a free one.
        report: is told each stage in one line.
        commands: by service, or by process where one is to run something else; None: every service of this package.
        environ: what services inherit; None: the environment of this process. What the settings file says is added.
        keys: hashes of the API keys that open the gateway; empty: it is open.
        s3: keep the blobs in the embedded S3 server; a folder that once did so does it again unasked.
        durable: False gives up safety against a power cut; for tests.
        metrics: the first of as many ports of loopback as there are processes, for health and metrics; None: none.
        several: services of which there are to be several processes, as ``services.cli.replicas`` reads it.

    Raises:
        Refused: ``already_running``, ``port_in_use``, ``api_key_required`` (a host that others can reach),
            ``blobs_elsewhere``, ``conflicting_options``, ``invalid_replicas``.
        GristmillError: an S3 server of the user's is away, or refuses.
        ChildEnded: a server or the gateway does not come up; its last words are in the message.
    """
    began = time.monotonic()
    check_open(host, keys)
    names = processes(replicas(several, SERVICES))
    data = make(data)
    with claimed(data):
        port = chosen_port(host, port)
        watched = watched_ports(metrics, list(names))
        url = _url(host, port)
        async with _stack(data, report, s3=s3, durable=durable) as stack:
            tree = Tree(url, stack)
            presence = data / "up.json"
            try:
                await _start(
                    tree,
                    _of_processes(module_commands() if commands is None else commands, names),
                    _given(stack, host, port, keys, names, watched),
                    as_environment(os.environ if environ is None else environ),
                    lambda stage: report(f"{stage} ({time.monotonic() - began:.1f} s)"),
                )
                bus = f"127.0.0.1:{stack.nats.port}"
                write(presence, Presence(url=url, pid=os.getpid(), bus=bus).model_dump_json())
                yield tree
            finally:
                presence.unlink(missing_ok=True)
                await tree.stop()


async def _start(
    tree: Tree,
    commands: Commands,
    given: Mapping[str, Mapping[str, str]],
    inherited: Mapping[str, str],
    report: Report,
) -> None:
    def program(name: str) -> Program:
        return Program(
            name=name,
            argv=commands[name],
            env=environment(name.partition("-")[0], inherited, given[name]),
            stop_within=PATIENCE,
        )

    first = [name for name in FIRST if name in commands]
    for name in first:
        await tree.add(program(name))
    if "gateway" in first:
        await healthy(tree.children["gateway"], tree.url, report)
        report("gateway   healthy")
    rest = [name for name in commands if name not in first]
    for name in rest:
        await tree.add(program(name))
    report(f"workers   started: {' '.join(rest)}")


def _of_processes(commands: Commands, names: Mapping[str, str]) -> Commands:
    """What each process runs: its own command where it has one, else that of its service, where that is wanted."""
    return {
        name: commands.get(name, commands[service])
        for name, service in names.items()
        if service in commands
    }


@asynccontextmanager
async def _stack(data: Path, report: Report, *, s3: bool, durable: bool) -> AsyncIterator[Running]:
    """The servers that the folder needs, with the schema up to date."""
    began = time.monotonic()
    settings = load_settings()
    blobs = place(data, settings, embedded=s3)
    if blobs.kind == "s3":
        store = chosen(settings)
        try:
            await store.check()
        finally:
            store.close()
        report(f"blobs     in {blobs}")
    async with servers(data, s3=blobs.kind == "seaweedfs", durable=durable) as stack:
        names = "NATS and Postgres" if stack.s3 is None else "NATS, Postgres and SeaweedFS"
        report(f"servers   {names} answer ({time.monotonic() - began:.1f} s)")
        before, changes = await migrate(stack.admin_url)
        if before and changes:
            report(f"database  brought from version {before} to {changes[-1].number}")
        yield stack


def _given(
    stack: Running,
    host: str,
    port: int,
    keys: Collection[str],
    names: Mapping[str, str],
    watched: Mapping[str, int],
) -> dict[str, dict[str, str]]:
    """What each process is told of this tree."""
    found: dict[str, dict[str, str]] = {}
    blobs = of_blobs(load_settings() if stack.s3 is None else stack.s3.settings(stack.data))
    for name, service in names.items():
        found[name] = {
            "GRISTMILL_DATA": str(stack.data),
            "GRISTMILL_NATS_URL": stack.nats_url(service),
            **blobs,
            "GRISTMILL_HEALTH_HOST": LOOPBACK,
            "GRISTMILL_HEALTH_PORT": str(watched.get(name, 0)),
        }
        if service in ROLES:
            found[name]["GRISTMILL_DATABASE_URL"] = stack.database_url(ROLES[service])
    found["gateway"] |= {"GRISTMILL_HOST": host, "GRISTMILL_PORT": str(port)}
    if keys:
        found["gateway"]["GRISTMILL_API_KEYS"] = ",".join(f"{MARK}{each}" for each in keys)
    return found


def _url(host: str, port: int) -> str:
    """Where this machine finds what listens on ``host``."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{near}]' if ':' in near else near}:{port}"


def ports_from(first: int, names: Sequence[str] = SERVICES) -> dict[str, int]:
    """One port after the other, by process."""
    return {name: first + n for n, name in enumerate(names)}


def watched_ports(first: int | None, names: Sequence[str] = SERVICES) -> dict[str, int]:
    """A port of each process for whoever watches it, from ``first`` on; none for None. Raise ``Refused`` where one is
    in use or there is none so high.
    """
    if first is None:
        return {}
    ports = ports_from(first, names)
    for name, port in ports.items():
        if port > 65535 or not is_free(LOOPBACK, port):
            raise Refused(
                "port_in_use",
                f"Port {port}, on which {name} would show its metrics, cannot be had: --metrics takes the first of "
                f"{len(ports)} free ports that follow one another.",
                status=409,
                field="metrics",
            )
    return ports


def chosen_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Raise ``Refused`` where somebody has it."""
    if port == 0:
        return free_port(host)
    if not is_free(host, port):
        raise Refused(
            "port_in_use",
            f"Port {port} on {host} is in use by another program: stop that one, "
            "or take another with --port (0 draws a free one).",
            status=409,
            field="port",
        )
    return port


async def healthy(gateway: Child, url: str, report: Report = silent) -> None:
    """Wait for the first healthy answer, for as long as views are being built.

    Raises ``ChildEnded`` where the gateway keeps dying or stays silent.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN
    told = time.monotonic()
    while (found := await asked(url, "/health"))[0] != OK:
        if gateway.starts > ATTEMPTS:
            status = f"ended {ATTEMPTS} times"
            raise ChildEnded("gateway", status, gateway.last_words(), hung=False)
        if building := re.search(rb'"views":"building: (\d+ of \d+)"', found[1]):
            deadline = time.monotonic() + HEALTHY_WITHIN
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                report(f"views     being built: {building[1].decode()} events")
        if time.monotonic() > deadline:
            status = f"was not healthy for {HEALTHY_WITHIN:g} s"
            raise ChildEnded("gateway", status, gateway.last_words(), hung=True)
        await asyncio.sleep(0.03)


async def answers(url: str, path: str) -> bool:
    """Whether a GET is answered with 200."""
    return (await asked(url, path))[0] == OK


async def asked(url: str, path: str) -> tuple[bytes, bytes]:
    """The status that a GET is answered with, and all that follows it; nothing where nobody answers."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return b"", b""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(2.0):
            status = (await reader.readline()).split()
            return (status[1] if len(status) > 1 else b""), await reader.read()
    except (OSError, TimeoutError):
        return b"", b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
