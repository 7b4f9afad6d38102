"""Statements that stand alone: sentences that pass the subject rule, with the subject written out, one fact each."""

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause
from services.generate.extractive.modes.questions import fit, on_focus, quotes
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import statement, within
from services.generate.extractive.rank import near

_WEIGHT = {"definition": 3.0}
_PLAIN = 1.5
_OPAQUE_VERBS = frozenset("may might could would should do does did".split())


def entries(page: Page) -> list[dict[str, object]]:
    """The best statements of a page for its slots, each from another sentence."""
    told = _told(page)
    kept: list[tuple[str, str, tuple[tuple[int, int], ...]]] = []
    seen: set[tuple[int, int]] = set()
    for _, answer, topic, spans in told:
        if spans[-1] in seen or near(answer, tuple(other for other, _, _ in kept)) or near(answer, page.passage.avoid):
            continue
        seen.add(spans[-1])
        kept.append((answer, topic, spans))
    return [{"evidence": quotes(page, spans), "answer": answer, "topic": topic} for answer, topic, spans in kept]


def _told(page: Page) -> list[tuple[float, str, str, tuple[tuple[int, int], ...]]]:
    """(score, statement, topic, spans), best first: the answers of the rules, then other clear clauses."""
    out = []
    for place, candidate in enumerate(fit(page)):
        if _states(candidate):
            spans = candidate.spans if candidate.extension is None else candidate.extension.spans
            text = candidate.answer if candidate.extension is None else candidate.extension.answer
            out.append((3.0 - 0.01 * place, text, words.capitalise(candidate.subject), spans))
    proven = {span for _, _, _, spans in out for span in spans}
    for clause in page.clauses:
        span = (clause.sentence.start, clause.sentence.end)
        if span in proven or (page.passage.focus and not on_focus(page, (span,))):
            continue
        text = _plain(clause, page)
        if text is not None:
            out.append((_PLAIN + (0.3 if clause.subject.proper else 0.0), text, clause.subject.opening, (span,)))
    return sorted(out, key=lambda row: (-row[0], row[3][0]))


def _states(candidate: Candidate) -> bool:
    """Whether an answer is a sentence that needs no question: lists, steps and short forms are not."""
    return candidate.rule not in ("faq", "procedure", "list", "glossary") and "\n" not in candidate.answer


def _plain(clause: Clause, page: Page) -> str | None:
    """The whole clause as a statement; None where it is vague, hedged or leans on something else."""
    if clause.date or clause.field or clause.verb in _OPAQUE_VERBS:
        return None
    rest = within(clause, 30)
    if rest is None or len(words.content_words(rest)) < 4 or rest.startswith(("not ", "also ")):
        return None
    if words.VAGUE.intersection(word.lower() for word in words.words(rest)[:6]):
        return None
    named = clause.subject.proper or any(word[0].isupper() or word[0].isdigit() for word in words.words(rest))
    return statement(clause, rest, page.scene) if named else None
