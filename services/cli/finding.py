"""Which gateway a command talks to: the one it was given, the one of its data folder, or one that it runs itself."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.client import Api, connected
from services.cli.environment import own_key
from services.cli.stopping import Stop
from shared.api_keys import fresh_key, hash_of
from shared.errors import Refused, Unavailable
from shared.settings import as_environment, load_settings


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway that answers."""

    api: Api
    embedded: bool
    """It ends with this command; what it did stays in the data folder."""


async def running_on(data: Path) -> str | None:
    """Where the gateway of a data folder is; None where none answers. One that was killed could not take back its
    word, so it is asked.
    """
    from shared.stack import presence

    here = presence(data)
    if here is None:
        return None
    try:
        async with connected(here.url):
            return here.url
    except (Unavailable, Refused):
        return None


@asynccontextmanager
async def found(url: str | None, data: Path) -> AsyncIterator[Api]:
    """The gateway at ``url``, or the one that runs on ``data``. Raise ``Unavailable`` where there is none."""
    where = url or await running_on(data)
    if where is None:
        raise Unavailable(
            "nothing_runs",
            f"Nothing runs on {data}: start `gristmill up --data {data}`, or give --url.",
            waiting_for="the gateway",
            retry_after=1,
        )
    async with connected(where) as api:
        yield api


@asynccontextmanager
async def found_or_run(
    url: str | None, data: Path, report: Callable[[str], None], stop: Stop
) -> AsyncIterator[Place]:
    """As ``found``, but where nothing runs on ``data`` everything is started on it, and stopped at the end.

    Raises, besides, what ``services.cli.tree.running`` raises.
    """
    where = url or await running_on(data)
    if where is not None:
        async with connected(where) as api:
            yield Place(api, embedded=False)
        return
    from services.cli.tree import running

    keys = load_settings().key_hashes
    # Where only hashes are known, this command needs a key of its own for its own gateway.
    key = own_key(as_environment(os.environ)) or (fresh_key() if keys else None)
    if key is not None:
        keys = (*keys, hash_of(key))
    async with running(data, report=report, keys=keys) as tree:
        stop.tree = tree
        try:
            async with connected(tree.url, key) as api:
                yield Place(api, embedded=True)
        finally:
            if not stop.asked:  # who stopped it was told so
                report("stopping  servers and services")
