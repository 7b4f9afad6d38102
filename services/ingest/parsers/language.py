"""The language of a text, among those that Gristmill knows. Says None rather than guess from a few words."""

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

_NOISE = re.compile(r"```.*?```|~~~.*?~~~|https?://\S+|<[^>]*>|[^\w\s'’]|[\d_]", re.DOTALL)
_ENOUGH = 20
_SAMPLE = 3000
_SURE = 0.6


@functools.cache
def _detector() -> "LanguageDetector":
    from lingua import Language, LanguageDetectorBuilder

    known = (
        Language.ENGLISH,
        Language.GERMAN,
        Language.FRENCH,
        Language.SPANISH,
        Language.ITALIAN,
        Language.PORTUGUESE,
    )
    return LanguageDetectorBuilder.from_languages(*known).build()


def language_of(text: str) -> str | None:
    """ISO 639-1 code among en de fr es it pt, or None: fewer than 20 letters, or no clear winner.

    Only a sample from the middle of a long text is looked at, so the cost does not grow with its length.
    """
    middle = max(0, (len(text) - 4 * _SAMPLE) // 2)
    words = " ".join(_NOISE.sub(" ", text[middle : middle + 4 * _SAMPLE]).split())[:_SAMPLE]
    if sum(letter.isalpha() for letter in words) < _ENOUGH:
        return None
    values = _detector().compute_language_confidence_values(words)
    if not values or values[0].value < _SURE:
        return None
    return values[0].language.iso_code_639_1.name.lower()
