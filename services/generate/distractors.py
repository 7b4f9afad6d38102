"""Passages of a document that are near in words to another one and yet say something else. Pure.

They are what ``context: distractors`` mixes in (RAFT, 2024); nearness is shared rare words, no model is asked.
"""

import hashlib
import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from contracts.document import Chunk
from contracts.generation import Span

LEAST, MOST = 2, 4
TERMS = 16
"""Rarest shared words by which a passage is compared."""
OFTEN = 48
"""Passages that share a word at most; a commoner word says little and costs much."""
NEAR = 16
"""Passages that are looked at for one that says something else."""
SAME = 0.8
"""Jaccard of the words at which a passage is the same one again."""

_WORD = re.compile(r"[^\W\d_]{4,}|[\u3040-\u9fff]{2}")


def distractors(chunks: Sequence[Chunk], text: str) -> list[tuple[Span, ...]]:
    """For each chunk two to four spans of others, nearest first; fewer where the document has no more.

    Every chunk is looked up by its rarest words in an inverted index (weights: inverse document frequency), so the
    work grows with the chunks times the few that share such a word, not with their square.
    """
    bags = [frozenset(_WORD.findall(text[chunk.start : chunk.end].lower())) for chunk in chunks]
    counts = Counter(word for bag in bags for word in bag)
    # The word itself breaks ties, because the order of a set differs from run to run.
    shared = sorted((count, word) for word, count in counts.items() if 1 < count <= OFTEN)
    rank = {word: place for place, (_, word) in enumerate(shared)}
    where: dict[int, list[int]] = defaultdict(list)
    rare: list[list[int]] = []
    for place, bag in enumerate(bags):
        rare.append(sorted(rank[word] for word in bag if word in rank)[:TERMS])
        for term in rare[-1]:
            where[term].append(place)
    return [
        _nearest(place, chunks, bags, _scores(terms, where, len(bags)))
        for place, terms in enumerate(rare)
    ]


def _scores(terms: list[int], where: dict[int, list[int]], total: int) -> dict[int, float]:
    scores: dict[int, float] = defaultdict(float)
    for term in terms:
        weight = math.log(1 + total / len(where[term]))
        for place in where[term]:
            scores[place] += weight
    return scores


def _nearest(
    place: int, chunks: Sequence[Chunk], bags: Sequence[frozenset[str]], scores: dict[int, float]
) -> tuple[Span, ...]:
    chunk, count = chunks[place], _count(chunks[place])
    near = heapq.nsmallest(NEAR, scores, key=lambda other: (-scores[other], other))
    around = range(max(0, place - NEAR), min(len(chunks), place + NEAR))
    rest = sorted(around, key=lambda other: abs(other - place))
    spans: list[Span] = []
    for other in dict.fromkeys([*near, *rest]):
        span = Span(start=chunks[other].start, end=chunks[other].end)
        apart = span.end <= chunk.start or span.start >= chunk.end
        if other != place and apart and _differ(bags[place], bags[other]):
            spans.append(span)
        if len(spans) == count:
            break
    return tuple(spans)


def _count(chunk: Chunk) -> int:
    """Two to four, by a hash of the chunk."""
    return LEAST + hashlib.sha256(chunk.chunk_id.bytes).digest()[0] % (MOST - LEAST + 1)


def _differ(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) < SAME * max(1, len(one | other))
