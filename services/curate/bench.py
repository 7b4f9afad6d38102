"""The bench at which everything that takes processor time is done, one thing after another, beside the event loop.

One thread, not many: Python lets only one of them run at a time anyway, and more would only take turns at the caches.
Waits for nothing and holds no state of its own.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Bench:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="curate")

    async def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do ``work`` when its turn comes; beats and messages go on meanwhile."""
        future = self._thread.submit(work, *args, **kwargs)
        return await asyncio.wrap_future(future)
