"""Where Markdown may be cut: between blocks, between items and rows, between lines of code. Never cuts itself.

Reads only the shape of lines (blank, fenced, list item, table row) in one pass; text that is not Markdown has
blank lines at most, which is all that is needed of it.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_KIND = r"""
    (?P<fence>`{3,}|~{3,}) | (?P<item>(?:[-*+•]|\d{1,9}[.)])(?=[ \t])) | (?P<rule>\|[ \t]*:?-{2,}) | (?P<row>\|)
"""
# Every alternative starts with a newline, which the search finds at the speed of memchr.
_LINE = re.compile(
    rf"\n(?P<blank>(?:[ \t\r]*+\n)++)?(?P<indent>[ \t]*+)(?:{_KIND}|(?(blank)|(?!)))", re.VERBOSE
)
_FIRST = re.compile(rf"(?P<blank>(?:[ \t\r]*+\n)++)?(?P<indent>[ \t]*+)(?:{_KIND})?", re.VERBOSE)
_INDENTED = re.compile(r"(?:(?:[ ]{4}|\t)[^\n]*+\n)++")


class Borders(NamedTuple):
    """Offsets of line starts at which to cut, best first; each list, sorted, holds the one before it."""

    blocks: list[int]
    """Between paragraphs, tables, code blocks, and the items of a list with blank lines."""
    items: list[int]
    """And between rows of a table and outer items of a list. A table's head stays with its first row."""
    lines: list[int]
    """And between inner items, lines of code, and the parts of a list item; between a lead-in ("...:") and its list."""


@dataclass(slots=True)
class _Reader:
    """What is open while the lines go by."""

    blocks: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    fence: str = ""
    fence_start: int = 0
    list_indent: int = -1
    """Indentation of the list that is open; -1: none is."""
    code_end: int = 0
    """Up to here, lines belong to an indented block of code."""
    head: bool = False
    """The line before was a table's rule."""

    def add(self, place: int, rank: int) -> None:
        """Note a border: rank 0 between blocks, 1 between items, 2 between lines."""
        for level in (self.blocks, self.items, self.lines)[rank:]:
            level.append(place)


def borders(text: str, start: int, end: int) -> Borders:
    """Find the borders strictly inside ``[start, end)``, where ``start`` begins a line."""
    reader = _Reader()
    after = start
    if first := _FIRST.match(text, start, end):
        _read(reader, text, first)
        after = first.end()
    for line in _LINE.finditer(text, after, end):
        _read(reader, text, line)
    if reader.fence:
        _code(reader, text, reader.fence_start, end)
    levels = (reader.blocks, reader.items, reader.lines)
    return Borders(*([place for place in level if start < place < end] for level in levels))


def _read(reader: _Reader, text: str, line: re.Match[str]) -> None:
    """Take in one line that is blank (with the line after it), or opens or closes something."""
    place = line.start("indent")
    kind = line.lastgroup if line.lastgroup != "indent" else None
    if reader.fence:
        if kind == "fence" and line["fence"].startswith(reader.fence):
            _code(reader, text, reader.fence_start, place)
            reader.fence = ""
        return
    if line.start() < reader.code_end - 1:  # the newline that ends the block may start what follows
        return
    indent = line.end("indent") - place
    blank = line["blank"] is not None
    rank = _rank(reader, text, line, kind, indent)
    if rank is not None:
        reader.add(place, rank)
    if kind == "item" and (reader.list_indent < 0 or indent < reader.list_indent):
        reader.list_indent = indent
    elif blank and kind != "item" and indent <= reader.list_indent:
        reader.list_indent = -1
    reader.head = kind == "rule"
    if kind == "fence":
        reader.fence, reader.fence_start = line["fence"], place
    elif rank == 0 and (block := _INDENTED.match(text, place, line.endpos)):
        reader.code_end = block.end()
        _code(reader, text, place, reader.code_end)


def _rank(
    reader: _Reader, text: str, line: re.Match[str], kind: str | None, indent: int
) -> int | None:
    """How good a border the line's start is; None: none at all."""
    inside = 0 <= reader.list_indent < indent
    led_in = kind is not None and text[line.start() - 1 : line.start()] == ":"
    if line["blank"] is not None:
        return 2 if inside or led_in else 0
    if kind == "item":
        return 2 if inside or led_in else 1
    if kind == "row":
        return None if reader.head else 1
    return 2 if kind == "fence" else None


def _code(reader: _Reader, text: str, start: int, end: int) -> None:
    """Note every line of a code block."""
    place = text.find("\n", start, end) + 1
    while 0 < place < end:
        reader.lines.append(place)
        place = text.find("\n", place, end) + 1
