"""Words of a text: split, folded, stemmed, without the function words. Knows nothing of entries.

Chinese and Japanese, which leave no space between words, are read as pairs of neighbouring characters. Stems are
remembered, since a text says most of its words more than once and a pure Python stemmer takes some 50 microseconds.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import snowballstemmer

from services.curate.stopwords import STOPWORDS

_WORD = re.compile(r"[^\W_]+")
_COUNTED = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_UNSPACED_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_ALGORITHMS = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "sv": "swedish",
    "da": "danish",
    "no": "norwegian",
    "fi": "finnish",
    "ru": "russian",
    "hu": "hungarian",
    "ro": "romanian",
    "tr": "turkish",
}
_NO_STOPWORDS: frozenset[str] = frozenset()


class Stemmer(Protocol):
    """What snowballstemmer makes; it has no types of its own."""

    def stemWord(self, word: str) -> str:  # noqa: N802 (the library's name)
        """The stem of one casefolded word."""


def words(text: str) -> list[str]:
    """Casefolded words in order; an apostrophe or a hyphen parts them."""
    found: list[str] = _WORD.findall(text.casefold())
    if not _UNSPACED.search(text):
        return found
    return [piece for word in found for piece in _pieces(word)]


def content(text: str, language: str | None) -> list[str]:
    """Stems of the words that are no function words, in order, with repetition."""
    return stems_of(words(text), language)


def stems_of(found: Sequence[str], language: str | None) -> list[str]:
    """The same of words that were split before."""
    stop = STOPWORDS.get(language or "", _NO_STOPWORDS)
    return [stem(word, language) for word in found if word not in stop]


def count(text: str) -> int:
    """Words as a reader counts them ("33.5" is one); two characters of an unspaced script are about one word."""
    found = _COUNTED.findall(text)
    if not _UNSPACED.search(text):
        return len(found)
    unspaced = sum(len(run) for run in _UNSPACED_RUN.findall(text))
    return (unspaced + 1) // 2 + sum(1 for word in found if not _UNSPACED.search(word))


@lru_cache(maxsize=100_000)
def stem(word: str, language: str | None) -> str:
    """The word's stem where the language has a Snowball algorithm, else the word."""
    if len(word) < 3 or not word.isalpha() or word[0] >= "\u3040":
        return word
    stemmer = _stemmer(language or "")
    return stemmer.stemWord(word) if stemmer else word


@lru_cache(maxsize=32)
def _stemmer(language: str) -> Stemmer | None:
    algorithm = _ALGORITHMS.get(language)
    if algorithm is None:
        return None
    made: Stemmer = snowballstemmer.stemmer(algorithm)
    return made


def _pieces(word: str) -> list[str]:
    if not _UNSPACED.search(word):
        return [word]
    pieces: list[str] = []
    at = 0
    for run in _UNSPACED_RUN.finditer(word):
        if run.start() > at:
            pieces.append(word[at : run.start()])
        text = run.group()
        pieces.extend(text[n : n + 2] for n in range(max(1, len(text) - 1)))
        at = run.end()
    if at < len(word):
        pieces.append(word[at:])
    return pieces
