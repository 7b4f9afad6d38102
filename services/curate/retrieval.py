"""BM25 over all chunks of a project, for the round trip: does a question lead back to the chunk it was made from?

Needs no language resources. A bad rank shows that a question could be asked of many passages; a good one shows
nothing. Holds postings, never texts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.curate.words import words

_K1 = 1.2
_B = 0.75
_DENSE = 8
"""A word that every eighth chunk holds is kept as a row over all chunks: adding a row is quicker than scattering."""

_SURELY = 1.001
"""More than all that rounding to 32 bits can do to a sum."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class Ranker:
    """Postings with their BM25 weights, made once per set of chunks (Robertson and Zaragoza 2009; idf as in Lucene).

    Memory is about 8 bytes per distinct word of a chunk.
    """

    def __init__(self, chunks: Sequence[str]) -> None:
        self.chunks = len(chunks)
        self._postings: dict[str, tuple[Ints, Floats]] = {}
        self._dense: dict[str, Floats] = {}
        self._most: dict[str, float] = {}
        """The greatest weight of a word in any chunk."""
        if self.chunks:
            self._build(chunks)

    def rank(self, question: str, chunk_index: int) -> int:
        """Place of the chunk for the question, from 1; chunks that score the same share the better place.

        A chunk that holds no word of the question ranks last.
        """
        asked = [word for word in dict.fromkeys(words(question)) if word in self._most]
        if self._alone(asked, chunk_index):
            return 1
        scores = np.zeros(self.chunks, dtype=np.float32)
        for word in asked:
            row = self._dense.get(word)
            if row is not None:
                scores += row
            else:
                posting = self._postings[word]
                scores[posting[0]] += posting[1]
        own = scores[chunk_index]
        if own <= 0:
            return self.chunks
        return int(np.count_nonzero(scores > own)) + 1

    def _alone(self, asked: Sequence[str], chunk_index: int) -> bool:
        """Whether one word, which stands in this chunk and in no other, outweighs all others: no chunk can score more.

        So it is with most questions that name what their passage is about, and it spares them all sums.
        """
        most = self._most
        total = sum(most[word] for word in asked)
        for word in asked:
            if 2 * most[word] > total * _SURELY:
                posting = self._postings.get(word)
                return posting is not None and len(posting[0]) == 1 and posting[0][0] == chunk_index
        return False

    def _build(self, chunks: Sequence[str]) -> None:
        vocabulary: dict[str, int] = {}
        terms: list[int] = []
        frequencies: list[int] = []
        distinct = np.zeros(self.chunks, dtype=np.int64)
        lengths = np.zeros(self.chunks, dtype=np.float32)
        for index, chunk in enumerate(chunks):
            counts = Counter(words(chunk))
            terms.extend([vocabulary.setdefault(word, len(vocabulary)) for word in counts])
            frequencies.extend(counts.values())
            distinct[index] = len(counts)
            lengths[index] = counts.total()
        term: NDArray[Any] = np.array(terms, dtype=np.int32)
        owner = np.repeat(np.arange(self.chunks, dtype=np.int32), distinct)
        frequency = np.array(frequencies, dtype=np.float32)
        held = np.bincount(term, minlength=len(vocabulary))
        idf = np.log1p((self.chunks - held + 0.5) / (held + 0.5)).astype(np.float32)
        norm = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        weight = idf[term] * frequency * (_K1 + 1) / (frequency + norm[owner])
        order = np.argsort(term, kind="stable")
        owner, weight = owner[order], weight[order].astype(np.float32)
        stops = np.cumsum(held)
        most = np.maximum.reduceat(weight, stops - held).tolist() if len(weight) else []
        self._most = dict(zip(vocabulary, most, strict=True))
        for word, at in vocabulary.items():
            ids, weights = (
                owner[stops[at] - held[at] : stops[at]],
                weight[stops[at] - held[at] : stops[at]],
            )
            if len(ids) * _DENSE >= self.chunks:
                row = np.zeros(self.chunks, dtype=np.float32)
                row[ids] = weights
                self._dense[word] = row
            else:
                self._postings[word] = (ids, weights)
