"""Sentences that speak of the same, as far as shared words can tell: a new chunk begins where the words change.

Each sentence is a vector of its words, hashed, weighed by how rare they are in this document (TF-IDF, Spärck Jones
1972), so no model is needed. Two neighbouring blocks of ``BLOCK`` sentences are compared at every gap between
sentences (as in TextTiling, Hearst 1997: single sentences share too few words to be told apart), and measured by
what is much in this document: cosines of words alone lie between 0.05 and 0.2 in ordinary prose.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log, sqrt
from zlib import crc32

from services.chunk.chunkers.delimiter import fitting
from services.chunk.chunkers.tokens import UNSPACED

BLOCK = 3
CRUMB = 8
"""No gap is a border where it would leave a chunk shorter than an eighth of ``size``."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
Vector = dict[int, float]


def pieces(
    text: str, starts: Sequence[int], size: int, drop: float, language: str | None
) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of each chunk: whole sentences, at most ``size`` long, blank ends left out.

    ``starts`` holds where each sentence begins. A new chunk begins where the similarity of the blocks before and after
    falls below ``drop``, or where the sentence would not fit any more; a sentence longer than ``size`` is cut.
    """
    borders = [*starts, len(text)]
    alike = similarities([text[start:end] for start, end in pairwise(borders)])
    begin = borders[0]
    for number, (start, end) in enumerate(pairwise(borders)):
        if start > begin and (
            len(text[begin:end].rstrip()) > size
            or (alike[number - 1] < drop and start - begin >= size // CRUMB)
        ):
            yield from fitting(text, begin, start, size, language)
            begin = start
    yield from fitting(text, begin, borders[-1], size, language)


def similarities(sentences: Sequence[str]) -> list[float]:
    """For each gap between two sentences, how alike the blocks on either side of it are, 0 to 1.

    1 is what nine gaps of ten in these sentences do not exceed. Where nothing is shared anywhere, nothing can be told:
    then all gaps are 1.
    """
    counts = [
        Counter(crc32(word.lower().encode()) for word in _WORD.findall(sentence))
        for sentence in sentences
    ]
    holding = Counter(word for count in counts for word in count)
    weights = {word: log(len(counts) / many) for word, many in holding.items()}
    vectors = [{word: many * weights[word] for word, many in count.items()} for count in counts]
    cosines = [
        _cosine(_sum(vectors[max(0, gap - BLOCK) : gap]), _sum(vectors[gap : gap + BLOCK]))
        for gap in range(1, len(vectors))
    ]
    much = sorted(cosines)[(len(cosines) - 1) * 9 // 10] if cosines else 0.0
    return [min(1.0, cosine / much) if much else 1.0 for cosine in cosines]


def _sum(vectors: Sequence[Vector]) -> Vector:
    total: Vector = {}
    for vector in vectors:
        for word, weight in vector.items():
            total[word] = total.get(word, 0.0) + weight
    return total


def _cosine(one: Vector, other: Vector) -> float:
    shared = sum(weight * other[word] for word, weight in one.items() if word in other)
    if not shared:
        return 0.0
    lengths = sum(w * w for w in one.values()) * sum(w * w for w in other.values())
    return shared / sqrt(lengths)
