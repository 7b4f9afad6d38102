"""``evidence_not_found``: every quote must stand in the parsed text, at its offsets, within the passage.

Never looks for a quote elsewhere: offsets that generation did not verify are no offsets.
"""

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from contracts.entries import Found
from services.curate.checks.source import Parts, Quote, Source, View

_NOISE = re.compile(r"[\s*_`>#|]+")
_SIGNS = str.maketrans("‘’‚“”„«»–—‐‑", '\'\'\'"""""----')


def matches(entry: Parts, source: Source) -> tuple[float, ...]:
    """Fuzzy score (0 ... 100) of each quote with the text at its offsets; 0 where it has none."""
    return tuple(_score(quote, source.text) for quote in entry.evidence)


def evidence_not_found(view: View) -> Iterator[Found]:
    """Quotes that are not in the source, and entries that quote nothing."""
    entry = view.entry
    least = view.settings.thresholds.evidence_match
    for quote, score in zip(entry.evidence, view.matches, strict=True):
        if score < least or not quote.quote.strip():
            yield Found(reason="evidence_not_found", detail=quote.quote[:200])
        elif not _in_passage(quote, view.source):
            yield Found(reason="evidence_not_found", detail=f"outside: {quote.quote[:200]}")
    if not entry.evidence and _must_quote(view):
        yield Found(reason="evidence_not_found", detail="no quote")


def _must_quote(view: View) -> bool:
    """An unanswerable question has nothing to quote; a task on given material brings its source"
    " along.
    """
    entry = view.entry
    if not entry.answerable or entry.type == "malformed":
        return False
    return not (entry.input and _plain(entry.input) in _plain(view.passage.text))


def _score(quote: Quote, text: str) -> float:
    if quote.start is None or quote.end is None or not 0 <= quote.start < quote.end <= len(text):
        return 0.0
    there = text[quote.start : quote.end]
    if there == quote.quote:
        return 100.0
    plain, said = _plain(there), _plain(quote.quote)
    return 100.0 if plain == said else fuzz.ratio(plain, said)


def _in_passage(quote: Quote, source: Source) -> bool:
    inside = (quote.start or 0) < source.end and (quote.end or 0) > source.start
    return inside or quote.quote in source.passage


def _plain(text: str) -> str:
    return _NOISE.sub(" ", text.translate(_SIGNS)).strip().casefold()
