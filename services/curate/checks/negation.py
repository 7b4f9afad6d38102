"""Negations that an answer adds to its evidence, or drops from it. A part of the grounding check."""

import re

from services.curate.sentences import sentences
from services.curate.words import content

_NEGATION = {
    "en": r"\b(?:not(?! only)|never|none|neither|nor|cannot|without|nobody|nothing|no(?!"
    r" \d)(?=\s))\b|n['’]t\b",
    "de": r"\bnicht(?! nur)\b|\bkein\w*|\bnie(?:mals|mand\w*)?\b|\bohne\b|\bweder\b|\bnichts\b",
    "fr": r"\bpas\b(?! seulement)|\bjamais\b|\baucune?\b|\bsans\b|\brien\b|\bni\b",
    "es": r"\b(?:no(?! sólo| solo)|nunca|jamás|sin|ningun\w*|ningún|tampoco|ni|nada)\b",
    "it": r"\b(?:non(?! solo)|mai|senza|nessun\w*|né|niente)\b",
    "pt": r"\b(?:não(?! só| apenas)|nunca|sem|nenhum\w*|nem|jamais|nada)\b",
    "zh": r"不(?!同|仅|断|过)|没有?|无(?!论)|未(?!来)",
    "ja": r"ない|ません|なかった|ずに",
}
_LESS = {
    "en": r"\bun(?!der|til|ite|ion|iv|iq|less)[a-z]{4,}|\bnon-?[a-z]{4,}"
    r"|\b(?:im(?:poss|prop|perf|mob|perm)|in(?:sol|cap|act|dep|suff|comp|val|vis|freq|acc|abil)|ir(?:rel|reg|rev)"
    r"|il(?:leg|log)|dis(?:all|agr|abl|cont|app))[a-z]*"
    r"|\b(?:no|lack\w*|fail\w*|prevent\w*|absen\w+|except|hardly|rarely|seldom|avoid\w*|instead"
    r"|rather|only|few|less|forb\w+|prohibit\w*|refus\w+|stop\w*|ban\w*|free|zero|rul\w+ out"
    r"|reject\w*|den\w+|too)\b|[a-z]+less\b",
    "de": r"\bun(?!ter|ser|gef|iv|d\b)[a-zäöü]{4,}"
    r"|\b(?:fehl\w*|mangel\w*|verhinder\w*|ausser|kaum|selten|vermeid\w*|statt|nur|wenig\w*"
    r"|verb[oi]\w+|lehn\w+ ab|null|zu)\b|\w+(?:los|frei)(?:e[nrsm]?)?\b",
    "fr": r"\b(?:in(?:cap|suff|solu|val|util|act|dép|exist)|im(?:poss|mob|par|prop)|ir(?:rég|rév|réa)"
    r"|il(?:lég|log))[a-zéè]*"
    r"|\b(?:manqu\w+|emp[êe]ch\w+|absen\w+|sauf|rarement|évit\w+|au lieu|seul\w*|peu|moins|interdi\w+"
    r"|refus\w+|ne|n|non|trop)\b",
}
"""What a source may say that is fairly put as a negation."""
_CONTRAST = re.compile(
    r"\b(?:but|rather|instead|only|until|unless|although|sondern|aber|nur|erst|mais|que|sino|pero"
    r"|ma|bensì|mas)\b|而是"
)
_DECIDED = re.compile(r"(?i)(?:no|nein|non|não|いいえ|不)\b")
"""An answer that decides a case ("No, it does not fit, because ...")."""
_VERBATIM = 0.9
_ASSERTED = 0.7
_CLAUSE = re.compile(r"[^,;:.!?()，；。]*")
_COMPILED = {code: re.compile(pattern) for code, pattern in _NEGATION.items()}
_SOFT = {code: re.compile(pattern) for code, pattern in _LESS.items()}


def negated(text: str, language: str | None) -> str | None:
    """The first negation of a text, casefolded, or None."""
    match = _COMPILED.get(language or "en", _COMPILED["en"]).search(text.casefold())
    return match.group() if match else None


def added(
    answer: str, evidence: str, question: str, passage: str, language: str | None
) -> str | None:
    """A negation of the answer that neither evidence nor question has, nor any sentence on the same matter."""
    said = negated(answer, language)
    if said is None or _DECIDED.match(answer):
        return None
    stems = set(content(answer, language))
    near = stems.intersection(content(evidence, language))
    if len(near) >= _VERBATIM * len(stems):
        # The evidence in its own words: each negation must be there, and nothing excuses one more.
        held = _count(evidence, language) + _count(question, language)
        return said if _count(answer, language) > held else None
    if negated(question, language) or _negative(evidence, language):
        return None
    for start, end in sentences(passage):
        sentence = passage[start:end]
        if _negative(sentence, language):
            about = stems.intersection(content(sentence, language))
            if 2 * len(about) >= len(stems):
                return None
    return said


def dropped(answer: str, evidence: str, question: str, language: str | None) -> str | None:
    """A negation of the evidence whose scope, or most of it, the answer asserts."""
    pattern = _COMPILED.get(language or "en", _COMPILED["en"])
    folded = evidence.casefold()
    if not pattern.search(folded) or negated(question, language) or _negative(answer, language):
        return None
    said = set(content(answer, language))
    if len(said.intersection(content(evidence, language))) < 0.7 * len(said):
        return None
    # "not a planet but a dwarf" affirms what follows, and shares a word with what it denies.
    least = 2 if _CONTRAST.search(folded) else 1
    for match in pattern.finditer(folded):
        clause = _CLAUSE.match(folded, match.end())
        scope = set(content(clause.group() if clause else "", language))
        if len(scope) >= least and len(scope & said) >= _ASSERTED * len(scope):
            return f"without {match.group()!r}: {answer[:150]}"
    return None


def _count(text: str, language: str | None) -> int:
    pattern = _COMPILED.get(language or "en", _COMPILED["en"])
    return sum(1 for _ in pattern.finditer(text.casefold()))


def _negative(text: str, language: str | None) -> bool:
    if negated(text, language):
        return True
    soft = _SOFT.get(language or "en")
    return soft is not None and bool(soft.search(text.casefold()))
