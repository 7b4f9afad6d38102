"""``gristmill replay``: has the gateway fold the log once more beside its views, and says what it found."""

import asyncio
from pathlib import Path

from rich.console import Console

from services.cli.answers import Replayed
from services.cli.finding import found
from services.cli.progress import PLAIN_EVERY, Pace
from services.cli.wording import duration, plural
from shared.clock import monotonic

PAUSE = 0.25


def replay(url: str | None, data: Path) -> int:
    """The exit code: 1 where the views had to be swapped, or the replay could not come to its end."""
    console = Console()
    ended = asyncio.run(_replay(url, data, console))
    if ended.problem is not None:
        console.print(ended.problem, markup=False, highlight=False)
        return 1
    console.print(f"{plural(ended.folded, 'event')} folded, {plural(ended.rows, 'row')} compared.")
    if not ended.differences:
        console.print("The views are what the log says.")
        return 0
    for table, rows in ended.differences.items():
        console.print(f"  {rows:,} rows of {table} differed")
    console.print("The views were wrong; those that were folded anew took their place.")
    return 1


async def _replay(url: str | None, data: Path, console: Console) -> Replayed:
    pace, said = Pace(), monotonic()
    async with found(url, data) as api:
        state = await api.start_replay()
        while state.running:
            await asyncio.sleep(PAUSE)
            state = await api.replay()
            pace.add(monotonic(), state.folded, state.head)
            if state.running and monotonic() - said > PLAIN_EVERY:
                said = monotonic()
                left = (state.head - state.folded) / pace.rate if pace.rate else 0.0
                eta = f", about {duration(left)} left" if left else ""
                console.print(f"{state.folded:,} of {plural(state.head, 'event')} folded{eta}")
    return state
