"""``underspecified``: a question that could be asked of any passage.

The round trip (Alberti et al. 2019, here lexical): a sound question leads BM25 back to its own chunk. One-sided, so a
bad rank rejects and a good one proves nothing; projects under 50 chunks are too small for it and only scored.
"""

from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.source import Parts, Source, View
from services.curate.retrieval import Ranker

ENOUGH_CHUNKS = 50


def rank_of(entry: Parts, source: Source, ranker: Ranker | None) -> int | None:
    """Rank of the source chunk for what the entry asks; None where the round trip says nothing.

    A task that brings its material along, or whose question the passage does not answer, is not sent on it.
    """
    if ranker is None or source.chunk is None or entry.input or not entry.answerable:
        return None
    if entry.type in ("summarization", "malformed"):
        return None
    return ranker.rank(entry.question or entry.answer, source.chunk)


def underspecified(view: View) -> Iterator[Found]:
    """No content word besides the question word, or a question that finds other chunks first."""
    entry = view.entry
    if not entry.question or entry.input:
        return
    if entry.asks and not view.asked.stems:
        yield Found(reason="underspecified", detail=entry.question[:200])
        return
    worst = view.settings.thresholds.retrieval_rank
    if view.rank is not None and view.chunks >= ENOUGH_CHUNKS and view.rank > worst:
        yield Found(reason="underspecified", detail=f"rank {view.rank} of {view.chunks} chunks")
