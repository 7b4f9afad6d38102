"""Windows of a fixed number of things, whatever the things are. Knows only where each of them starts."""

from collections.abc import Iterator, Sequence


def windows(borders: Sequence[int], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of windows of ``size`` things, each sharing ``overlap`` of them with the one before.

    ``borders`` holds where each thing starts, in order, and at last where the text ends. A window runs to the start
    of the thing after its last, so the windows leave no gap, and the last one holds something that the one before
    does not. Things that start at one place stay together; a window that would be empty is left out.
    """
    last, step = len(borders) - 1, size - overlap
    for first in range(0, last, step):
        start, end = borders[first], borders[min(first + size, last)]
        if start < end:
            yield start, end
        if first + size >= last:
            return
