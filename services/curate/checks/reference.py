"""Entries that lean on what a reader does not see: ``meta_reference`` and ``dangling_reference``.

Patterns of eight languages for the first; for the second, pronouns and demonstratives that nothing stands before.
Never objects to a noun that is the subject itself (it is in the title, or part of a longer name).
"""

import re
from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.dangling_words import (
    CONTEXT_NOUNS,
    EXPLETIVE,
    OPENINGS,
    PRONOUNS,
    UNSPACED_OPENINGS,
    Pronouns,
)
from services.curate.checks.meta_patterns import meta_patterns
from services.curate.checks.source import View
from services.curate.stopwords import STOPWORDS
from services.curate.words import stem

_BLANKS = re.compile(r"\s+")
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[?!.;:]")
_AGREEING = re.compile(
    r"^(?:yes|no|because|since|ja|nein|weil|oui|non|parce qu[e'’]|sí|no|porque|sì|perché|sim"
    r"|não)[,:]?\s+",
    re.IGNORECASE,
)
_HOW = frozenset({"how", "wie"})
_NAMELESS = re.compile(r"\d")


def meta_reference(view: View) -> Iterator[Found]:
    """A text that speaks of its source as a text. An unanswerable entry may, for it is read with its passage."""
    entry = view.entry
    texts = [entry.question if not entry.input else "", *entry.points]
    if entry.answerable and not entry.input:
        texts.append(entry.answer)
    for text in texts:
        found = _meta(text, view) if text else None
        if found:
            yield Found(reason="meta_reference", detail=found)


def dangling_reference(view: View) -> Iterator[Found]:
    """A subject that points at something outside the entry."""
    entry, language = view.entry, view.language or "en"
    if entry.question and not entry.input and (found := _dangling_question(view, language)):
        yield Found(reason="dangling_reference", detail=found)
    if entry.answer and not entry.input and entry.type != "malformed":
        found = _dangling_opening(entry.answer, language)
        if found:
            yield Found(reason="dangling_reference", detail=found)


def _meta(text: str, view: View) -> str | None:
    folded = text.casefold()
    # Of all blanks only the space is printable: most texts need no other look.
    single = folded.isprintable() and "  " not in folded
    plain = folded if single else _BLANKS.sub(" ", folded)
    for pattern in meta_patterns(plain, view.language or "en"):
        for match in pattern.finditer(plain):
            if not _is_subject(match.groupdict().get("noun"), view):
                return str(match.group())
    return None


def _is_subject(noun: str | None, view: View) -> bool:
    return noun is not None and stem(noun.split()[-1], view.language) in view.around.stems


def _dangling_opening(answer: str, language: str) -> str | None:
    """The pronoun that an answer opens with, if it stands for something unsaid."""
    text = _AGREEING.sub("", answer.lstrip("*_\"' "), count=1)
    if language in UNSPACED_OPENINGS:
        match = UNSPACED_OPENINGS[language].match(text)
        return str(match.group()) if match else None
    match = OPENINGS.get(language, OPENINGS["en"]).match(text)
    if match is None or EXPLETIVE.get(language, EXPLETIVE["en"]).search(text[:160]):
        return None
    return " ".join(text.split()[:4])


def _dangling_question(view: View, language: str) -> str | None:
    question = view.entry.question
    if language in UNSPACED_OPENINGS:
        match = UNSPACED_OPENINGS[language].match(question)
        return str(match.group()) if match else None
    pronouns = PRONOUNS.get(language)
    if pronouns is None:
        return None
    pointed = None
    if not pronouns.pieces.isdisjoint(view.asked.words):
        pointed = _pronoun(question, pronouns, language)
    return pointed or _bare_noun(question, view, language)


def _pronoun(question: str, pronouns: Pronouns, language: str) -> str | None:
    """A pronoun or demonstrative of the question that no earlier word of it can stand behind."""
    stop = STOPWORDS[language]
    tokens: list[str] = _TOKEN.findall(question)
    filled = language in EXPLETIVE and EXPLETIVE[language].search(question)
    seen, named, parts = 0, False, 0
    for at, token in enumerate(tokens):
        word = token.casefold()
        parts += word in pronouns.joins or word in "?!.;:"
        case = token if pronouns.cased and at else word
        if case in pronouns.personal and not filled:
            last = at + 1 == len(tokens) or tokens[at + 1] in "?!."
            if seen == 0 or (last and seen <= 2 and not named and not parts and language == "en"):
                return token
        elif word in pronouns.demonstrative and seen < 3 and not named:
            after = tokens[at + 1] if at + 1 < len(tokens) else ""
            if after.casefold() not in pronouns.harmless:
                return f"{token} {after}".strip()
        elif word in pronouns.pointing and not parts:
            return token
        # "How long is it?": what is asked after is no antecedent.
        if word not in stop and word.isalpha() and not (at and tokens[at - 1].casefold() in _HOW):
            seen += 1
            named = named or (at > 0 and token[0].isupper() and language != "de")
    return None


def _bare_noun(question: str, view: View, language: str) -> str | None:
    """A definite noun with neither name nor modifier ("the company"), unless title or headings
    name it.
    """
    pattern = CONTEXT_NOUNS.get(language)
    match = pattern.search(question) if pattern else None
    if match is None:
        return None
    noun = stem(match.group("noun").casefold(), view.language)
    others = view.asked.stems - {noun}
    inner = question[1:]
    named = (language != "de" and re.search(r"\s[A-ZÀ-Þ]\w", inner)) or _NAMELESS.search(question)
    if named or noun in view.around.stems or len(others) > 2:
        return None
    return match.group()
