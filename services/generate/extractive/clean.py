"""Markdown inline markup taken off, with a way back: each clean character knows its place in the raw text.

A quote must be found again in the parsed text, so nothing here may lose an offset. It never looks at block structure.
"""

import html
import re
from dataclasses import dataclass

_MARKUP = re.compile(
    r"""
    (?P<drop>!\[[^\]\n]*\]\([^)\n]*\)            # image
      |\[\^[^\]\n]{1,40}\]                       # footnote mark
      |\[\d{1,3}(?:[,–-][ ]?\d{1,3})*\](?!\()    # numeric citation
      |\[citation\ needed\]
      |<!--.*?-->
      |</?[a-zA-Z][^<>\n]{0,200}>                # HTML tag
      |[\u00ad\u200b\u200c\u200d\u2060\ufeff]    # invisible characters
      |\*+|`+|~~
      |(?<![^\W_])_+(?=[^\s_])|(?<=[^\s_])_+(?![^\W_]))
    |(?P<link>\[(?P<label>[^\[\]\n]+)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)|\[[^\[\]\n]*\]))
    |(?P<entity>&(?:[a-zA-Z]{2,8}|\#\d{1,6});)
    |\\(?P<escaped>[\\`*_{}\[\]()\#+.!|>~-])
    |(?P<space>[\t\r\n\u00a0\u2000-\u200a\u202f]\s*(?:>[ \t]?)*[ \t]*|[ ]{2,})
    """,
    re.VERBOSE | re.DOTALL,
)
_MARKS = "*_`"


@dataclass(frozen=True, slots=True)
class Clean:
    """Clean text; ``at[i]`` is the raw offset of its i-th character."""

    text: str
    at: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Raw offsets of the clean stretch ``[start, end)``, which must not be empty."""
        return self.at[start], self.at[end - 1] + 1


def clean(raw: str, start: int, end: int) -> Clean:
    """Take the markup off ``raw[start:end]``: emphasis, links, images, tags, footnotes, line breaks."""
    out: list[str] = []
    at: list[int] = []
    _clean_into(raw, start, end, out, at)
    text = "".join(out)
    left = len(text) - len(text.lstrip())
    right = len(text.rstrip())
    return Clean(text[left:right], tuple(at[left:right]))


def _clean_into(raw: str, start: int, end: int, out: list[str], at: list[int]) -> None:
    cursor = start
    for found in _MARKUP.finditer(raw, start, end):
        _keep(raw, cursor, found.start(), out, at)
        cursor = found.end()
        match found.lastgroup:
            case "link":
                _clean_into(raw, found.start("label"), found.end("label"), out, at)
            case "entity":
                _put(html.unescape(found[0]), found.start(), out, at)
            case "escaped":
                _put(found["escaped"], found.start("escaped"), out, at)
            case "space":
                if out and out[-1] != " ":
                    _put(" ", found.start(), out, at)
            case _:
                pass
    _keep(raw, cursor, end, out, at)


def _put(text: str, offset: int, out: list[str], at: list[int]) -> None:
    out.extend(text)
    at.extend([offset] * len(text))


def _keep(raw: str, start: int, end: int, out: list[str], at: list[int]) -> None:
    if start < end and raw[start] == " " and out and out[-1] == " ":
        start += 1
    if start < end:
        out.extend(raw[start:end])
        at.extend(range(start, end))


def widen(raw: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    """Take emphasis marks that touch a quote into it, so that "**Term** is" does not begin inside its marks."""
    while start > low and raw[start - 1] in _MARKS + "[":
        start -= 1
    while end < high and raw[end] in _MARKS:
        end += 1
    return start, end


def flat(raw: str) -> str:
    """The clean text of a whole string, where no way back is needed."""
    return clean(raw, 0, len(raw)).text
