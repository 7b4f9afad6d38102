"""Proper names of a text, as far as capital letters tell. A part of the grounding check.

German writes every noun with a capital, so there a name is a capitalised word without article, adjective or the
ending of a common noun; Chinese and Japanese show only names in Latin letters or long runs of katakana.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache

from services.curate.stopwords import STOPWORDS
from services.curate.words import stem

_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[.!?:;\n\"“„«»()•]|[*_`]+")
_ELISION = re.compile(r"['’]")
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z-]{2,}|[\u30a0-\u30ff]{4,}")
_COMMON = re.compile(
    r"(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|tion|tionen|tät|täten|ismus|ment|nis"
    r"|nisse|tum|ling|chen|lein|sal|anz|enz|ie|ik"
    r"|ur|or|er|ern|ert|en|e|eln|zeit|punkt|teil|zahl|mal|weise|wesen|werk|zeug)$"
)
_MARKS = frozenset('.!?:;\n"“„«»()•')
_ADJECTIVE = re.compile(r"^[a-zäöüß]+(?:e|en|er|es|em)$")
_NAMING = frozenset(
    {
        "von",
        "durch",
        "in",
        "nach",
        "aus",
        "bei",
        "an",
        "und",
        "herr",
        "frau",
        "dr",
        "könig",
        "kaiser",
        "papst",
    }
)


@lru_cache(maxsize=512)
def names(text: str, language: str | None) -> tuple[tuple[str, bool], ...]:
    """Words that look like parts of names, as written; True: it opens a sentence, so that its capital says nothing."""
    if language in ("zh", "ja"):
        return tuple((match, False) for match in _FOREIGN.findall(text))
    found = _german(text) if language == "de" else _capitalised(text, language)
    return tuple(dict.fromkeys(found))


def unknown(
    word: str, known: AbstractSet[str], language: str | None, texts: tuple[str, ...] = ()
) -> bool:
    """Whether a name is in none of the known words: not as written, by its parts, its stem, its root, nor as the
    initials of capitalised words that follow each other in one of the texts.
    """
    folded = word.casefold().removesuffix("'s").removesuffix("’s")
    if folded in known:
        return False
    pieces = [piece for piece in re.split(r"[-'’]", folded) if piece]
    if all(piece in known or len(piece) < 2 for piece in pieces):
        return False
    if word.isupper() and len(word) <= 6 and any(word in initials(text) for text in texts):
        return False
    stems = {stem(piece, language) for piece in pieces}
    roots = tuple(piece[: max(4, len(piece) - 3)] for piece in pieces)
    return not any(
        other in stems or other.startswith(roots) or (len(other) > 3 and folded.startswith(other))
        for other in known
    )


@lru_cache(maxsize=256)
def initials(text: str) -> str:
    """First letters of the capitalised words of a text, in order."""
    return "".join(word[0] for word in re.findall(r"[^\W_]+", text) if word[0].isupper())


def _capitalised(text: str, language: str | None) -> Iterator[tuple[str, bool]]:
    stop = STOPWORDS.get(language or "en", STOPWORDS["en"])
    elides = language in ("fr", "it")
    opens = True
    for token in _TOKEN.findall(text):
        if token in _MARKS:
            opens = True
            continue
        if token[0] in "*_`":
            continue
        word = _ELISION.split(token)[-1] or token if elides else token
        if word[0].isupper() and len(word) > 1 and word.casefold() not in stop:
            yield word, opens
        opens = False


def _german(text: str) -> Iterator[tuple[str, bool]]:
    stop = STOPWORDS["de"]
    before, opens = "", True
    for token in _TOKEN.findall(text):
        if token in _MARKS or token[0] in "*_`":
            before, opens = "", opens or token in _MARKS
            continue
        folded = token.casefold()
        if token[0].isupper() and len(token) > 2 and folded not in stop:
            # After a small word that is neither article nor adjective a name may stand; after an article a noun.
            free = before.casefold() in _NAMING or not (
                before.casefold() in stop or _ADJECTIVE.match(before)
            )
            if opens or (free and not _COMMON.search(folded)):
                yield token, opens
        before, opens = token, False
