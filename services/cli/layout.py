"""How a page of the terminal is laid out: headings, aligned columns, wrapped prose. Pure; knows no subject."""

import textwrap
from collections.abc import Iterable, Sequence

from rich.text import Text

INDENT = "  "


def heading(words: str) -> Text:
    return Text(words, style="bold")


def prose(words: str, width: int, *, first: str = INDENT, rest: str | None = None) -> Text:
    """Words wrapped to ``width``, never cut: an address stays whole. ``first`` and ``rest`` lead the lines."""
    lead = " " * len(first) if rest is None else rest
    lines = textwrap.wrap(
        words,
        max(width, 40),
        initial_indent=first,
        subsequent_indent=lead,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text("\n".join(lines) or first.rstrip())


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[Text]:
    """Aligned cells, two spaces apart; columns in ``right`` are flush right, the last one is never padded."""
    flush = set(right)
    most = max((len(row) for row in rows), default=0)
    widths = [max((len(row[n]) for row in rows if n < len(row)), default=0) for n in range(most)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(widths[n]) if n in flush else cell.ljust(widths[n])
            for n, cell in enumerate(row)
        ]
        lines.append(Text(INDENT + INDENT.join(cells).rstrip()))
    return lines


def page(lines: Iterable[Text | str]) -> Text:
    return Text("\n").join(line if isinstance(line, Text) else Text(line) for line in lines)
