"""Ends process groups once the process that started them is gone, however it went; a kill -9 included.

Run as a script with a pipe as its input: a line ``+ <group> <signal>`` names a group and what to end it with, a line
``- <group>`` forgets it, and the end of the input is the end of the parent. Never imported, needs only the
standard library, and holds none of the parent's files open.
"""

import os
import signal
import sys
import time

PATIENCE = 3.0
"""Seconds between the polite signal and SIGKILL."""


def reach(group: int, number: int) -> bool:
    """Send a signal to a group; False where nothing is left to hear it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def end(groups: dict[int, int]) -> None:
    left = [group for group, number in groups.items() if reach(group, number)]
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [group for group in left if reach(group, 0)]
    for group in left:
        reach(group, signal.SIGKILL)


def main() -> None:
    groups: dict[int, int] = {}
    for line in sys.stdin:
        verb, group, *number = line.split()
        if verb == "+":
            groups[int(group)] = int(number[0])
        else:
            groups.pop(int(group), None)
    end(groups)


if __name__ == "__main__":
    main()
