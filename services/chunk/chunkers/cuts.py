"""Cuts a stretch of Markdown into pieces of about equal length, each cut where it harms least.

Every cut looks at one window of ``size`` characters only, and two pieces in a row are longer than half of that, so
the time is linear whatever the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from services.chunk.chunkers.blocks import borders
from services.chunk.chunkers.sentences import boundaries

CRUMB = 8
"""A piece under an eighth of ``size`` is a crumb: rather than leave one, what follows it is cut one step finer."""

_LAST_SPACE = re.compile(r"(?s).*\s")
_SPACE = re.compile(r"\s++")


class Stretch(NamedTuple):
    """``[start, end)`` of a text. Nothing is cut between its heading and the text below, from ``body`` on."""

    start: int
    body: int
    end: int


class _Window(NamedTuple):
    """Where the next piece may end: after ``start``, at ``limit`` at the latest, best at ``goal``."""

    start: int
    goal: int
    limit: int


def cuts(text: str, whole: Stretch, size: int, language: str | None) -> Iterator[int]:
    """Yield the start, every cut, and the end of the stretch, each at most ``size`` after the one before."""
    yield whole.start
    if whole.end - whole.start > size:
        ink = _SPACE.match(text, whole.body, whole.end)
        glued = ink.end() if ink else whole.body
        levels = [
            level[bisect_right(level, glued) :] for level in borders(text, whole.start, whole.end)
        ]
        start = whole.start
        while (left := whole.end - start) > size:
            parts = -(-left // size)
            window = _Window(start, start + -(-left // parts), start + size)
            start = _cut(text, window, whole.end, levels, language)
            yield start
    yield whole.end


def _cut(
    text: str, window: _Window, end: int, levels: list[list[int]], language: str | None
) -> int:
    """The best place in the window: the coarsest border that leaves no crumb, and of these the nearest to the goal."""
    start, goal, limit = window
    size = limit - start
    for level in levels:
        place = bisect_right(level, goal)
        near = [
            border for border in level[max(0, place - 1) : place + 1] if start < border <= limit
        ]
        if not near:
            continue
        cut = min(near, key=lambda border: abs(border - goal))
        following = bisect_right(level, cut)
        until = level[following] if following < len(level) else end
        if until - cut <= size or cut - start >= size // CRUMB:
            return cut
    return _sentence(text, window, language) or _space(text, window)


def _sentence(text: str, window: _Window, language: str | None) -> int | None:
    """The start of a sentence nearest to the goal, looked for close before it, then further and further back."""
    start, goal, limit = window
    half = start + (limit - start) // 2
    for begin in (max(half, goal - (limit - start) // CRUMB), half, start):
        found = list(boundaries(text, begin, min(limit + 1, len(text)), language))
        if found:
            return min(found, key=lambda border: abs(border - goal))
    return None


def _space(text: str, window: _Window) -> int:
    """The end of a line, else of a word, else the goal itself; in the window's second half."""
    start, goal, limit = window
    half = start + (limit - start) // 2
    line = text.rfind("\n", half, limit) + 1
    if line:
        return line
    if found := _LAST_SPACE.match(text, half, goal) or _SPACE.search(text, goal, limit):
        return found.end()
    return goal
