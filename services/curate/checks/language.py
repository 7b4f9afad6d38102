"""``wrong_language``: question and answer each in the language that was asked for.

Detection is lingua's, over a restricted set of languages and loaded at first use. Code, names and numbers are
removed first, and what is left must hold twenty letters; an unsure answer accuses nobody.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder

from contracts.entries import Found
from services.curate.checks.source import View
from services.curate.stopwords import STOPWORDS

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "zh", "ja")
_CODE = re.compile(
    r"```.*?(?:```|$)|`[^`]*`|https?://\S+|\S*[/\\_=<>{}()]\S*[/\\_=<>{}()]\S*", re.DOTALL
)
_CODISH = re.compile(r"[`/\\_=<>{}()]")
"""Of these each match of ``_CODE`` holds one."""
_NAME = re.compile(r"[A-ZÀ-Þ](?:(?<=[^\s.!?:]\s[A-ZÀ-Þ])[\w'’-]*|(?<=\b[A-Z])[A-Z]+\b)")
"""A capitalised word that opens no sentence, or one of capitals."""
_NUMBER = re.compile(r"\b[^\W\d]*\d\w*")
_DIGIT = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_LANES = {code: 32 * n for n, code in enumerate(STOPWORDS)}
_LANE = (1 << 32) - 1
_TOLD = {
    word: sum(1 << lane for code, lane in _LANES.items() if word in STOPWORDS[code])
    for word in frozenset().union(*STOPWORDS.values())
}
"""A one in the lane of each language that has the function word: one sum counts for all languages at once."""
_LEAST_LETTERS = 20
_SURE = 0.7
"""Confidence from which another language is believed."""


def foreign(text: str, asked: str | None) -> str | None:
    """The language of a text where it is surely another than asked, else None."""
    if asked is None or not text:
        return None
    plain = _CODE.sub(" ", text) if _CODISH.search(text) else text
    if asked != "de":
        plain = _NAME.sub(" ", plain)
        plain = _NUMBER.sub(" ", plain) if _DIGIT.search(plain) else plain
    if _plainly(plain, asked) or len(_LETTERS.findall(plain)) < _LEAST_LETTERS:
        return None
    detector = _detector(asked)
    if detector is None:
        return None
    best = detector.compute_language_confidence_values(plain)[0]
    code = best.language.iso_code_639_1.name.lower()
    return code if code != asked and best.value >= _SURE else None


def language_of(text: str) -> str | None:
    """The language of a passage whose document does not say it; None when unsure."""
    detector = _detector("en")
    if detector is None or len(_LETTERS.findall(text)) < _LEAST_LETTERS:
        return None
    best = detector.compute_language_confidence_values(text[:1000])[0]
    return best.language.iso_code_639_1.name.lower() if best.value >= _SURE else None


def wrong_language(view: View) -> Iterator[Found]:
    """Question or answer in another language than asked."""
    for name, code in (("question", view.question_language), ("answer", view.answer_language)):
        if code is not None:
            yield Found(reason="wrong_language", detail=f"{name}: {code}, not {view.language}")


def _plainly(text: str, asked: str) -> bool:
    """Whether function words alone settle it: most of them are those of the asked language and of no other.

    Spares nine of ten texts the detector, which takes some 90 microseconds each.
    """
    lane = _LANES.get(asked)
    if lane is None:
        return False
    found = _WORD.findall(text.casefold())
    told = sum([_TOLD[word] for word in found if word in _TOLD])
    hits = told >> lane & _LANE
    if hits < 2 or hits < 0.25 * len(found):
        return False
    return max(told >> other & _LANE for other in _LANES.values() if other != lane) <= hits / 2


@lru_cache(maxsize=16)
def _detector(asked: str) -> LanguageDetector | None:
    codes = [getattr(IsoCode639_1, code.upper(), None) for code in {*LANGUAGES, asked}]
    if None in codes and getattr(IsoCode639_1, asked.upper(), None) is None:
        return None
    known = sorted((code for code in codes if code is not None), key=lambda code: code.name)
    return LanguageDetectorBuilder.from_iso_codes_639_1(*known).build()
