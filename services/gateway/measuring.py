"""What a parsed text is like, in figures that matter for cutting it. Pure; recommends nothing."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from contracts.document import Structure

MOST = 2_000_000
"""Code points that are looked at; a longer text is judged by its beginning."""
LONG_LINE = 1000
FEW = 3
"""Fewer repetitions than this are no pattern."""

_BLANK = re.compile(r"\n[ \t\r]*\n")
_SENTENCE = re.compile(r"[.!?…]['\"”’)\]]*\s|[。！？]")
_SEPARATOR = re.compile(r"^[ \t]*([-=*_#~+]{3,})[ \t]*$", re.MULTILINE)
_RECORD = re.compile(
    r"^(?:(?P<number>(?:[A-Za-zÀ-ž]{1,20} |§ ?)\d{1,6}[.:)]?)|(?P<name>[A-ZÀ-Ž][\w.-]{0,20}:))(?=\s)",
    re.MULTILINE,
)
_DIGITS = re.compile(r"\d+")
_RULE = re.compile(r"[|:\s-]+")
_LIST = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s")


@dataclass(frozen=True, slots=True)
class Repeated:
    """Lines that begin alike."""

    shape: str
    """``Q:`` or, with ``#`` for any number, ``Article #``."""
    pattern: str
    """The same as a regular expression."""
    count: int
    share: float
    """Of the text that lies between the first of them and the end."""
    length: int
    """Median code points from one to the next."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Lengths are medians in code points; shares are of the text's code points, 0 to 1."""

    characters: int
    words: int
    headings: int
    under_headings: float
    section: int
    paragraphs: int
    paragraph: int
    sentences: int
    sentence: int
    table: float
    items: float
    long_lines: float
    separator: str | None
    """The line of marks that comes most often, at least three times."""
    separators: int
    records: Repeated | None


def measure(text: str, structure: Structure) -> Measures:
    """Measure a text, or its first ``MOST`` code points."""
    text = text[:MOST]
    starts = sorted({h.start for h in structure.headings if 0 <= h.start < len(text)})
    paragraphs = [part for part in _lengths(text, [m.end() for m in _BLANK.finditer(text)]) if part]
    sentences = _lengths(text, [m.end() for m in _SENTENCE.finditer(text)])
    table, items, long_lines = _lines(text)
    marks = Counter(match[1] for match in _SEPARATOR.finditer(text)).most_common(1)
    separator, separators = marks[0] if marks else (None, 0)
    return Measures(
        characters=len(text),
        words=len(text.split()),
        headings=len(starts),
        under_headings=(len(text) - starts[0]) / len(text) if starts else 0.0,
        section=_middle([b - a for a, b in pairwise([*starts, len(text)])]),
        paragraphs=len(paragraphs),
        paragraph=_middle(paragraphs),
        sentences=len(sentences),
        sentence=_middle(sentences),
        table=table,
        items=items,
        long_lines=long_lines,
        separator=separator if separators >= FEW else None,
        separators=separators if separators >= FEW else 0,
        records=_records(text, starts),
    )


def _middle(lengths: Sequence[int]) -> int:
    return round(median(lengths)) if lengths else 0


def _lengths(text: str, borders: Sequence[int]) -> list[int]:
    return [len(text[a:b].strip()) for a, b in pairwise([0, *borders, len(text)])]


def _lines(text: str) -> tuple[float, float, float]:
    """The shares of table rows, of list items and of long lines."""
    table = items = long = 0
    for line in text.splitlines():
        bare = line.lstrip()
        if bare.startswith("|"):
            table += len(line)
        elif _LIST.match(bare) and not _RULE.fullmatch(bare):
            items += len(line)
        if len(line) > LONG_LINE:
            long += len(line)
    whole = max(1, len(text))
    return table / whole, items / whole, long / whole


def _records(text: str, headings: Sequence[int]) -> Repeated | None:
    """The beginning of a line that comes most often, outside of headings, and reaches over most of the text."""
    found: dict[str, list[int]] = {}
    for match in _RECORD.finditer(text):
        place = bisect_right(headings, match.start()) - 1
        if place >= 0 and headings[place] == match.start():
            continue
        found.setdefault(_DIGITS.sub("#", match.group()), []).append(match.start())
    best = max(_repeated(text, found), key=lambda each: each.count, default=None)
    return best if best is not None and best.share >= 0.5 else None


def _repeated(text: str, found: dict[str, list[int]]) -> Iterator[Repeated]:
    for shape, places in found.items():
        if len(places) >= FEW:
            yield Repeated(
                shape=shape,
                pattern=f"^{pattern_of(shape)}",
                count=len(places),
                share=(len(text) - places[0]) / len(text),
                length=_middle([b - a for a, b in pairwise([*places, len(text)])]),
            )


def pattern_of(shape: str) -> str:
    """A regular expression (also of RE2) for a shape in which ``#`` stands for any number."""
    return r"[0-9]+".join(re.escape(part) for part in shape.split("#"))
