"""Says on the terminal what is being measured, which of how many it is, and how long it has taken so far."""

import os
import sys
import time
from collections.abc import Callable

Tell = Callable[[str], None]


class Progress:
    """Lines on stderr, so that the tables on stdout can be kept alone."""

    def __init__(self, benchmarks: int) -> None:
        self._began = time.perf_counter()
        self._of = benchmarks
        self._number = 0
        self._name = ""

    def next(self, name: str) -> None:
        self._number += 1
        self._name = name

    def tell(self, doing: str) -> None:
        elapsed = time.perf_counter() - self._began
        sys.stderr.write(
            f"{self._number} of {self._of}  {elapsed:5.0f} s  load {os.getloadavg()[0]:4.1f}  {self._name}: {doing}\n"
        )
        sys.stderr.flush()
