"""Telling "the store is away" from every other problem, and meeting it once more before saying so."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from shared.errors import Unavailable

T = TypeVar("T")

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    OSError,
    TimeoutError,
)
"""What a lost, starting, stopping or crowded server raises, and one whose views are not made yet."""


async def steady(call: Callable[[], Awaitable[T]]) -> T:
    """The result of ``call``, tried twice: after a restart each pooled connection fails once before it is renewed.

    Raises ``Unavailable`` where the store is away.
    """
    try:
        return await call()
    except AWAY:
        pass
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
