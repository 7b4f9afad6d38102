"""Extractive summaries: the central sentences of a passage in source order (LexRank over TF-IDF with a bonus for leads).

A sentence that leans on the one before comes only together with it. Lists, captions and tables are never summarised.
"""

import functools
import math
import re
from collections import Counter

import snowballstemmer

from services.generate.extractive import words
from services.generate.extractive.page import Page
from services.generate.extractive.sentences import Sentence, balanced
from services.generate.extractive.subject import unsettled

_LEAST, _MOST = 120, 800
_SHARE = 0.3
_DAMPING = 0.15
_SIMILAR = 0.1
_LEANS = re.compile(
    r"^(?:It|They|He|She|This|These|That|Those|Such|Its|Their|His|Her|Here|There|Both|Another|One|Others?|However|Therefore|Thus"
    r"|Hence|Moreover|Furthermore|In addition|Additionally|Also|Nevertheless|Consequently|As a result|For example|For instance"
    r"|In fact|Indeed|Similarly|Likewise|On the other hand|In contrast|Meanwhile|Instead|Otherwise|Finally|Then|And|But|So|Yet"
    r"|In this|In these|At this|At that|During this|The (?:former|latter|same|other|second|following|latter's))\b"
)
_LEANS_LATER = re.compile(
    r"^(?:While|When|After|Before|During|In|On|At|As|Since|Although|Though|For|With|By|From|Upon|Despite|Following|Until|If|Because"
    r"|Over|Under|Through|Throughout|Once|Unlike|Like|Until|Within|Shortly|Soon|Later|[A-Z][a-z]+ly)\b[^,]*,? (?:he|she|it|they|his|her"
    r"|its|their|this|these|the (?:latter|former))\b"
)
_POINTS = re.compile(
    r"\b(?:this|these|such|the (?:former|latter|same|two|other|others|above|said)|those (?!who|that|of)|that (?:year|time|figure|period|number"
    r"|day|point|end|date|way|case|reason|purpose|name|part))\b"
)
_STEMMER = snowballstemmer.stemmer("english")


def entries(page: Page) -> list[dict[str, object]]:
    """One summary of the passage with its key points; none where the passage is too short, too long or no prose."""
    prose = material(page)
    if not _LEAST <= sum(len(s.text.split()) for s in prose) <= _MOST:
        return []
    ranks = lexrank(prose)
    summary = chosen(prose, ranks, limit=4)
    points = key_points(page, prose, ranks, taken=summary)
    if len(summary) < 2 or len(points) < 2:
        return []
    return [{"summary": " ".join(s.text for s in summary), "key_points": [s.text for s in points]}]


def material(page: Page) -> list[Sentence]:
    """The sentences of a page that may stand in a summary: complete prose of its paragraphs."""
    return [
        s
        for paragraph in page.paragraphs
        if not paragraph.item
        for s in paragraph.sentences
        if _prose(s.text)
    ]


def _prose(text: str) -> bool:
    if (
        not text.endswith((".", ".”", '."'))
        or text.endswith(("e.g.", "i.e.", "cf.", "vs."))
        or not (text[0].isupper() or text[0].isdigit())
    ):
        return False
    count = text.count(" ") + 1
    if (
        not 5 <= count <= 60
        or not balanced(text)
        or words.META.search(text)
        or words.SYMBOLS.search(text)
    ):
        return False
    return sum(map(str.isalpha, text)) >= 0.6 * len(text)


def lexrank(prose: list[Sentence]) -> list[float]:
    """Centrality of each sentence in [0, 1] plus up to 0.4 for its place (Erkan and Radev 2004, continuous LexRank)."""
    bags = [Counter(map(_stem, words.content_words(s.text))) for s in prose]
    seen = Counter(word for bag in bags for word in bag)
    weight = {word: math.log(1 + len(prose) / count) for word, count in seen.items()}
    vectors = [{word: count * weight[word] for word, count in bag.items()} for bag in bags]
    norms = [
        math.sqrt(sum(value * value for value in vector.values())) or 1.0 for vector in vectors
    ]
    links = [[_cosine(a, b, na * nb) for b, nb in zip(vectors, norms, strict=True)]
             for a, na in zip(vectors, norms, strict=True)]  # fmt: skip
    ranks = _stationary(links)
    top = max(ranks, default=1.0) or 1.0
    return [
        rank / top + _lead(sentence, place)
        for place, (rank, sentence) in enumerate(zip(ranks, prose, strict=True))
    ]


