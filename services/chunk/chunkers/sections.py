"""Sections of a text by its headings, each under its heading path. Never cuts within a section."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.document import Heading

ROOT = -1
"""Parent of a section under a topmost heading."""
NOWHERE = -2
"""Parent of the text before the first heading, so that it is no section's sibling."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text up to the next heading of any level."""

    start: int
    body: int
    """Where the heading's line ends."""
    end: int
    path: tuple[str, ...]
    """The headings above it and its own."""
    parent: int
    """Index of the section it lies under, ``ROOT``, or ``NOWHERE``."""


def sections(length: int, headings: Iterable[Heading]) -> list[Section]:
    """Part ``[0, length)`` at the headings, in order and without a gap.

    Headings outside the text, and all but the first of those that start at one place, are left aside. A heading
    without words starts a section but adds nothing to the path.
    """
    first: dict[int, Heading] = {}
    for heading in headings:
        if 0 <= heading.start < length:
            first.setdefault(heading.start, heading)
    known = [first[start] for start in sorted(first)]
    ends = [*(heading.start for heading in known), length][1:]
    found: list[Section] = []
    if not known or known[0].start > 0:
        found.append(Section(0, 0, known[0].start if known else length, (), NOWHERE))
    above: list[tuple[int, int]] = []  # (level, index) of the headings that are open
    for heading, end in zip(known, ends, strict=True):
        while above and above[-1][0] >= heading.level:
            above.pop()
        parent = above[-1][1] if above else ROOT
        path = found[parent].path if above else ()
        name = " ".join(heading.text.split())
        above.append((heading.level, len(found)))
        body = min(max(heading.end, heading.start), end)
        found.append(Section(heading.start, body, end, (*path, name) if name else path, parent))
    return found


class Paths:
    """The heading path in force at any offset."""

    def __init__(self, found: list[Section]) -> None:
        self._starts = [section.start for section in found]
        self._paths = [section.path for section in found]

    def at(self, offset: int) -> tuple[str, ...]:
        return self._paths[bisect_right(self._starts, offset) - 1]
