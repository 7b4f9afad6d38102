"""Loops and tasks that end when they are told to.

On Python 3.11 ``asyncio.wait_for`` swallows a cancellation that comes together with the result it waits for, and every
request on the bus passes through it; a loop that asks the bus on and on would then never end, nor whoever waits for it.
"""

import asyncio


def cancellations() -> int:
    """How often the running task was cancelled. (3.11's task group leaves its parent one behind for a failed child.)"""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def heed_cancellation(before: int = 0) -> None:
    """Raise ``CancelledError`` where the running task was cancelled more often than ``before`` and goes on."""
    if cancellations() > before:
        raise asyncio.CancelledError


async def end(task: "asyncio.Task[object]") -> None:
    """Cancel a task until it has ended, however often a request on the bus swallows the cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)
