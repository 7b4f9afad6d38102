"""Answers that say nothing of their own: ``answer_in_question``, ``echo``, ``copy``."""

from collections.abc import Iterator
from functools import lru_cache

from rapidfuzz import fuzz

from contracts.entries import Found
from services.curate.checks.form import listed
from services.curate.checks.source import View, facts
from services.curate.stopwords import word_set
from services.curate.words import stem, words

_FILLER = word_set(
    """
    answer answers reason reasons fact called known means mean meaning term refers refer thing things simply way
    purpose question exactly defined definition what describes true correct important indeed antwort grund
    gründe tatsache heisst bedeutet begriff bezeichnet nennt genannt sache zweck frage genau réponse raison
    raisons fait appelé appelle signifie terme désigne chose but question exactement définit
    """
)
"""Casefolded words that frame an answer without being one."""
_LONG_PASSAGE = 80
_COPIED = 0.6
_WORTH_COPYING = 25
"""A passage of fewer words may be an answer as it stands (a glossary line, a paragraph below its question)."""

_LISTED = 2


def answer_in_question(view: View) -> Iterator[Found]:
    """All content words of the answer stand in the question already."""
    entry = view.entry
    if not entry.question or not entry.answer or entry.input or not entry.answerable:
        return
    if view.said.stems <= view.asked.stems:
        yield Found(reason="answer_in_question", detail=entry.answer[:200])


def echo(view: View) -> Iterator[Found]:
    """The answer restates the question, at most with filler around it, and adds nothing."""
    entry = view.entry
    if not entry.question or not entry.answer or entry.input or not entry.answerable:
        return
    if _restates(view):
        yield Found(reason="echo", detail=entry.answer[:200])


def copy(view: View) -> Iterator[Found]:
    """The answer is the passage, or most of a long one, but no list that was asked for; a summary is half of it."""
    entry = view.entry
    if not entry.answer or entry.type == "malformed" or not entry.answerable:
        return
    said = facts(entry.answer, view.language).count
    if entry.type == "summarization":
        if view.quoted.count and said / view.quoted.count >= 0.5:
            yield Found(reason="copy", detail=f"{said} words of {view.quoted.count}")
        return
    passage = view.passage
    if passage.count < _WORTH_COPYING or said < _COPIED * passage.count or _enumerates(view):
        return
    whole = fuzz.ratio(entry.answer, passage.text) >= 95
    if whole or (passage.count > _LONG_PASSAGE and _taken(view) > 0.9):
        yield Found(reason="copy", detail=f"{said} of {passage.count} words of the passage")


def _enumerates(view: View) -> bool:
    """Whether steps or items were asked for and given: the answer is all of them, the passage may be no more.

    With at most one line beside them, so that a passage taken over with its heading is a copy still.
    """
    entry = view.entry
    if entry.kind == "extract" and entry.input:
        return "\n" in entry.answer.strip()
    if entry.kind not in ("procedure", "list") or entry.answer.startswith("#"):
        return False
    found = listed(entry.answer)
    return found >= _LISTED and sum(map(bool, entry.answer.split("\n"))) <= found + 1


def _restates(view: View) -> bool:
    """Whether the answer is the question put as a statement, with nothing but filler added."""
    own = view.said.stems - view.asked.stems
    if not view.asked.stems or not own <= _filler(view.language):
        return False
    shared = view.said.stems & view.asked.stems
    return len(shared) >= max(1, 0.75 * len(view.asked.stems - _filler(view.language)))


@lru_cache(maxsize=16)
def _filler(language: str | None) -> frozenset[str]:
    return frozenset(stem(word, language) for word in _FILLER)


def _taken(view: View) -> float:
    said = words(view.entry.answer)
    return sum(word in view.passage.words for word in said) / max(1, len(said))
