"""Headings in Markdown and plain text, and the small repairs that converted Markdown needs. Pure string work."""

import re
from collections.abc import Iterator

from contracts.document import Heading

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_NO_HEADING = re.compile(r"\s{4}|\t| {0,3}(?:[-*+>|#]|\d{1,9}[.)]\s|<!--)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~&$=^\"':;,/?@%])")
# Longer headings are prose, and the expressions above take the square of the length of what they look at.
_LONGEST = 300
_FRONT = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FRONT_TITLE = re.compile(r"^title:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def front_matter(text: str) -> str:
    """The YAML block that a Markdown file may open with, its fences included; empty: none."""
    found = _FRONT.match(text)
    # A rule at the head of prose is no block: each line of one is a key, an item, a comment or empty.
    if found and all(
        re.match(r"[\w-]+[ \t]*:|[ \t]|-|#|$", line) for line in found.group().split("\n")[1:-1]
    ):
        return found.group()
    return ""


def front_title(text: str) -> str:
    """The title that the YAML block names; empty: none."""
    found = _FRONT_TITLE.search(front_matter(text))
    return found.group(1).strip("\"'") if found else ""


def _lines(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield lines outside code fences and comments as (offset, line); a fence or comment yields an empty line."""
    fence, comment = "", False
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        marker = None if comment else _FENCE.fullmatch(line)
        hidden = bool(fence) or comment or marker is not None
        if marker and not fence:
            # A back-tick fence has no back-tick in its info string: that is inline code.
            if marker[1][0] == "`" and "`" in marker[2]:
                hidden = False
            else:
                fence = marker[1]
        elif marker and marker[1].startswith(fence) and not marker[2].strip():
            fence = ""
        elif not fence:
            opened = line.rfind("<!--")
            closed = line.rfind("-->")
            comment = opened > closed or (comment and closed < 0)
        yield start, "" if hidden else line
        start = end + 1


def headings(text: str) -> tuple[Heading, ...]:
    """Find ATX and one-line setext headings in order; ``text[h.start:h.end]`` is the heading as it is written.

    Source: CommonMark 0.31 §4.2 and §4.3; a setext heading of several lines is read as prose above a rule.
    """
    found: list[Heading] = []
    before, last, last_start = "", "", 0
    for start, line in _lines(text, len(front_matter(text))):
        atx = _ATX.fullmatch(line)
        rule = _UNDERLINE.fullmatch(line)
        if atx:
            text_of = bare(_without_closing(atx[2]))
            found.append(
                Heading(level=len(atx[1]), text=text_of, start=start, end=start + len(line))
            )
        elif rule and last.strip() and not before.strip() and not _NO_HEADING.match(last):
            level = 1 if rule[1][0] == "=" else 2
            found.append(
                Heading(level=level, text=bare(last), start=last_start, end=start + len(line))
            )
            line = ""  # noqa: PLW2901 - the underline is used up and heads no paragraph
        before, last, last_start = last, "" if atx else line, start
    return tuple(heading for heading in found if heading.text)


def _without_closing(text: str) -> str:
    """An ATX heading's text without the run of ``#`` that may close it."""
    text = text.strip(" \t")
    opened = text.rstrip("#")
    return opened.rstrip(" \t") if opened == "" or opened[-1] in " \t" else text


def bare(text: str) -> str:
    """One line of Markdown without its emphasis, link targets and escapes; at most 300 characters of it."""
    text = text.strip()[:_LONGEST]
    text = _LINK.sub(r"\1", text)
    for _ in range(3):
        text = _EMPHASIS.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text).strip()


def unescape(text: str) -> str:
    r"""Take back the backslashes that a converter put before punctuation, outside code fences.

    ``\|`` stays, because it keeps a table's cell whole, and so does ``\#`` where it would open a heading.
    """
    pieces: list[str] = []
    at = 0
    for start, line in _lines(text, 0):
        end = start + len(line)
        if line and "\\" in line:
            lead = 2 if line.startswith("\\#") else 0
            pieces += [text[at : start + lead], _ESCAPED.sub(r"\1", text[start + lead : end])]
            at = end
    return "".join([*pieces, text[at:]])


def table(rows: list[list[str]]) -> str:
    """Write rows, the first being the header, as a Markdown table; short rows are filled up."""
    width = max(len(row) for row in rows)
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
        lines.append("| " + " | ".join(cells + [""] * (width - len(cells))) + " |")
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)
