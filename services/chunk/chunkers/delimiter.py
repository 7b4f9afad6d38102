"""What stands between delimiters, without the white space around it. Delimiters and blank pieces are left out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from services.chunk.chunkers.cuts import Stretch, cuts

_INK = re.compile(r"\S")


def pieces(
    text: str, delimiters: Sequence[str], size: int, language: str | None, *, merge: bool
) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of each piece, none longer than ``size`` and none blank.

    Where several delimiters begin at one place the longest counts. A longer piece is cut as a section is. With
    ``merge``, neighbours are one piece (with the delimiter between them) as long as it fits into ``size``.
    """
    found = (
        part
        for start, end in _between(text, delimiters)
        for part in fitting(text, start, end, size, language)
    )
    return _merged(found, size) if merge else found


def fitting(
    text: str, start: int, end: int, size: int, language: str | None
) -> Iterator[tuple[int, int]]:
    """A stretch without the white space around it, cut where it harms least if it is longer than ``size``."""
    whole = _stripped(text, start, end)
    if whole is None:
        return
    for first, last in pairwise(cuts(text, Stretch(whole[0], *whole), size, language)):
        if part := _stripped(text, first, last):
            yield part


def _between(text: str, delimiters: Sequence[str]) -> Iterator[tuple[int, int]]:
    known = sorted(set(delimiters), key=lambda each: (-len(each), each))
    start = 0
    for match in re.finditer("|".join(map(re.escape, known)), text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    ink = _INK.search(text, start, end)
    if ink is None:
        return None
    return ink.start(), ink.start() + len(text[ink.start() : end].rstrip())


def _merged(found: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    open_: tuple[int, int] | None = None
    for start, end in found:
        if open_ is not None and end - open_[0] <= size:
            open_ = (open_[0], end)
            continue
        if open_ is not None:
            yield open_
        open_ = (start, end)
    if open_ is not None:
        yield open_
