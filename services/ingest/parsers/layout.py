"""Lines on pages to Markdown: paragraphs joined again, headings by type size, tables by column, running heads dropped.

Works on places and sizes only, in points from the lower left corner; knows nothing of PDF.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median

from services.ingest.parsers.markdown import table


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    page: int
    cells: tuple[Cell, ...]
    """More than one where wide gaps part the line."""
    base: float
    size: float
    bold: bool
    """Every character is bold."""
    lead: str
    """The bold words that a plain line begins with; empty: none."""
    height: float
    """Of the page."""

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right


@dataclass(frozen=True, slots=True)
class Block:
    """What becomes one paragraph, heading, list item, table or line of a table of contents."""

    kind: str
    lines: list[Line]
    level: int = 0


BIGGER = 1.1
MARGIN = 0.12
_SURE_BULLET = re.compile(r"[•◦▪‣●○■□⁃]\s*")
_LIKELY_BULLET = re.compile(r"([-–*]|\(?\d{1,2}[.)])\s+(?=\S)")
_LABEL = re.compile(r"[•◦▪‣●○■□⁃*–-]|\(?\d{1,3}[.)]")
_ENDED = re.compile(r"[.!?:…][\"”’')\]]*$")
_LEADER = re.compile(r"(?:\.\s?){4,}\s*\d*$")
_PAGE_NUMBER = re.compile(r"[-–\s]*(?:\d{1,4}|[ivxlc]{1,7})[-–\s]*")
_DIGITS = re.compile(r"\d+")
_BROKEN = re.compile(r"(\w+)-$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def lay_out(lines: list[Line], pages: int) -> tuple[str, tuple[int, ...]]:
    """Give the Markdown of ``lines`` and the offset at which each of the ``pages`` pages begins."""
    kept = [_labelled(line) for line in _without_running_heads(lines, pages)]
    blocks = _blocks(kept)
    words = Counter(word.lower() for line in kept for word in _WORD.findall(line.text))
    return _write(blocks, words, pages)


def _without_running_heads(lines: list[Line], pages: int) -> list[Line]:
    """Drop the outermost lines of a page that are its number, or whose text, numbers aside, comes on other pages too.

    Only lines in the margin, with room between them and the body, are looked at; prose that repeats stays.
    """
    heads: defaultdict[str, set[int]] = defaultdict(set)
    by_page = {page: list(on) for page, on in groupby(lines, lambda line: line.page)}
    candidates: list[Line] = []
    for page, on in by_page.items():
        for place, inward in (("top", -1), ("foot", 1)):
            for line in _outermost(sorted(on, key=lambda line: line.base * inward), inward):
                heads[f"{place} {_DIGITS.sub('#', line.text)}"].add(page)
                candidates.append(line)
    enough = 2 if pages < 6 else 3
    running = {text for text, on in heads.items() if len(on) >= enough}
    dropped = {
        id(line)
        for line in candidates
        for place in ("top", "foot")
        if f"{place} {_DIGITS.sub('#', line.text)}" in running or _PAGE_NUMBER.fullmatch(line.text)
    }
    return [line for line in lines if id(line) not in dropped]


def _outermost(ordered: list[Line], inward: int) -> list[Line]:
    """The lines in the margin, outermost first, that a gap of more than a line parts from the rest."""
    for at, (line, following) in enumerate(pairwise(ordered[:4])):
        share = line.base / line.height
        if MARGIN < share < 1 - MARGIN:
            return []
        if (following.base - line.base) * inward > 1.6 * line.size:
            return ordered[: at + 1]
    return []


def _labelled(line: Line) -> Line:
    """A list's mark that stands apart belongs to its text and is no table cell."""
    if len(line.cells) < 2 or not _LABEL.fullmatch(line.cells[0].text):
        return line
    mark, first, *rest = line.cells
    joined = Cell(f"{mark.text} {first.text}", mark.left, first.right)
    return replace(line, cells=(joined, *rest))


def _heading_levels(lines: list[Line], body: float) -> dict[float, int]:
    """Type sizes above the body's, largest first, as heading levels 1 to 6."""
    sizes = {
        line.size
        for line in lines
        if line.size >= body * BIGGER and len(line.cells) == 1 and len(line.text) <= 150
    }
    return {size: min(at, 6) for at, size in enumerate(sorted(sizes, reverse=True), 1)}


