"""``make bench``: every figure beside its yardstick, measured in the same run on the same machine.

``python -m tests.performance --quick`` takes a minute and a half, ``--only NAME`` runs one benchmark. Nothing here
passes or fails: times are for reading. Progress goes to stderr, the tables to stdout.
"""

import argparse
import logging
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.performance import (
    duplicates,
    exporting,
    front_door,
    listeners,
    main_job,
    pending,
    recording,
    recovery,
    sharing,
    starting,
    view_lag,
)
from tests.performance.figures import Figure, table
from tests.performance.progress import Progress, Tell


@dataclass(frozen=True, slots=True)
class Size:
    """How much work each benchmark does."""

    chunks: int
    concurrency: int
    times: int
    recorded: int
    killed: int
    rows: int
    entries: int
    planned: tuple[int, int]
    listened: int


QUICK = Size(300, 64, 1, 1000, 300, 20_000, 5_000, (500, 2500), 640)
FULL = Size(2500, 64, 3, 3000, 800, 100_000, 20_000, (2000, 10_000), 640)


def benchmarks(size: Size) -> dict[str, tuple[str, Callable[[Tell], list[Figure]]]]:
    """What can be measured, by name, with its title."""
    return {
        "main-job": (
            "The main job",
            lambda tell: main_job.measure(tell, size.chunks, size.concurrency),
        ),
        "sharing": (
            "Two workers on one job",
            lambda tell: sharing.measure(tell, size.chunks, size.concurrency),
        ),
        "recording": (
            "Recording by the ledger",
            lambda tell: recording.measure(tell, size.recorded, size.times),
        ),
        "recovery": (
            "Recovery",
            lambda tell: recovery.measure(tell, size.killed, min(2, size.times)),
        ),
        "export": ("Export", lambda tell: exporting.measure(tell, size.rows, size.times)),
        "duplicates": (
            "Near-duplicates",
            lambda tell: duplicates.measure(tell, size.entries, size.times),
        ),
        "pending": ("A million pending chunks", lambda tell: pending.measure(tell, *size.planned)),
        "front-door": (
            "The front door",
            lambda tell: front_door.measure(tell, size.recorded, size.times),
        ),
        "view-lag": ("View lag", lambda tell: view_lag.measure(tell, 10 * size.times)),
        "listeners": (
            "1,000 listeners",
            lambda tell: listeners.measure(tell, size.listened, size.times),
        ),
        "start": ("Start", lambda tell: starting.measure(tell, size.times)),
    }


def main() -> None:
    # That a killed service starts again is what is measured, and no news.
    logging.disable(logging.WARNING)
    given = _arguments()
    size = QUICK if given.quick else FULL
    size = Size(
        given.chunks or size.chunks, given.concurrency or size.concurrency, size.times,
        size.recorded, size.killed, size.rows, size.entries, size.planned, size.listened,
    )  # fmt: skip
    every = benchmarks(size)
    chosen = given.only or list(every)
    progress = Progress(len(chosen))
    _write(f"{platform.platform()}, {os.cpu_count()} cores, {_load()}\n")
    for name in chosen:
        title, measure = every[name]
        progress.next(name)
        figures = measure(progress.tell)
        _write(f"\n{title} ({_load()})\n{table(figures)}")
    progress.tell("done")


def _load() -> str:
    return f"load average {os.getloadavg()[0]:.1f}"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less work, fewer repetitions")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(benchmarks(QUICK)),
        help="one benchmark; may be given several times",
    )
    parser.add_argument("--chunks", type=int, help="of the main job")
    parser.add_argument("--concurrency", type=int, help="model calls at once in the main job")
    return parser.parse_args()


if __name__ == "__main__":
    main()
