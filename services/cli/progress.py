"""How a job's way to its end is shown: one live line on a terminal, a plain line per change elsewhere.

Only shows: it asks nobody and decides nothing about the job.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from services.cli.answers import Job
from services.cli.wording import duration, plural

WINDOW = 15.0
"""Seconds over which the rate is taken."""
LEAST = 2.0
"""Seconds before a rate means anything."""
PLAIN_EVERY = 2.0
"""Seconds between two plain lines, unless the step changes."""


@dataclass(slots=True)
class Pace:
    """How fast a count grows. Times are handed in, in seconds."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, now: float, count: int, total: int) -> None:
        """The time before there is a total is no part of the rate: nothing could be counted yet."""
        if total == 0:
            self.samples.clear()
        self.samples.append((now, count))
        while len(self.samples) > 2 and self.samples[0][0] < now - WINDOW:
            self.samples.popleft()

    @property
    def rate(self) -> float:
        """A second, lately; 0 before anything can be said."""
        if len(self.samples) < 2:
            return 0.0
        (begin, first), (end, last) = self.samples[0], self.samples[-1]
        return (last - first) / (end - begin) if end - begin >= LEAST else 0.0


def goal(job: Job) -> tuple[int, int]:
    """How much is done, of how much: accepted entries where a number is wanted, else chunks; (0, 0) before it is
    known.
    """
    result = job.result
    if result is None or result.counts is None:
        return 0, 0
    counts = result.counts
    if result.wanted is not None:
        return min(counts.accepted, result.wanted), result.wanted
    return counts.done + counts.failed, counts.seeds


def details(job: Job, rate: float) -> str:
    """Counts, rate and what is left of the time; "" where there is nothing to count."""
    result = job.result
    if result is None or result.counts is None or not result.counts.seeds:
        return ""
    counts = result.counts
    said = [f"{plural(counts.accepted, 'entry')} accepted", f"{counts.rejected:,} rejected"]
    if counts.failed:
        said.append(f"{plural(counts.failed, 'seed')} failed")
    done, total = goal(job)
    if rate > 0 and job.current_step.startswith("Generating") and done < total:
        unit = "entries" if result.wanted is not None else "chunks"
        said += [f"{rate:,.1f} {unit}/s", f"{duration((total - done) / rate)} left"]
    return ", ".join(said)


class View(Protocol):
    def show(self, job: Job, now: float) -> None:
        """Show where the job is. ``now``: seconds on any clock that only goes forward."""


class PlainView:
    """A line when the step's name changes, and now and then between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pace = Pace()
        self._step = ""
        self._said = ""
        self._last = float("-inf")

    def show(self, job: Job, now: float) -> None:
        self._pace.add(now, *goal(job))
        step = job.current_step.partition(" (")[0]
        line = _line(job, self._pace.rate)
        due = step != self._step or job.ended or now - self._last >= PLAIN_EVERY
        if due and line != self._said:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
            self._step, self._said, self._last = step, line, now


class LiveView:
    """One line that changes in place."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._pace = Pace()

    def show(self, job: Job, now: float) -> None:
        done, total = goal(job)
        self._pace.add(now, done, total)
        self._progress.update(
            self._task,
            description=job.current_step,
            completed=done,
            total=total or None,
            details=details(job, self._pace.rate),
        )


def _line(job: Job, rate: float) -> str:
    more = details(job, rate)
    return f"{job.current_step}: {more}" if more else job.current_step


@contextmanager
def view(console: Console) -> Iterator[View]:
    """The view that suits where the console writes to."""
    if not console.is_terminal:
        yield PlainView(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[details]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield LiveView(progress, progress.add_task("Queued", total=None, details=""))
