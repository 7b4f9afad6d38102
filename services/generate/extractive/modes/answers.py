"""Statements that stand alone: sentences that pass the subject rule, with the subject written out, one fact each."""

import re
from dataclasses import dataclass

from services.generate.extractive import verbs, words
from services.generate.extractive.candidate import Candidate, Span
from services.generate.extractive.clauses import Clause
from services.generate.extractive.modes.questions import fit, on_focus, quotes
from services.generate.extractive.nouns import singular
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import statement, within
from services.generate.extractive.rank import near

_PLAIN = 1.5
_LASTING = verbs.CLEAR_THIRD | verbs.PLURAL_PRESENT | {"is", "are", "can", "has", "have"}
"""Verbs that tell a general truth; what once happened to an unnamed thing is no statement for strangers."""
_OPAQUE_VERBS = frozenset("may might could would should do does did".split())


@dataclass(frozen=True, slots=True)
class _Told:
    value: float
    answer: str
    topic: str
    spans: tuple[Span, ...]


def entries(page: Page) -> list[dict[str, object]]:
    """The best statements of a page, each from another sentence."""
    kept: list[_Told] = []
    seen: set[Span] = set()
    for told in _told(page):
        others = tuple(other.answer for other in kept)
        if (
            told.spans[-1] in seen
            or near(told.answer, others)
            or near(told.answer, page.passage.avoid)
        ):
            continue
        seen.add(told.spans[-1])
        kept.append(told)
    return [
        {"evidence": quotes(page, told.spans), "answer": told.answer, "topic": told.topic}
        for told in kept
    ]


def _told(page: Page) -> list[_Told]:
    """What a page tells, best first: the answers of the rules, then other clear clauses."""
    out: list[_Told] = []
    for place, candidate in enumerate(fit(page)):
        if _states(candidate):
            longer = candidate.extension
            text, spans = (
                (longer.answer, longer.spans) if longer else (candidate.answer, candidate.spans)
            )
            out.append(_Told(3.0 - 0.01 * place, text, words.capitalise(candidate.subject), spans))
    proven = {span for told in out for span in told.spans}
    for clause in page.clauses:
        span = (clause.sentence.start, clause.sentence.end)
        if span in proven or (page.passage.focus and not on_focus(page, (span,))):
            continue
        plain = _plain(clause, page)
        if plain is not None:
            value = _PLAIN + (0.3 if clause.subject.proper else 0.0)
            out.append(_Told(value, plain, clause.subject.opening, (span,)))
    return sorted(out, key=lambda told: (-told.value, told.spans[0]))


def _states(candidate: Candidate) -> bool:
    """Whether an answer is a sentence that needs no question: lists, steps and short forms are not."""
    return (
        candidate.rule not in ("faq", "procedure", "list", "glossary")
        and "\n" not in candidate.answer
    )


def _plain(clause: Clause, page: Page) -> str | None:
    """The whole clause as a statement; None where it is vague, hedged or leans on something else."""
    if clause.date or clause.field or clause.verb in _OPAQUE_VERBS:
        return None
    rest = within(clause, 30)
    if rest is None or len(words.content_words(rest)) < 4 or rest.startswith(("not ", "also ")):
        return None
    if words.VAGUE.intersection(word.lower() for word in words.words(rest)[:6]):
        return None
    named = any(word[0].isupper() for word in clause.subject.name.split())
    if not named and (
        re.search(r"\d|\bthe [A-Z][\w’']+(?: [a-z]|[,.]|$)", rest) or clause.verb not in _LASTING
    ):
        return None
    if not named and not _about(clause, page):
        return None
    return statement(clause, rest, page.scene)


def _about(clause: Clause, page: Page) -> bool:
    """Whether an unnamed subject is what the text is about: it shares a word with the title or a heading."""
    heads = {word for name in page.scene.names for word in words.content_words(name)}
    mine = {
        form
        for word in words.content_words(clause.subject.name)
        for form in (word, singular(word), word + "s")
    }
    return bool(heads & mine)
