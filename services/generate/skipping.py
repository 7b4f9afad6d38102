"""Which passages are left out before anything is paid for them, and why. Pure, and cheap enough for every chunk.

Sees only one passage, its heading path and the lines that its document repeats; it judges form, never meaning.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from contracts.document import PageSpan
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
"""How often a document must have a line for it to be a page header or footer."""
EDGE = 3
"""Lines at the top and at the bottom of a page among which they are."""
ENGLISH_SHARE = 0.1
"""Share of common English words below which a text is not English (running text has 0.3 and more)."""

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_DENSE = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARKUP = re.compile(
    r"\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)|^[ \t]*#{1,6}[ \t][^\n]*[^?\n]$|^[ \t|:+=-]+$"
    r"|<!--.*?-->|<[^<>]{1,200}>|[*_`\[\]|]",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\[[^\[\]\n]*\]\([^()\n]*\)|https?://\S+|www\.\S+")
_CONTENTS_LINE = re.compile(
    r".{2,120}?(?:\.{3,}|(?:[ \u00a0]\.){3,}|…+|[ \u00a0]{2,}|\t)\s*\d{1,4}"
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d[a-z]?\b")
_ITEM = re.compile(r"[-*+•]\s|\d+[.)]\s|\[\^?\w+\]")
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
_LICENCES = frozenset({"license", "licence", "licensing", "copyright"})
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
    """Headings that ask nothing, rules of tables, targets of links are no content; two dense characters are a word."""
    prose = _MARKUP.sub(" ", passage)
    found = _WORD.findall(prose)
    count = len(found) if prose.isascii() else len(found) + len(_DENSE.findall(prose)) // 2
    return Content(prose, count, sum(map(len, found)))


def repeated_lines(text: str, pages: Sequence[PageSpan]) -> frozenset[str]:
    """Page headers and footers, with their numbers made alike.

    In a text with pages: lines at the edges of a fifth of them or more. In one without: lines that stand alone
    between blank lines again and again; repeated lines within paragraphs, tables and code are none.
    """
    least = max(REPEATS, len(pages) // 5)
    edges = (text[page.start : page.end].strip().split("\n") for page in pages)
    lines = chain.from_iterable({*page[:EDGE], *page[-EDGE:]} for page in edges)
    alone = (part for part in _BLANK.split(text) if "\n" not in part)
    counts = Counter(
        _unnumbered(line) for line in (lines if pages else alone) if 4 <= len(line) <= LINE_LENGTH
    )
    return frozenset(
        line for line, count in counts.items() if count >= least and any(map(str.isalpha, line))
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


def is_english(text: str) -> bool:
    """Whether a text of unknown language reads as English, by its commonest words."""
    found = content(text)
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
    """A year with a mark of citations; under a heading for references also an item with a year or a link."""
    year = _YEAR.search(line) is not None
    if listed and _ITEM.match(line) and (year or _LINK.search(line)):
        return True
    if not year:
        return False
    lowered = line.lower()
    return _NUMBERED.match(line) is not None or any(mark in lowered for mark in _CITATION)


def _is_licence(passage: str, heading: str) -> bool:
    lowered = passage.lower()
    found = sum(phrase in lowered for phrase in _LICENCE)
    return found >= (1 if heading.split(" ", 1)[0] in _LICENCES else 2)


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
    return _DIGITS.sub("0", line.strip())
