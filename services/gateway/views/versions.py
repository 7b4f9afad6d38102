"""The schemas that views lie in: one for each version of their tables and fold, so that two gateways may differ.

A gateway with other tables or another fold makes a schema of its own beside the one that an older gateway goes on
serving, folds the log into it, and answers 503 ``views_building`` with how far it is until it has come to the head
once. Then it serves; a schema that nobody has renewed for ``GRACE`` is dropped. Going back within that time finds the
old schema where it was left. Nothing here knows what the tables hold.
"""

import hashlib
import importlib.resources
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.errors import GristmillError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]

FOLD = 2
"""Raised when the fold writes something else into the same tables; a change of schema.sql shows by itself."""
GRACE = "1 hour"
"""How long a schema is kept after the last gateway that folds into it was seen."""
_FILES = importlib.resources.files("services.gateway.views")
TEXT = "".join(_FILES.joinpath(name).read_text() for name in ("schema.sql", "many.sql"))
FINGERPRINT = hashlib.sha256(f"{FOLD}\n{TEXT}".encode()).hexdigest()
SCHEMA = f"views_{FINGERPRINT[:8]}"

_MAKING = 7303
_OLD_LEADER = 7302
"""What a gateway from before schemas had names of their own holds while it folds into ``views_1``."""


class WrongViews(GristmillError):
    """The schema of this version is not what this version makes."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_views",
            f"The schema {SCHEMA} is not as this version of the gateway makes it. Drop it (drop schema"
            f" {SCHEMA} cascade): it is folded anew from the log.",
        )


async def prepare(connection: "Connection") -> None:
    """Make this version's schema where there is none; the connection's search_path must name it.

    Raises ``WrongViews`` where something else has its name.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _MAKING)
        if await connection.fetchval("select to_regclass($1)", f"{SCHEMA}.made") is None:
            await connection.execute(f"create schema {SCHEMA}")
            await connection.execute(TEXT)
            await connection.execute("insert into made (fingerprint) values ($1)", FINGERPRINT)
        elif await connection.fetchval("select fingerprint from made") != FINGERPRINT:
            raise WrongViews


async def lead(connection: "Connection") -> bool:
    """Whether this session is now the one that folds into this version's schema."""
    took: bool = await connection.fetchval(
        "select pg_try_advisory_lock($1, hashtext($2))", _OLD_LEADER, SCHEMA
    )
    return took


async def built(connection: "Connection") -> bool:
    """Whether the fold has come to the head of the log once."""
    return await connection.fetchval("select built_at from made") is not None


async def mark_built(connection: "Connection") -> None:
    await connection.execute("update made set built_at = coalesce(built_at, clock_timestamp())")


async def tend(connection: "Connection") -> list[str]:
    """Say that this version is in use, and drop those that are not; what was dropped."""
    await connection.execute("update made set used_at = clock_timestamp()")
    if not await built(connection):
        return []
    dropped = []
    for name in await connection.fetch(
        "select nspname from pg_namespace where nspname ~ '^views_[0-9a-f]+$' and nspname <> $1",
        SCHEMA,
    ):
        async with connection.transaction():
            if await _is_unused(connection, name["nspname"]):
                await connection.execute(f"drop schema {name['nspname']} cascade")
                dropped.append(name["nspname"])
    return dropped


async def _is_unused(connection: "Connection", schema: str) -> bool:
    """A version says when it was used last; the one from before that shows by its leader's lock."""
    if not await connection.fetchval(
        "select exists (select from information_schema.columns where table_schema = $1"
        " and table_name = 'made' and column_name = 'used_at')",
        schema,
    ):
        free: bool = await connection.fetchval("select pg_try_advisory_xact_lock($1)", _OLD_LEADER)
        return free
    unused: bool = await connection.fetchval(
        f"select coalesce(max(used_at) < clock_timestamp() - $1::text::interval, true) from {schema}.made",  # noqa: S608 - a name of ours, matched above
        GRACE,
    )
    return unused
