"""Which passages are left out before anything is paid for them, and why. Pure, and cheap enough for every chunk.

Sees only one passage, its heading path and the lines that its document repeats; it judges form, never meaning.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from contracts.generation import Mode

SkipReason = Literal[
    "language_not_supported",
    "table_of_contents",
    "references",
    "licence",
    "link_list",
    "repeated_header",
    "digits_punctuation",
    "too_short",
]

LEAST_WORDS = 25
LEAST_WORDS_SUMMARY = 120
"""A shorter text has nothing to leave out."""
LINE_LENGTH = 120
"""Characters that a page header or footer has at most."""
REPEATS = 3
"""A line that a document has this often is a page header or footer."""
ENGLISH_SHARE = 0.12
"""Share of common English words that English prose reaches (running text has 0.3 and more)."""

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_DENSE = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARKUP = re.compile(
    r"\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)|^[ \t]*#{1,6}[ \t].*$|^[ \t|:+=-]+$|<[^<>\n]{1,200}>|[*_`\[\]|]",
    re.MULTILINE,
)
_LINK = re.compile(r"\[[^\[\]\n]*\]\([^()\n]*\)|https?://\S+|www\.\S+")
_CONTENTS_LINE = re.compile(
    r".{2,120}?(?:\.{3,}|(?:[ \u00a0]\.){3,}|…+|[ \u00a0]{2,}|\t)\s*\d{1,4}"
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d[a-z]?\b")
_NUMBERED = re.compile(r"(?:[-*]\s*)?\[\d{1,3}\]|\[\^\w+\]:")
# Plain substrings of the lower-cased text: a case-blind alternation costs a hundred times as much.
_CITATION = (
    "doi",
    "isbn",
    "issn",
    "arxiv",
    "et al.",
    " p. ",
    " pp. ",
    "vol.",
    "retrieved",
    "archived",
    " press",
    "journal",
    "proceedings",
    "http",
    "(19",
    "(20",
)
_LICENCE = (
    "permission is hereby granted",
    "licensed under the",
    "general public license",
    "general public licence",
    "without warranty of any kind",
    "all rights reserved",
    "redistribution and use in source",
    "creative commons attribution",
    '"as is" basis',
    "in no event shall",
    "project gutenberg license",
    "project gutenberg-tm",
    "project gutenberg™",
    "this license",
    "this licence",
    "copyright (c)",
    "copyright ©",
)
CITATION_LENGTH = 400
"""Characters beyond which a line is a paragraph that happens to cite."""
_CONTENTS = frozenset(
    {
        "contents",
        "table of contents",
        "inhalt",
        "inhaltsverzeichnis",
        "sommaire",
        "table des matières",
        "índice",
        "indice",
        "目录",
        "目次",
    }
)
_REFERENCES = frozenset(
    {
        "references",
        "bibliography",
        "works cited",
        "literature",
        "literature cited",
        "further reading",
        "notes and references",
        "external links",
        "footnotes",
        "literatur",
        "literaturverzeichnis",
        "einzelnachweise",
        "références",
        "bibliographie",
        "bibliografía",
        "referencias",
        "bibliografia",
        "参考文献",
    }
)
_LICENCES = frozenset({"license", "licence", "licensing", "copyright", "copyright notice"})
_ENGLISH = re.compile(
    r"\b(?:the|of|and|to|in|a|is|that|for|on|with|as|was|are|by|it|be|from|or|an|at|this|which|not|have|has|were"
    r"|can|its|their|but|one|also|if|you|when|more|than|these)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a passage says once its markup is taken off: its prose, how many words, how many letters."""

    prose: str
    words: int
    letters: int


def content(passage: str) -> Content:
    """Headings, rules of tables and targets of links are no content; two dense characters make a word."""
    prose = _MARKUP.sub(" ", passage)
    found = _WORD.findall(prose)
    count = len(found) if prose.isascii() else len(found) + len(_DENSE.findall(prose)) // 2
    return Content(prose, count, sum(map(len, found)))


def repeated_lines(text: str) -> frozenset[str]:
    """Lines that a document has at least ``REPEATS`` times, without regard to their numbers."""
    lines = (line.strip() for line in text.split("\n") if len(line) <= LINE_LENGTH)
    counts = Counter(_unnumbered(line) for line in lines if len(line) >= 4)
    return frozenset(
        line for line, count in counts.items() if count >= REPEATS and any(map(str.isalpha, line))
    )


def reason_to_skip(
    passage: str,
    found: Content,
    heading_path: tuple[str, ...],
    repeated: frozenset[str],
    mode: Mode,
) -> SkipReason | None:
    """The first reason to leave a passage out, or None. ``found`` is ``content(passage)``."""
    lines = [line.strip() for line in passage.split("\n") if line and not line.isspace()]
    heading = heading_path[-1].strip(" #*_:.0123456789").casefold() if heading_path else ""
    if _is_contents(lines, heading):
        return "table_of_contents"
    if _is_references(lines, heading):
        return "references"
    if _is_licence(passage, heading):
        return "licence"
    if _is_links(passage, found):
        return "link_list"
    if repeated and _is_repeated(lines, repeated):
        return "repeated_header"
    if found.letters < 0.5 * sum(map(len, found.prose.split())):
        return "digits_punctuation"
    least = LEAST_WORDS_SUMMARY if mode == "summarization" else LEAST_WORDS
    return "too_short" if found.words < least else None


def is_english(found: Content) -> bool:
    """Whether a passage of a document of unknown language reads as English, by its commonest words."""
    return len(_ENGLISH.findall(found.prose)) >= ENGLISH_SHARE * found.words


def _is_contents(lines: list[str], heading: str) -> bool:
    if heading in _CONTENTS:
        return sum(line.count(" ") >= 14 for line in lines) < 0.3 * len(lines)
    found = sum(_CONTENTS_LINE.fullmatch(line) is not None for line in lines if line[-1].isdigit())
    return found >= 3 and found >= 0.5 * len(lines)


def _is_references(lines: list[str], heading: str) -> bool:
    listed = heading in _REFERENCES
    found = sum(_is_citation(line, listed=listed) for line in lines if len(line) <= CITATION_LENGTH)
    return found >= (1 if listed else 3) and found >= (0.3 if listed else 0.6) * len(lines)


def _is_citation(line: str, *, listed: bool) -> bool:
    """A year with a mark of citations; under a heading for references a number or a link is enough."""
    if listed and (_NUMBERED.match(line) or _LINK.search(line)):
        return True
    if _YEAR.search(line) is None:
        return False
    lowered = line.lower()
    return _NUMBERED.match(line) is not None or any(mark in lowered for mark in _CITATION)


def _is_licence(passage: str, heading: str) -> bool:
    lowered = passage.lower()
    found = sum(phrase in lowered for phrase in _LICENCE)
    return found >= (1 if heading in _LICENCES else 2)


def _is_links(passage: str, found: Content) -> bool:
    if "](" not in passage and "://" not in passage and "www." not in passage:
        return False
    without, links = _LINK.subn("", passage)
    return links >= 3 and content(without).letters < 0.4 * found.letters


def _is_repeated(lines: list[str], repeated: frozenset[str]) -> bool:
    again = sum(
        len(line) for line in lines if len(line) <= LINE_LENGTH and _unnumbered(line) in repeated
    )
    return again > 0.5 * sum(map(len, lines))


def _unnumbered(line: str) -> str:
    return _DIGITS.sub("0", line)
