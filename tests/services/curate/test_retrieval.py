"""The round trip from a question to its chunk."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.curate.retrieval import Ranker
from services.curate.words import words

CHUNKS = [
    "The Panama Canal has locks that raise ships.",
    "Photosynthesis turns light into sugar.",
    "A starter is flour and water with wild yeast.",
]


def test_a_question_leads_back_to_its_chunk() -> None:
    ranker = Ranker(CHUNKS)
    assert [
        ranker.rank(q, n)
        for n, q in enumerate(
            ("Which canal has locks?", "What does photosynthesis do?", "What is a starter?")
        )
    ] == [1, 1, 1]


def test_a_question_without_a_word_of_the_chunk_ranks_it_last() -> None:
    assert Ranker(CHUNKS).rank("Who painted this?", 1) == 3


def _bm25(question: str, chunks: list[str]) -> list[float]:
    """The textbook formula, slowly."""
    split = [words(chunk) for chunk in chunks]
    mean = sum(map(len, split)) / len(split)
    scores = []
    for tokens in split:
        counts, score = Counter(tokens), 0.0
        for word in set(words(question)):
            held = sum(word in other for other in split)
            idf = math.log1p((len(split) - held + 0.5) / (held + 0.5))
            norm = 1.2 * (1 - 0.75 + 0.75 * len(tokens) / max(mean, 1))
            score += idf * counts[word] * 2.2 / (counts[word] + norm) if counts[word] else 0.0
        scores.append(score)
    return scores


SENTENCE = st.lists(
    st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]), min_size=1, max_size=12
).map(" ".join)


@given(st.lists(SENTENCE, min_size=1, max_size=12), SENTENCE)
def test_ranks_are_those_of_the_formula(chunks: list[str], question: str) -> None:
    ranker, scores = Ranker(chunks), _bm25(question, chunks)
    for number, own in enumerate(scores):
        better = sum(score > own + 1e-4 for score in scores) + 1
        worse = sum(score > own - 1e-4 for score in scores)
        if own > 0:
            assert better <= ranker.rank(question, number) <= max(better, worse)
