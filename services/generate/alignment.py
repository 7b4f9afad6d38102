"""Where a model's quote stands in the parsed text: exactly, else normalised, else nearly. Pure.

An offset is only ever set where the text at it was compared with the quote; the quote is then replaced by that text,
so that evidence is verbatim whatever the model made of it.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from contracts.entries import Evidence

NEIGHBOURHOOD = 600
"""Characters before and after the passage in which a changed quote is looked for."""
SHORTEST = 12
"""Normalised characters below which likeness proves nothing, so that only an exact match counts."""

ANCHOR = 250
"""Normalised characters at each end by which a longer quote is looked for."""

_TYPOGRAPHY = str.maketrans("‘’‚‛“”„‟«»‹›′″‐‑‒–—―−", "''''\"\"\"\"\"\"'''\"-------")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# Markup and white space between two stretches of text: emphasis, code marks, brackets and targets of links,
# backslashes, table bars, marks of quoted lines and of headings. A lone space between two words is left to them.
_MARKUP = rf"\s*_`~\[\]\\|{_INVISIBLE}"
_BETWEEN = re.compile(
    rf"(?! [^{_MARKUP}])"
    rf"(?:\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)|(?:^|\n)[ \t]*[>#]+|[{_MARKUP}])+"
)
_SPACE = re.compile(r"\s|\|")


@dataclass(frozen=True, slots=True)
class _Normal:
    """A normalised text with the way back: piece ``i`` begins at ``here[i]`` and stood at ``there[i]``."""

    text: str
    here: list[int]
    there: list[int]

    def origin(self, place: int) -> int:
        """The offset in the text that was normalised."""
        piece = bisect_right(self.here, place) - 1
        return self.there[piece] + place - self.here[piece]

    def place(self, origin: int) -> int:
        """Where an offset of the text that was normalised came to be, or what follows it."""
        piece = max(bisect_right(self.there, origin) - 1, 0)
        return self.here[piece] + max(origin - self.there[piece], 0)


def align(quote: str, text: str, start: int, end: int, minimum: float = 90.0) -> Evidence:
    """Find a quote in ``text``, whose passage is ``[start, end)``, in code points.

    Tried in turn: the passage as it is; passage and neighbourhood without regard to white space, typography, Markdown
    and case; the whole text as it is (the nearest place); the most similar stretch of the neighbourhood with a
    normalised indel similarity (rapidfuzz ``partial_ratio``, 0 to 100) of at least ``minimum``. Where nothing is
    found the quote comes back as it was, without offsets.
    """
    wanted = quote.strip()
    place = text.find(wanted, start, end)
    if place >= 0 and wanted:
        return _verbatim(text, place, place + len(wanted))
    low, high = max(0, start - NEIGHBOURHOOD), min(len(text), end + NEIGHBOURHOOD)
    normal, target = _normalise(text[low:high]), _normalise(wanted).text
    passage = normal.place(start - low), normal.place(end - low)
    bare = target.strip("\"' ")
    span = _closest(target, normal.text, *passage) or _closest(bare, normal.text, *passage)
    if span is None and bare:
        if elsewhere := _closest(wanted, text, start, end):
            return _verbatim(text, *elsewhere)
        span = _near(bare, normal, minimum)
    if span is None:
        return Evidence(quote=quote)
    return _verbatim(text, low + normal.origin(span[0]), low + normal.origin(span[1] - 1) + 1)


def _verbatim(text: str, start: int, end: int) -> Evidence:
    quote = text[start:end]
    start += len(quote) - len(quote.lstrip())
    quote = quote.strip()
    return Evidence(quote=quote, start=start, end=start + len(quote))


def _closest(wanted: str, text: str, start: int, end: int) -> tuple[int, int] | None:
    """The first place in ``[start, end)``, else the one nearest to it."""
    if not wanted:
        return None
    place = text.find(wanted, start, end)
    if place < 0:
        after, before = text.find(wanted, start), text.rfind(wanted, 0, end)
        later = before < 0 or max(after - end, 0) <= start - (before + len(wanted))
        place = after if after >= 0 and later else before
    return (place, place + len(wanted)) if place >= 0 else None


@lru_cache(maxsize=32)
def _normalise(text: str) -> _Normal:
    """Case, typography and markup made alike; every piece keeps its length, so offsets lead back."""
    pieces: list[str] = []
    here: list[int] = []
    there: list[int] = []
    length = place = 0
    for gap in _BETWEEN.finditer(text):
        if gap.start() > place:
            here.append(length)
            there.append(place)
            pieces.append(text[place : gap.start()])
            length += gap.start() - place
        if pieces and _SPACE.search(gap.group()):
            here.append(length)
            there.append(gap.start())
            pieces.append(" ")
            length += 1
        place = gap.end()
    here.append(length)
    there.append(place)
    pieces.append(text[place:])
    return _Normal(_lower("".join(pieces)).translate(_TYPOGRAPHY), here, there)


def _lower(text: str) -> str:
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    # A few letters (the Turkish capital I with a dot) become two; they stay as they are, or offsets would shift.
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _near(target: str, normal: _Normal, minimum: float) -> tuple[int, int] | None:
    """The most similar stretch, grown or cut to whole words and compared once more as a whole."""
    if len(target) < SHORTEST or len(target) > len(normal.text):
        return None
    # The search is quadratic, so of a long quote only the two ends are searched for.
    first = fuzz.partial_ratio_alignment(target[:ANCHOR], normal.text, score_cutoff=minimum)
    if first is None:
        return None
    last = fuzz.partial_ratio_alignment(target[-ANCHOR:], normal.text, score_cutoff=minimum)
    if last is None:
        return None
    best: tuple[float, int, int] | None = None
    for start in _edges(normal.text, first.dest_start, before=True):
        for end in _edges(normal.text, last.dest_end, before=False):
            score = fuzz.ratio(target, normal.text[start:end], score_cutoff=minimum)
            if start < end and score >= minimum and (best is None or score > best[0]):
                best = (score, start, end)
    return best[1:] if best else None


def _edges(text: str, place: int, *, before: bool) -> tuple[int, ...]:
    """Where the word around ``place`` begins and ends, as far as the stretch may begin or end there."""
    left, right = place, place
    while left > 0 and not text[left - 1].isspace() and place - left < 40:
        left -= 1
    while right < len(text) and not text[right].isspace() and right - place < 40:
        right += 1
    if before:
        return (left, right + 1) if right < len(text) and left != place else (left,)
    return (right, left - 1) if left > 0 and right != place else (right,)