@functools.lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    """The stem of a word; remembered, because the stemmer costs more than all else here."""
    stem: str = _STEMMER.stemWord(word)
    return stem


def _cosine(a: dict[str, float], b: dict[str, float], scale: float) -> float:
    if len(b) < len(a):
        a, b = b, a
    value = sum(weight * b[word] for word, weight in a.items() if word in b) / scale
    return value if value >= _SIMILAR else 0.0


def _stationary(links: list[list[float]]) -> list[float]:
    """The stationary distribution of the damped random walk over the links, by 20 steps of power iteration."""
    size = len(links)
    sums = [sum(row) or 1.0 for row in links]
    ranks = [1.0 / size] * size
    for _ in range(20):
        flow = [rank / total for rank, total in zip(ranks, sums, strict=True)]
        ranks = [
            _DAMPING / size
            + (1 - _DAMPING) * sum(flow[i] * links[i][j] for i in range(size) if links[i][j])
            for j in range(size)
        ]
    return ranks


def _lead(sentence: Sentence, place: int) -> float:
    first = 0.3 if place == 0 else 0.0
    return first + (0.1 if sentence.place == 0 else 0.0)


def chosen(
    prose: list[Sentence], ranks: list[float], *, limit: int, share: float = _SHARE
) -> list[Sentence]:
    """Up to ``limit`` sentences in source order, at most ``share`` of the words, no leaning one without its forerunner."""
    budget = share * sum(len(s.text.split()) for s in prose)
    picked: set[int] = set()
    for place in sorted(range(len(prose)), key=lambda i: (-ranks[i], i)):
        group = _with_forerunners(prose, place)
        if group is None:
            continue
        new = group - picked
        if len(picked) + len(new) > limit or any(
            _alike(prose[i], prose[j]) for i in new for j in picked
        ):
            continue
        if sum(len(prose[i].text.split()) for i in picked | new) > budget:
            continue
        picked |= new
    return [prose[i] for i in sorted(picked)]


def _with_forerunners(prose: list[Sentence], place: int) -> set[int] | None:
    """The sentence and those it leans on; None where what it leans on is missing or more than one sentence away."""
    group = {place}
    while leans(prose[place].text):
        before = place - 1
        if (
            before < 0
            or prose[before].index != prose[place].index - 1
            or prose[place].place == 0
            or len(group) == 2
        ):
            return None
        place = before
        group.add(place)
    return group


def leans(text: str) -> bool:
    """Whether a sentence opens with a pronoun or connective, or points back, so that it needs the one before."""
    return bool(_LEANS.match(text) or _LEANS_LATER.match(text) or _POINTS.search(text))


def _alike(one: Sentence, other: Sentence) -> bool:
    mine, theirs = set(words.content_words(one.text)), set(words.content_words(other.text))
    return bool(mine and theirs) and len(mine & theirs) / len(mine | theirs) > 0.5


def key_points(
    page: Page, prose: list[Sentence], ranks: list[float], *, taken: list[Sentence]
) -> list[Sentence]:
    """Two to five sentences that stand alone, best first chosen, in source order; those of the summary come last."""
    used = {s.index for s in taken}
    clear = {clause.sentence.index for clause in page.clauses}
    order = sorted(range(len(prose)), key=lambda i: (prose[i].index in used, -ranks[i], i))
    picked: list[int] = []
    for place in order:
        text = prose[place].text
        if not _alone(text, page, clear=prose[place].index in clear):
            continue
        if any(_alike(prose[place], prose[other]) for other in picked):
            continue
        picked.append(place)
        if len(picked) == min(5, max(2, len(prose) // 3)):
            break
    return [prose[place] for place in sorted(picked)]


def _alone(text: str, page: Page, *, clear: bool) -> bool:
    """Whether a sentence can be read by itself; ``clear``: its subject passed the subject rule."""
    if (
        leans(text)
        or not 5 <= text.count(" ") + 1 <= 35
        or words.POINTING.search(text)
        or words.PERSONAL.search(text)
    ):
        return False
    low = {word.lower() for word in words.words(text)}
    return (clear or not low & words.TAINTED_PRONOUNS) and not unsettled(text, page.scene)
