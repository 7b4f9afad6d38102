"""Writes rendered rows to a file, many at a time. Knows nothing of what they hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

MANY = 512
"""Rows in one call of ``write``."""


def write_lines(lines: Iterable[bytes], out: BinaryIO) -> int:
    """Write lines that bring their own line ends; return how many they were."""
    lines, count = iter(lines), 0
    while some := list(islice(lines, MANY)):
        out.write(b"".join(some))
        count += len(some)
    return count


def write_array(items: Iterable[bytes], out: BinaryIO) -> int:
    """Write items as one JSON array, each on a line (or several) of its own; return how many they were."""
    out.write(b"[")
    count = write_lines(_separated(items), out)
    out.write(b"\n]\n" if count else b"]\n")
    return count


def _separated(items: Iterable[bytes]) -> Iterator[bytes]:
    before = b"\n"
    for item in items:
        yield before + item
        before = b",\n"
