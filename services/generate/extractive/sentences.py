"""Sentences with their raw offsets, found in cleaned paragraphs and list items, and what makes one unfit for a question.

It splits and judges; it never rewrites the text of a sentence, only takes off what ties it to the sentence before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.generate.extractive import words
from services.generate.extractive.clean import Clean, widen

_END = re.compile(r"[.!?]+[\"”’')\]]*(?=\s+[\"“‘'(\[]*[A-Z0-9À-ÖØ-Þ`]|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“‘'])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Brig|Maj|Adm|Cmdr|Lieut|Pvt|Cpl|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep"
    r"|Mt|Ft|vs|etc|cf|al|ca|c|approx|no|No|Nos|vol|Vol|pp|p|fig|Fig|Figs|eq|Eq|ed|eds|Ed|Inc|Ltd|Co|Corp|Bros|Dept|Univ"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|e\.g|i\.e|viz|resp|incl|excl|max|min|est|fl|b|d|r|Art|art|Sec|sec|sq)$"
)
_SENTENCE_STARTERS = frozenset(
    """The A An In It They He She This These However On At For When While As By Its After Before But And If There
    From Since During With To Although Most Many Some Such Both One Another Each""".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """``text`` is the clean sentence; ``body`` is it without a leading connective; offsets are raw."""

    index: int
    text: str
    body: str
    start: int
    end: int
    headings: tuple[str, ...]
    paragraph: int
    place: int
    """Position in its paragraph, from 0."""
    bold: bool
    """Whether the raw sentence opens in bold, as a defined term does."""


def split(text: str) -> list[tuple[int, int]]:
    """Offsets of the sentences of one clean paragraph; abbreviations and initials do not end one."""
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _END.finditer(text):
        if found.end() < len(text) and _continues(text, start, found):
            continue
        if found.end() > start:
            spans.append((start, found.end()))
        start = found.end()
        while start < len(text) and text[start].isspace():
            start += 1
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def _continues(text: str, start: int, found: re.Match[str]) -> bool:
    if found[0] != ".":
        return False
    before = text[max(start, found.start() - 12) : found.start()]
    if not _ABBREVIATION.search(before):
        return False
    after = text[found.end() :].split(maxsplit=1)[0]
    initials = re.search(r"(?:[A-Za-z]\.)+[A-Za-z]$|(?:etc|Inc|Ltd|Co|Corp|al)$", before)
    return not (initials and after in _SENTENCE_STARTERS)


def sentences(
    raw: str, cleaned: Clean, headings: tuple[str, ...], paragraph: int, first: int
) -> Iterator[Sentence]:
    """The sentences of one paragraph, usable or not; ``first`` is the index of the first."""
    if not cleaned.text:
        return
    low, high = cleaned.span(0, len(cleaned.text))
    for place, (start, end) in enumerate(split(cleaned.text)):
        text = cleaned.text[start:end].strip()
        if not text:
            continue
        begin, finish = widen(
            raw, *cleaned.span(start, end), max(0, low - 3), min(len(raw), high + 3)
        )
        yield Sentence(
            index=first + place,
            text=text,
            body=words.capitalise(words.CONNECTIVE.sub("", text)),
            start=begin,
            end=finish,
            headings=headings,
            paragraph=paragraph,
            place=place,
            bold=raw[begin : begin + 2] == "**",
        )


def usable(text: str) -> bool:
    """Whether a sentence is prose about its subject: complete, of sane length, not about the document or the reader."""
    if not text.endswith((".", ".”", '."', ".)")) or not (text[0].isupper() or text[0].isdigit()):
        return False
    count = text.count(" ") + 1
    if not 5 <= count <= 40:
        return False
    if words.SYMBOLS.search(text) or ". " in _unabbreviated(text):
        return False
    if words.PERSONAL.search(text) or words.META.search(text) or words.POINTING.search(text):
        return False
    if words.CONTRACTION.search(text) or not balanced(text):
        return False
    letters = sum(map(str.isalpha, text))
    capitals = sum(map(str.isupper, text))
    return letters >= 0.6 * len(text) and capitals <= 0.35 * letters


def _unabbreviated(text: str) -> str:
    return re.sub(
        r"\b(?:[A-Z]|[A-Z]\.[A-Z]|Dr|Mr|Mrs|Ms|St|Jr|Sr|Prof|Gen|Brig|Maj|Adm|Cmdr|Lieut|Pvt|Cpl|Col|vs|c|ca|approx|No|Mt)\. ",
        "",
        text,
    )


def balanced(text: str) -> bool:
    """Whether brackets and double quotes close."""
    return (
        text.count("(") == text.count(")")
        and text.count("“") == text.count("”")
        and text.count('"') % 2 == 0
    )
