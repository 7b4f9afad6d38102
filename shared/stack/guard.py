"""The parent's side of the watchdog: which process groups must not outlive this process.

A signal on the parent's death (Linux's PR_SET_PDEATHSIG) would reach only the direct child, would need code between
fork and exec, and would not be known to macOS; a pipe that the kernel closes with its holder is none of that.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from signal import Signals

SCRIPT = Path(__file__).with_name("watchdog.py")


class Guard:
    """One watchdog process; ``close`` ends it, and whatever it still guards."""

    def __init__(self) -> None:
        # Its own session: a Ctrl-C at the terminal is for the parent alone, which stops its children in order.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},  # nothing of ours, least of all a key
            cwd="/",
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def add(self, group: int, number: Signals) -> None:
        self._say(f"+ {group} {int(number)}\n")

    def forget(self, group: int) -> None:
        self._say(f"- {group}\n")

    def _say(self, line: str) -> None:
        pipe = self._process.stdin
        # Somebody may have killed the watchdog; that is no reason to fail what it watched.
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                os.write(pipe.fileno(), line.encode())

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
