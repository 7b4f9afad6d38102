"""What ``gristmill doctor`` looks at, one function a part: each says what it found and how to mend it.

Looks only: starts no server, writes no file, pays for nothing. No finding holds a secret.
"""

import asyncio
import os
import platform
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import psutil

from services.cli.answers import Health
from services.cli.client import connected
from services.cli.wording import size
from shared.errors import GristmillError
from shared.settings import Settings, check_environment, load_settings, variables

Level = Literal["ok", "note", "warn", "fail"]

LITTLE, TOO_LITTLE = 5 << 30, 1 << 30
"""Bytes of free disk below which there is a warning, and below which nothing should be started."""
MEMORY = 2 << 30
SOON = 5.0
"""Seconds that a server is given to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend``: what to do about it; empty where nothing is wrong."""

    level: Level
    what: str
    detail: str
    mend: str = ""


def settings_found(data: Path | None) -> tuple[Settings | None, Finding]:
    """The settings, where they hold, and what there is to say of them."""
    try:
        check_environment(os.environ)
        settings = load_settings(data=data)
    except GristmillError as problem:
        mend = "Correct it; `gristmill config` shows every setting."
        return None, Finding("fail", "settings", f"{problem.message} [{problem.code}]", mend)
    return settings, Finding("ok", "settings", "all are known and in range")


def versions() -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding("ok", "python", f"{python} on {platform.system()} {platform.machine()}")
    yield Finding("ok", "gristmill", metadata.version("gristmill"))


async def servers() -> AsyncIterator[Finding]:
    """The embedded ones: whether their binaries are there and run here."""
    from shared.stack.jetstream import binary
    from shared.stack.postgres import wheel

    for what, find, path in (
        ("nats-server", binary, ()),
        ("postgres", wheel, ("pginstall18", "bin", "postgres")),
    ):
        try:
            program = find().joinpath(*path)
        except (GristmillError, ImportError, OSError) as problem:
            yield Finding("fail", what, f"is not installed ({problem})", "Run `make setup` again.")
            continue
        yield await _version(what, program)
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    if weed is None:
        mend = "Only `up --s3` needs it: pip install 'gristmill[s3]'."
        yield Finding("note", "seaweedfs", "is not installed", mend)
    else:
        yield Finding("ok", "seaweedfs", weed)


