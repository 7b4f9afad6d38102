"""Words of a text: split, folded, stemmed, without the function words. Knows nothing of entries.

Chinese and Japanese, which leave no space between words, are read as pairs of neighbouring characters. Stems are
remembered, since a text says most of its words more than once and a pure Python stemmer takes some 50 microseconds.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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
_JOINT = re.compile(r"[.,'’-](?<=[^\W_].)(?=[^\W_])")
"""What makes one counted word of two words."""
_SPREAD = {n: chr(n).lower() if chr(n).isalnum() else " " for n in range(128)}
"""ASCII with blanks between its words, casefolded: to translate and to split takes a tenth of the time of a search."""
_KEPT = 50_000
"""Stems that are remembered of a language."""


class Stemmer(Protocol):
    """What snowballstemmer makes; it has no types of its own."""

    def stemWord(self, word: str) -> str:  # noqa: N802 (the library's name)
        """The stem of one casefolded word."""


def words(text: str) -> list[str]:
    """Casefolded words in order; an apostrophe or a hyphen parts them."""
    if text.isascii():
        return text.translate(_SPREAD).split()
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
    stems = _stems(language)
    return [stems[word] for word in found if word not in stop]


def stem_set(found: AbstractSet[str], language: str | None) -> frozenset[str]:
    """The stems of a set of words, without order: quicker than ``stems_of``, which looks at every repetition."""
    told = found - STOPWORDS.get(language or "", _NO_STOPWORDS)
    return frozenset(map(_stems(language).__getitem__, told))


def count(text: str) -> int:
    """Words as a reader counts them ("33.5" is one); two characters of an unspaced script are about one word."""
    if text.isascii():
        return len(text.translate(_SPREAD).split()) - len(_JOINT.findall(text))
    found = _COUNTED.findall(text)
    if not _UNSPACED.search(text):
        return len(found)
    unspaced = sum(len(run) for run in _UNSPACED_RUN.findall(text))
    return (unspaced + 1) // 2 + sum(1 for word in found if not _UNSPACED.search(word))


def stem(word: str, language: str | None) -> str:
    """The word's stem where the language has a Snowball algorithm, else the word."""
    return _stems(language)[word]


class _Stems(dict[str, str]):
    """Stems by word, made when first asked for. A dictionary answers in a fifth of the time of a cached function."""

    def __init__(self, stemmer: Stemmer | None) -> None:
        super().__init__()
        self._stemmer = stemmer

    def __missing__(self, word: str) -> str:
        if len(self) >= _KEPT:
            self.clear()
        plain = len(word) < 3 or not word.isalpha() or word[0] >= "\u3040"
        made = word if plain or self._stemmer is None else self._stemmer.stemWord(word)
        self[word] = made
        return made


@lru_cache(maxsize=16)
def _stems(language: str | None) -> _Stems:
    algorithm = _ALGORITHMS.get(language or "")
    return _Stems(snowballstemmer.stemmer(algorithm) if algorithm else None)


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
