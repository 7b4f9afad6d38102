"""What Ctrl-C and a polite kill mean to a command: stop in order, and when said once more, at once."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from services.cli.tree import Tree

T = TypeVar("T")

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130
"""Exit code of a command that was stopped by a signal, as shells have it."""


class Stop:
    """Hears the signals. ``tree`` is set by whoever runs one."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.asked = False
        self.tree: Tree | None = None
        self._tell = tell
        self._task: asyncio.Task[Any] | None = None

    def __call__(self) -> None:
        if not self.asked and self._task is not None:
            self.asked = True
            self._tell("stopping  (once more to stop at once)")
            self._task.cancel()
        elif self.tree is not None:
            self.tree.kill()

    async def guard(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of ``work``; None where a signal stopped it first, after it has cleaned up."""
        self._task = asyncio.create_task(work)
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, self)
        try:
            found: T = await self._task
        except asyncio.CancelledError:
            if not self.asked:
                raise
            return None
        finally:
            for number in STOPS:
                loop.remove_signal_handler(number)
        return found
