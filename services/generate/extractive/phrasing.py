"""Questions and answers put together from the parts of a clause, checked before they leave.

What cannot be said without pointing outside itself comes back as None.
"""

import re

from services.generate.extractive import words
from services.generate.extractive.clauses import Clause, consistent, whole
from services.generate.extractive.scene import Scene
from services.generate.extractive.subject import settle, unsettled

_TIDY = re.compile(r"\s+([,.;:?])")
_TORN = re.compile(r"\b(?:as|of|and|or|the|a|an|by|with)(?:,|\.?$)|,\s*,")
"""Where something was lost from the text: a word that needs another before a comma or at the end."""
_FILLER = re.compile(r"^(?:also|thus|therefore|then|hence|however|still|again|furthermore),? ")


def statement(clause: Clause, rest: str, scene: Scene) -> str | None:
    """Say "S verb rest." as a sentence of its own; None where it would not stand alone."""
    rest = _FILLER.sub("", rest.strip().rstrip(".,;:"))
    if not rest or not consistent(rest, clause.subject):
        return None
    body = f"{clause.subject.opening} {clause.verb} {rest}"
    return finished(body, scene)


def finished(body: str, scene: Scene) -> str | None:
    """A full sentence of at most 40 words with every "the N" settled; None where one cannot be."""
    text = settle(_TIDY.sub(r"\1", body), scene)
    if unsettled(text, scene) or text.count(" ") > 40 or not _brackets(text) or _TORN.search(text):
        return None
    return words.capitalise(text) + ("" if text.endswith(".") else ".")


def question(body: str, scene: Scene) -> str | None:
    """A question of 4 to 30 words that names what it asks about; None where it cannot."""
    text = settle(_TIDY.sub(r"\1", body.strip()), scene)
    tokens = text.split()
    if not 3 <= len(tokens) <= 30 or unsettled(text, scene) or not _brackets(text):
        return None
    low = {token.lower().strip(",") for token in tokens}
    if (
        low & words.TAINTED_PRONOUNS
        or low & {"again", "some", "certain"}
        or words.POINTING.search(text)
    ):
        return None
    return words.capitalise(text) + "?"


def within(clause: Clause, limit: int = 32) -> str | None:
    """The rest of the clause, whole or cut where a clause ends."""
    return whole(clause.rest, limit)


def _brackets(text: str) -> bool:
    return (
        text.count("(") == text.count(")")
        and text.count('"') % 2 == 0
        and text.count("“") == text.count("”")
    )