async def _version(what: str, program: Path) -> Finding:
    mend = "Run `make setup` again; the wheel may be one for another system."
    try:
        process = await asyncio.create_subprocess_exec(
            str(program),
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(SOON):
            said, _ = await process.communicate()
    except (OSError, TimeoutError) as problem:
        return Finding("fail", what, f"{program} cannot be run ({problem})", mend)
    words = said.decode(errors="replace").strip().splitlines() or [""]
    if process.returncode != 0:
        return Finding("fail", what, f"{program} fails: {words[0][:200]}", mend)
    return Finding("ok", what, words[0][:200])


def machine(data: Path) -> Iterator[Finding]:
    """Memory, and the disk under the data folder."""
    memory = psutil.virtual_memory()
    detail = f"{size(memory.available)} free of {size(memory.total)}, {os.cpu_count()} cores"
    if memory.available < MEMORY:
        yield Finding("warn", "memory", detail, "Leave 2 GB free: parsing alone may take so much.")
    else:
        yield Finding("ok", "memory", detail)
    there = next(each for each in (data.absolute(), *data.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    detail = f"{size(free)} free under {there}"
    if free < LITTLE:
        level: Level = "fail" if free < TOO_LITTLE else "warn"
        yield Finding(level, "disk", detail, "Free some space, or name another folder with --data.")
    else:
        yield Finding("ok", "disk", detail)
    yield _folder(data)


def _folder(data: Path) -> Finding:
    if not data.exists():
        parent = next(each for each in data.absolute().parents if each.exists())
        if not os.access(parent, os.W_OK | os.X_OK):
            mend = "Name another folder with --data."
            return Finding("fail", "data folder", f"{data} cannot be made in {parent}", mend)
        return Finding("ok", "data folder", f"{data} does not exist yet; `up` makes it")
    if not data.is_dir() or not os.access(data, os.W_OK | os.X_OK):
        mend = "Name another folder with --data, or run as its owner."
        return Finding("fail", "data folder", f"{data} cannot be written", mend)
    secrets = data / "secrets.json"
    if secrets.exists() and stat.S_IMODE(secrets.stat().st_mode) & 0o077:
        mend = f"chmod 600 {secrets}"
        return Finding("fail", "data folder", f"others can read {secrets}", mend)
    return Finding("ok", "data folder", f"{data}, its secrets for its owner alone")


async def gateway(settings: Settings) -> AsyncIterator[Finding]:
    """What runs on the data folder, or whether the port is free for it."""
    from shared.stack import is_free, presence

    here = presence(settings.data)
    if here is not None:
        try:
            async with asyncio.timeout(SOON), connected(here.url) as api:
                health = await api.health()
        except (GristmillError, TimeoutError, aiohttp.ClientError):
            # A killed `up` could not take back its word.
            pass
        else:
            yield _state(here.url, health, settings.data / "logs")
            return
    yield Finding("note", "gateway", f"none runs on {settings.data}", "`gristmill up` starts it.")
    where = f"{settings.port} on {settings.host}"
    if is_free(settings.host, settings.port):
        yield Finding("ok", "port", f"{where} is free")
    else:
        mend = "Stop the program that has it, or take another with --port (0 draws one)."
        yield Finding("warn", "port", f"{where} is in use", mend)


def _state(url: str, health: Health, logs: Path) -> Finding:
    if health.ledger != "ok":
        mend = "See `restore` in the README."
        return Finding("fail", "ledger", f"records nothing: {health.ledger}", mend)
    parts = {"store": health.store, "bus": health.bus, "views": health.views}
    bad = "; ".join(f"{part}: {state}" for part, state in parts.items() if state != "ok")
    if bad:
        return Finding("warn", "gateway", f"{url}: {bad}", f"Its logs are in {logs}.")
    mine = metadata.version("gristmill")
    if health.version != mine:
        mend = f"This is version {mine}: start it again to have the same."
        return Finding("warn", "gateway", f"{url} is version {health.version}", mend)
    return Finding("ok", "gateway", f"{url} is healthy")


async def outside_servers(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Finding]:
    """Servers of one's own, where the settings name any."""
    from shared.bus import connect
    from shared.store import open_pool

    if _given("nats_url", environ):
        mend = "Check GRISTMILL_NATS_URL: address, user, password."
        try:
            async with asyncio.timeout(SOON):
                client = await connect(settings, "operator")
                await client.close()
        except (GristmillError, TimeoutError, OSError) as problem:
            yield Finding("fail", "nats", f"does not answer ({type(problem).__name__})", mend)
        else:
            yield Finding("ok", "nats", "answers at GRISTMILL_NATS_URL")
    if settings.database_url is not None:
        mend = "Check GRISTMILL_DATABASE_URL; `gristmill migrate` brings the schema up to date."
        try:
            async with asyncio.timeout(SOON):
                pool = await open_pool(settings.database_url.get_secret_value(), most=1)
                await pool.close()
        except GristmillError as problem:
            yield Finding("fail", "database", f"{problem.message} [{problem.code}]", mend)
        except (OSError, TimeoutError, ValueError) as problem:
            yield Finding("fail", "database", f"does not answer ({type(problem).__name__})", mend)
        else:
            yield Finding("ok", "database", "answers at GRISTMILL_DATABASE_URL, schema up to date")


def _given(name: str, environ: Mapping[str, str]) -> bool:
    known = variables(name, Settings.model_fields[name])
    return any(each in environ for each in known)


async def models(settings: Settings) -> AsyncIterator[Finding]:
    """The default model and the server of language models. Lists the server's models; pays for nothing."""
    from shared.llm.registry import OFFICIAL_OPENAI, check_model, split_model

    default = settings.default_model or "builtin/extractive"
    try:
        provider, wanted = split_model(default)
        check_model(default, settings)
    except GristmillError as problem:
        yield Finding("fail", "default model", f"{default}: {problem.message} [{problem.code}]",
                      "Set GRISTMILL_DEFAULT_MODEL, or what its message asks for.")  # fmt: skip
        return
    yield Finding("ok", "default model", default)
    if settings.openai_base_url is None and settings.openai_api_key is None:
        mend = "Set OPENAI_API_KEY or OPENAI_BASE_URL to use one."
        yield Finding("note", "language models", "none is configured; the built-in one works", mend)
        return
    url = settings.openai_base_url or OFFICIAL_OPENAI
    yield await _listed(url, settings, wanted if provider == "openai" else None)


async def _listed(url: str, settings: Settings, wanted: str | None) -> Finding:
    host = urlsplit(url).netloc.rpartition("@")[2]
    key = settings.openai_api_key
    headers = {"authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SOON)) as session,
            session.get(
                f"{url.rstrip('/')}/models", headers=headers, allow_redirects=False
            ) as answer,
        ):
            status = answer.status
            body: Any = await answer.json(content_type=None) if answer.ok else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
        mend = "Start it, or correct OPENAI_BASE_URL."
        return Finding("fail", "model server", f"{host}: {type(problem).__name__}", mend)
    if status in (401, 403):
        mend = "Set OPENAI_API_KEY to a key that it takes."
        return Finding("fail", "model server", f"{host} refuses the key (HTTP {status})", mend)
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        detail = f"{host} answers, but does not list its models (HTTP {status})"
        return Finding("note", "model server", detail, "The first call will tell.")
    names = [str(row.get("id")) for row in rows if isinstance(row, dict)]
    if wanted is not None and wanted not in names:
        mend = f"It has: {', '.join(names[:10]) or 'none'}."
        return Finding("warn", "model server", f"{host} does not list {wanted}", mend)
    return Finding("ok", "model server", f"{host} answers and lists {len(names):,} models")