def _blocks(lines: list[Line]) -> list[Block]:
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    levels = _heading_levels(lines, body)
    leading = _leading(lines, body)
    edges = _right_edges(lines)
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        rows = _table_rows(lines, at)
        if rows:
            blocks.append(Block("table", lines[at : at + rows]))
            at += rows
            continue
        line = lines[at]
        starts = not blocks or _starts_anew(blocks[-1].lines[-1], line, leading, edges)
        following = lines[at + 1] if at + 1 < len(lines) else None
        level = levels.get(line.size, 0) or _bold_level(
            line, following, len(levels) + 1, starts=starts
        )
        kind = _kind(blocks, line, level, starts=starts)
        if kind:
            blocks.append(Block(kind, [line], level if kind == "heading" else 0))
        else:
            blocks[-1].lines.append(line)
        at += 1
    return blocks


def _kind(blocks: list[Block], line: Line, level: int, *, starts: bool) -> str:
    """The kind of the block that ``line`` begins; empty: it goes on with the last one."""
    last = blocks[-1] if blocks else None
    before = last.kind if last else ""
    if _LEADER.search(line.text):
        return "contents"
    if level and re.search(r"\w", line.text):
        goes_on = last is not None and before == "heading" and last.level == level and not starts
        return "" if goes_on else "heading"
    opens = starts or before in {"item", "heading", "table", "contents"}
    if _SURE_BULLET.match(line.text) or (opens and _LIKELY_BULLET.match(line.text)):
        return "item"
    return "" if before in {"paragraph", "item"} and not starts else "paragraph"


def _leading(lines: list[Line], body: float) -> float:
    """The usual distance of two baselines of the body's size."""
    gaps = [
        one.base - two.base
        for one, two in pairwise(lines)
        if one.page == two.page
        and one.size == two.size == body
        and 0 < one.base - two.base < 2 * body
    ]
    return median(gaps) if gaps else 1.2 * body


def _right_edges(lines: list[Line]) -> dict[tuple[int, int], float]:
    """How far lines reach to the right, by page and by where they begin (so that columns are told apart)."""
    edges: dict[tuple[int, int], float] = {}
    for line in lines:
        key = line.page, round(line.left / 40)
        edges[key] = max(edges.get(key, 0.0), line.right)
    return edges


def _starts_anew(
    last: Line, line: Line, leading: float, edges: dict[tuple[int, int], float]
) -> bool:
    """Whether ``line`` begins a paragraph after ``last``: by the gap, the size, an indent, or room left on ``last``."""
    ended = bool(_ENDED.search(last.text))
    # A line set wholly in a typewriter face is smaller than the prose that it belongs to.
    if abs(last.size - line.size) > (0.6 if ended else 0.25 * last.size):
        return True
    gap = last.base - line.base
    if last.page != line.page or gap <= 0:
        return ended or line.text[:1].isupper()
    if gap > max(leading * 1.25, 1.4 * line.size):
        return True
    edge = max(edges.get((last.page, round(last.left / 40) + near), 0.0) for near in (-1, 0, 1))
    first_word = line.text.split(" ", 1)[0]
    room = edge - last.right > (len(first_word) + 1) * 0.6 * line.size
    if room and (ended or line.text[:1].isupper()):
        return True
    return ended and line.left - last.left > 0.8 * line.size and not _is_item(last)


def _is_item(line: Line) -> bool:
    return bool(_SURE_BULLET.match(line.text) or _LIKELY_BULLET.match(line.text))


def _bold_level(line: Line, following: Line | None, level: int, *, starts: bool) -> int:
    """A short bold line that stands alone is a heading, one below those told by size; else 0."""
    alone = line.bold and starts and len(line.cells) == 1 and len(line.text) <= 100
    if not alone or _ENDED.search(line.text.rstrip("?")) or line.text[-1] in ",;":
        return 0
    return 0 if following is not None and following.bold else min(level, 6)


def _table_rows(lines: list[Line], at: int) -> int:
    """How many lines from ``at`` on are rows of one table; 0: it is none."""
    count = 0
    widest = lines[at]
    while at + count < len(lines):
        line = lines[at + count]
        if len(line.cells) < 2 or line.page != widest.page or _LEADER.search(line.text):
            break
        before = lines[at + count - 1]
        if count and not (_same_columns(line, widest) and _same_columns(line, before)):
            break
        widest = max(widest, line, key=lambda row: len(row.cells))
        count += 1
    if count < 2:
        return 0
    rows = lines[at : at + count]
    cells = [cell for line in rows for cell in line.cells]
    short = sum(len(cell.text) for cell in cells) / len(cells) <= 40
    usual, times = Counter(len(line.cells) for line in rows).most_common(1)[0]
    return count if short and times >= count / 2 and usual <= 12 else 0


