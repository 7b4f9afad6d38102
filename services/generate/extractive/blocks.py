"""The block structure of a passage: headings, paragraphs, lists and tables with their raw offsets.

It reads the Markdown that parsers write and plain text alike, and drops code, captions and front matter.
It never changes the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_ITEM = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>[-*+•◦▪‣–]|\(?\d{1,3}[.)])[ \t]+(?=\S)")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)")
_DIVIDER = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$")
_UNDERLINE = re.compile(r"^(?:={3,}|-{3,})[ \t]*$")
_BOLD_LINE = re.compile(r"^[ \t]*(?:\*\*|__)([^*_]{2,150})(?:\*\*|__)[ \t]*:?[ \t]*$")
_CAPTION = re.compile(
    r"^[ \t*_]*(?:Fig(?:ure|\.)?|Table|Image|Photo|Listing|Plate|Box)\.?[ ]?\d+", re.IGNORECASE
)
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+")

Kind = Literal["heading", "paragraph", "list", "table"]


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Item:
    """One list item; offsets of its text without the marker."""

    start: int
    end: int
    numbered: bool
    indent: int


@dataclass(frozen=True, slots=True)
class Block:
    """``level`` is a heading's depth (7: a bold line that serves as one), 0 otherwise."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    items: tuple[Item, ...] = ()
    rows: tuple[Line, ...] = ()


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of ``text`` in order; code, rules, captions and front matter are left out."""
    lines = _lines(text)
    return tuple(_walk(lines, _front_matter(lines)))


def _lines(text: str) -> list[Line]:
    lines, offset = [], 0
    for piece in text.split("\n"):
        lines.append(Line(piece.rstrip("\r"), offset))
        offset += len(piece) + 1
    return lines


def _front_matter(lines: list[Line]) -> int:
    if lines[0].text.strip() == "---":
        for index in range(1, min(len(lines), 60)):
            if lines[index].text.strip() == "---":
                return index + 1
    return 0


def _walk(lines: list[Line], index: int) -> Iterator[Block]:
    blank = True
    while index < len(lines):
        line = lines[index]
        if not line.text.strip():
            blank, index = True, index + 1
            continue
        if fence := _FENCE.match(line.text):
            index = _skip_fence(lines, index, fence[1][:3])
        elif (blank and line.text.startswith(("    ", "\t"))) and not _ITEM.match(line.text):
            index += 1
            continue
        else:
            block, index = _block(lines, index)
            if block is not None:
                yield block
        blank = False


def _skip_fence(lines: list[Line], index: int, mark: str) -> int:
    index += 1
    while index < len(lines) and not lines[index].text.lstrip().startswith(mark):
        index += 1
    return index + 1


def _block(lines: list[Line], index: int) -> tuple[Block | None, int]:
    line = lines[index]
    if heading := _HEADING.match(line.text):
        start = line.start + heading.start(2)
        return Block("heading", start, start + len(heading[2]), len(heading[1])), index + 1
    following = lines[index + 1].text if index + 1 < len(lines) else ""
    if "|" in line.text and "|" in following and _DIVIDER.match(following):
        return _table(lines, index)
    if _RULE.match(line.text):
        return None, index + 1
    if _UNDERLINE.match(following) and "|" not in line.text and not _ITEM.match(line.text):
        level = 1 if following.startswith("=") else 2
        return Block("heading", line.start, line.end, level), index + 2
    if bold := _BOLD_LINE.match(line.text):
        start = line.start + bold.start(1)
        return Block("heading", start, start + len(bold[1]), 7), index + 1
    if _ITEM.match(line.text):
        return _list(lines, index)
    if _hangs(line.text, following):
        start = line.start + _indent(line.text)
        return Block("heading", start, start + len(line.text.strip()), 6), index + 1
    return _paragraph(lines, index)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _hangs(text: str, following: str) -> bool:
    """Whether a short line stands out to the left of the text below it, as a plain-text heading does."""
    bare = text.strip()
    return (
        bool(following.strip())
        and _indent(following) >= _indent(text) + 2
        and len(bare.split()) <= 6
        and not bare.endswith((".", ",", ";", ":"))
    )


def _table(lines: list[Line], index: int) -> tuple[Block, int]:
    rows = [lines[index]]
    cursor = index + 2
    while cursor < len(lines) and "|" in lines[cursor].text:
        rows.append(lines[cursor])
        cursor += 1
    return Block("table", rows[0].start, rows[-1].end, rows=tuple(rows)), cursor


def _list(lines: list[Line], index: int) -> tuple[Block, int]:
    items: list[Item] = []
    cursor = index
    while cursor < len(lines):
        line = lines[cursor]
        if marked := _ITEM.match(line.text):
            indent = len(marked["indent"].expandtabs(4))
            numbered = marked["mark"][-1] in ".)"
            items.append(Item(line.start + marked.end(), line.end, numbered, indent))
        elif not line.text.strip():
            after = lines[cursor + 1].text if cursor + 1 < len(lines) else ""
            if not (_ITEM.match(after) or after.startswith(("  ", "\t"))):
                break
        elif _starts_other(line.text) or (
            not lines[cursor - 1].text.strip() and not line.text.startswith(("  ", "\t"))
        ):
            break
        else:
            last = items[-1]
            items[-1] = Item(last.start, line.end, last.numbered, last.indent)
        cursor += 1
    return Block("list", items[0].start, items[-1].end, items=tuple(items)), cursor


def _starts_other(text: str) -> bool:
    return bool(_HEADING.match(text) or _FENCE.match(text) or _BOLD_LINE.match(text))


def _paragraph(lines: list[Line], index: int) -> tuple[Block | None, int]:
    cursor = index + 1
    while cursor < len(lines):
        text = lines[cursor].text
        following = lines[cursor + 1].text if cursor + 1 < len(lines) else ""
        table = "|" in text and "|" in following and _DIVIDER.match(following)
        if not text.strip() or _starts_other(text) or _ITEM.match(text) or table:
            break
        cursor += 1
    first, last = lines[index], lines[cursor - 1]
    if _CAPTION.match(first.text):
        return None, cursor
    quoted = _QUOTE.match(first.text)
    start = first.start + (quoted.end() if quoted else len(first.text) - len(first.text.lstrip()))
    if start >= last.end:
        return None, cursor
    return Block("paragraph", start, last.end), cursor
