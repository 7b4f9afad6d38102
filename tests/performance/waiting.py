"""Waiting for what another process does. Asks again and again; the pause between bounds how exact a time can be."""

import asyncio
import inspect
from collections.abc import Callable

PAUSE = 0.02
WITHIN = 120.0


async def until(check: Callable[[], object], within: float = WITHIN) -> None:
    """Wait until ``check``, plain or async, answers with something true. Raise ``TimeoutError`` after ``within`` s."""
    async with asyncio.timeout(within):
        while True:
            found = check()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(PAUSE)
