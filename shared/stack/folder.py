"""The data folder: who holds it, and the passwords that lie in it. Every file in it is its owner's alone."""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import GristmillError, Refused

SERVICES = ("gateway", "ledger", "ingest", "chunk", "generate", "curate", "export")
NATS_USERS = (*SERVICES, "operator", "external")
ROLES = ("admin", "ledger", "reader", "gateway")


class Passwords(BaseModel):
    """By NATS user and by Postgres role, and that of the one S3 user."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nats: dict[str, str]
    postgres: dict[str, str]
    s3: str = ""


class Presence(BaseModel):
    """What a running gateway says of itself in ``up.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    pid: int
    bus: str | None = None
    """``host:port`` of the bus, without any password."""


def make(folder: Path) -> Path:
    """Create the folder where it is missing. As root, Postgres runs as somebody else, who must get through."""
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "nats"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise Refused(
            "folder_unusable",
            f"{folder} cannot be used as a data folder ({problem.strerror}): name another with --data.",
            field="data",
        ) from None
    return folder


def holding_database(folder: Path) -> Path:
    """The folder, absolute. Raise ``Refused`` (not_found) where no database lies in it."""
    folder = folder.absolute()
    if not (folder / "postgres" / "cluster").exists():
        raise Refused(
            "not_found",
            f"{folder} holds no database; `gristmill up` makes one.",
            status=404,
            field="data",
        )
    return folder


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder for this process alone. Raise ``Refused`` (already_running) where another holds it.

    The kernel frees the lock with its holder, so a killed process leaves none behind.
    """
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("already_running", _holder(folder, handle), status=409) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(folder: Path, handle: int) -> str:
    pid = os.pread(handle, 32, 0).decode(errors="replace").strip() or "?"
    found = presence(folder)
    where = f" at {found.url}" if found is not None else ""
    return (
        f"Gristmill already runs on {folder} as process {pid}{where}. "
        "Use that one, stop it, or name another folder with --data."
    )


def presence(folder: Path) -> Presence | None:
    """Where the gateway of this folder is; None where none says so."""
    try:
        return Presence.model_validate_json((folder / "up.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def passwords(folder: Path) -> Passwords:
    """Those of the folder; drawn once, and completed when a new user is added."""
    path = folder / "secrets.json"
    try:
        kept = Passwords.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        kept = Passwords(nats={}, postgres={})
    except ValidationError:
        raise GristmillError(
            "secrets_unreadable", f"{path} is not what Gristmill wrote there; restore it."
        ) from None
    # A letter first: NATS would read a password of digits from its configuration as a number.
    full = Passwords(
        nats={user: kept.nats.get(user) or f"p{secrets.token_hex(20)}" for user in NATS_USERS},
        postgres={role: kept.postgres.get(role) or f"p{secrets.token_hex(20)}" for role in ROLES},
        s3=kept.s3 or f"p{secrets.token_hex(20)}",
    )
    if full != kept:
        write(path, json.dumps(full.model_dump(), indent=1))
    return full
