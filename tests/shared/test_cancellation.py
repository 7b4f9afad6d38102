"""A loop that asks the bus on and on still ends when it is told to."""

import asyncio
import contextlib

import pytest

from shared.cancellation import cancellations, heed_cancellation


async def test_a_cancellation_that_was_swallowed_is_noticed_at_the_next_turn() -> None:
    turns = 0

    async def loop() -> None:
        nonlocal turns
        while True:
            heed_cancellation()
            turns += 1
            # As wait_for does where the result came at the same moment.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert turns == 1


async def test_what_a_task_group_left_behind_is_no_cancellation() -> None:
    async def fails() -> None:
        raise LookupError

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails())
    except* LookupError:
        pass
    before = cancellations()
    heed_cancellation(before)


async def test_who_was_not_cancelled_goes_on() -> None:
    heed_cancellation()
