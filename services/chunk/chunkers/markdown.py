"""Sections under their heading path, long ones cut where it harms least. The default, and precise: no overlap.

The pieces lie end to end and leave out nothing but blank stretches. Decisions worth knowing:

- A heading without text of its own goes with the text after it, under that text's path; at the end of the document
  it goes with the text before it. A heading is never a piece by itself unless the text has nothing else.
- A section is *short* when its body has fewer than 40 words (and at most 400 characters, for scripts without
  spaces). Short neighbours that are siblings, or a section and its first children, share a piece of at least 40
  words where they can, under the path they have in common. A section that stands on its own is never merged.
- A section longer than ``size`` becomes pieces of about equal length, cut between paragraphs; only what is longer
  than a piece by itself is cut further: a list between its items, a table between its rows, then between sentences,
  then at white space, then anywhere. Pieces are spans of the text, so a table's head is in its first piece only.
"""

import re
from collections.abc import Iterator
from itertools import pairwise, takewhile
from typing import NamedTuple

from contracts.document import Structure
from services.chunk.chunkers.cuts import Stretch, cuts
from services.chunk.chunkers.sections import NOWHERE, Section, sections

SHORT_WORDS = 40
SHORT_LENGTH = 400

_INK = re.compile(r"\S")


class Piece(NamedTuple):
    start: int
    end: int
    path: tuple[str, ...]


class _Group(NamedTuple):
    """Sections ``[first, stop)`` that go together, of which ``[owner, last)`` give the path.

    Those before ``owner`` and from ``last`` on are headings without a text.
    """

    first: int
    owner: int
    last: int
    stop: int


def pieces(text: str, structure: Structure, size: int) -> Iterator[Piece]:
    """Yield the pieces in order, each at most ``size`` code points long and none of them blank."""
    found = sections(len(text), structure.headings)
    for group in _groups(text, found, size):
        path = _common_path(found[group.owner : group.last])
        whole = Stretch(
            found[group.first].start, found[group.owner].body, found[group.stop - 1].end
        )
        section = group.first
        for start, end in pairwise(cuts(text, whole, size, structure.language)):
            if not text[start:end].strip():
                continue
            while found[section].end <= start:
                section += 1
            leading = end <= found[group.owner].start  # nothing but headings without a text
            yield Piece(start, end, found[section].path if leading else path)


def _common_path(members: list[Section]) -> tuple[str, ...]:
    paths = [member.path for member in members]
    low, high = min(paths), max(paths)  # what these two share, all share
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    return tuple(name for name, _ in shared)


def _groups(text: str, found: list[Section], size: int) -> Iterator[_Group]:
    """Which sections go together, in order and without a gap."""
    at, count = 0, len(found)
    pending: _Group | None = None
    while at < count:
        owner = at
        while owner < count and not _has_text(text, found[owner]):
            owner += 1
        if owner == count:  # headings at the end of the document
            last = pending or _Group(at, count - 1, count, count)
            pending = last._replace(stop=count)
            break
        stop = _run(text, found, owner)
        for group in _bundles(text, found, _Group(at, owner, stop, stop), size):
            if pending:
                yield pending
            pending = group
        at = stop
    if pending:
        yield pending


def _has_text(text: str, section: Section) -> bool:
    return _INK.search(text, section.body, section.end) is not None


def _run(text: str, found: list[Section], owner: int) -> int:
    """End of the run of short siblings (or a section and its first children) that starts with ``owner``."""
    stop = owner + 1
    if not _words(text, found[owner]):
        return stop
    parents = {found[owner].parent, owner} - {NOWHERE}
    while stop < len(found) and found[stop].parent in parents and _words(text, found[stop]):
        stop += 1
    return stop


def _words(text: str, section: Section) -> int:
    """Words of a short section's body; 0 where it is not short, or has no text."""
    if section.end - section.body > 2 * SHORT_LENGTH:
        return 0
    body = text[section.body : section.end].strip()
    count = len(body.split())
    return count if count < SHORT_WORDS and len(body) <= SHORT_LENGTH else 0


def _bundles(text: str, found: list[Section], run: _Group, size: int) -> list[_Group]:
    """Part a run of short sections into groups of at least ``SHORT_WORDS`` words, as far as they go and fit."""
    bundles: list[_Group] = []
    first, owner, words = run.first, run.owner, 0
    for n in range(run.owner, run.last):
        if words and found[n].end - found[first].start > size:
            bundles.append(_Group(first, owner, n, n))
            first, owner, words = n, n, 0
        words += _words(text, found[n])
        if words >= SHORT_WORDS:
            bundles.append(_Group(first, owner, n + 1, n + 1))
            first, owner, words = n + 1, n + 1, 0
    if first < run.stop:
        rest = _Group(first, owner, run.last, run.stop)
        before = bundles[-1] if bundles else None
        if before and found[run.stop - 1].end - found[before.first].start <= size:
            bundles[-1] = before._replace(last=run.last, stop=run.stop)
        else:
            bundles.append(rest)
    return bundles
