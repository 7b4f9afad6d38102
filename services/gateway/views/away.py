"""Telling "the store is away" from every other problem, and meeting it once more before saying so."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from shared.errors import Unavailable

if TYPE_CHECKING:
    Pool = asyncpg.Pool[Any]

T = TypeVar("T")

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg raises where a session is ended in the midst of an exchange
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    OSError,
    TimeoutError,
)
"""What a lost, starting, stopping or crowded server raises, and one whose views are not made yet."""


async def steady(pool: "Pool", call: Callable[[], Awaitable[T]]) -> T:
    """The result of ``call``, tried once more on new connections: those from before a restart are all lost.

    Raises ``Unavailable`` where the store is away.
    """
    try:
        return await call()
    except AWAY:
        await pool.expire_connections()
    try:
        return await call()
    except AWAY as problem:
        raise store_away(problem) from None


def store_away(problem: BaseException) -> Unavailable:
    return Unavailable(
        "store_unavailable",
        f"The event store does not answer ({type(problem).__name__}).",
        waiting_for="the event store",
        retry_after=2,
    )