def _same_columns(line: Line, other: Line) -> bool:
    """Whether two lines can be rows of one table: columns that a line parts, or the fewer each in line with one of the
    more.
    """
    few, many = sorted((line.cells, other.cells), key=len)
    if len(few) == len(many):
        # A vertical line can be drawn between any two columns.
        return all(
            max(few[at].right, many[at].right) < min(few[at + 1].left, many[at + 1].left)
            for at in range(len(few) - 1)
        )
    slack = line.size / 2
    return all(
        any(
            min(
                abs(cell.left - column.left),
                abs(cell.right - column.right),
                abs(cell.left + cell.right - column.left - column.right) / 2,
            )
            < slack
            for column in many
        )
        for cell in few
    )


def _table(lines: Iterable[Line]) -> str:
    """Cells by column: the places of the rows that have the usual number of cells say where the columns are."""
    rows = list(lines)
    usual = Counter(len(line.cells) for line in rows).most_common(1)[0][0]
    model = [line for line in rows if len(line.cells) == usual]
    centres = [
        sum(line.cells[at].left + line.cells[at].right for line in model) / (2 * len(model))
        for at in range(usual)
    ]
    out = []
    for line in rows:
        row = [""] * usual
        for at, cell in enumerate(line.cells):
            middle = (cell.left + cell.right) / 2
            column = (
                at
                if len(line.cells) == usual
                else min(range(usual), key=lambda n: abs(centres[n] - middle))
            )
            row[column] = f"{row[column]} {cell.text}".strip()
        out.append(row)
    return table(out)


def _join(before: str, after: str, words: Counter[str]) -> str:
    """What stands between two lines of a paragraph; the hyphen of a broken word is judged by the rest of the text."""
    broken = _BROKEN.search(before)
    if not broken or not after[:1].islower():
        return " "
    rest = _WORD.match(after)
    head, tail = broken[1].lower(), rest.group().lower() if rest else ""
    keeps = words[f"{head}-{tail}"] > words[f"{head}{tail}"]
    return "" if keeps else "\b"


def _first(block: Block) -> str:
    """The opening line with its Markdown mark."""
    line = block.lines[0]
    text = line.text
    if block.kind == "heading":
        return "#" * block.level + " " + text
    if block.kind == "item":
        text = _SURE_BULLET.sub("- ", text, count=1)
        text = re.sub(r"^[–*]\s+", "- ", text)
        return re.sub(r"^\(?(\d{1,2})[.)]\s+", r"\1. ", text)
    lead = line.lead
    rest = text.removeprefix(lead)
    if lead and rest != text and (lead.endswith(":") or re.match(r":|\s[–—-]\s", rest)):
        return f"**{lead}**{rest}" if not lead.endswith(":") else f"**{lead[:-1]}**:{rest}"
    return re.sub(r"^#(?=#{0,5}\s)", r"\\#", text)


def _write(blocks: list[Block], words: Counter[str], pages: int) -> tuple[str, tuple[int, ...]]:
    text = ""
    pieces: list[str] = []
    length = 0
    starts: dict[int, int] = {}

    def put(piece: str, page: int | None = None) -> None:
        nonlocal length
        if page is not None:
            starts.setdefault(page, length)
        pieces.append(piece)
        length += len(piece)

    for at, block in enumerate(blocks):
        if at:
            close = block.kind == blocks[at - 1].kind and block.kind in {"item", "contents"}
            put("\n" if close else "\n\n")
        if block.kind == "table":
            put(_table(block.lines), block.lines[0].page)
            continue
        text = _first(block)
        put(text, block.lines[0].page)
        for line in block.lines[1:]:
            between = _join(text, line.text, words)
            if between == "\b":
                pieces[-1] = pieces[-1][:-1]
                length -= 1
                between = ""
            put(between)
            text = line.text
            put(text, line.page)
    return "".join(pieces), _page_starts(starts, pages, length)


def _page_starts(starts: dict[int, int], pages: int, length: int) -> tuple[int, ...]:
    """A page without text begins and ends where the next one with text begins."""
    out: list[int] = []
    following = length
    for page in range(pages, 0, -1):
        following = starts.get(page, following)
        out.append(following)
    return tuple(reversed(out))
