"""Saying deletions to the ledger, one by one or many, and what came of each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from contracts.message import Event, Request
from services.gateway.asking import answered, request_id
from services.gateway.deletion_shapes import Failure
from services.gateway.deps import Deps
from shared.errors import Refused, Unavailable
from shared.store import Position

E = TypeVar("E", bound=Event)
AT_ONCE = 16
"""Deletions of one request that are said to the ledger together."""


async def delete(deps: Deps, request: Request, fact: type[E]) -> E:
    """Say ``request``; return the fact that it became. Raise ``Refused`` or ``Unavailable``."""
    answer = await answered(deps, request, request_id(None))
    if answer.position is not None:
        recorded = await deps.store.event(Position.parse(answer.position).n)
        if recorded is not None and isinstance(recorded.event, fact):
            return recorded.event
    raise Unavailable(
        "not_recorded",
        "The deletion is not recorded yet; look whether it is there before asking again.",
        waiting_for="the event store",
        retry_after=2,
    )


async def each(
    names: Sequence[str], one: Callable[[str], Awaitable[E]]
) -> tuple[list[E], list[Failure]]:
    """What came of deleting each of these, in their order: the facts, and the refusals beside them."""
    some = asyncio.Semaphore(AT_ONCE)

    async def tried(name: str) -> E | Failure:
        async with some:
            try:
                return await one(name)
            except Refused as problem:
                return Failure(id=name[:100], error=problem.message, code=problem.code)

    outcomes = await asyncio.gather(*(tried(name) for name in dict.fromkeys(names)))
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return [outcome for outcome in outcomes if not isinstance(outcome, Failure)], failed
