"""``ungrounded``: every number, date, unit, name and negation of an answer, and most of its words, are in the source.

Lexical: a paraphrase in other words costs score, a new fact rejects. An unanswerable entry is held to inventing
nothing, to saying what is not stated, and to a question that the document indeed leaves open.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from contracts.entries import Found
from services.curate.checks.clauses import across_clauses
from services.curate.checks.manner import says_not_stated
from services.curate.checks.names import names, unknown
from services.curate.checks.negation import added, dropped, negated
from services.curate.checks.source import Facts, Parts, View, absent_from, facts
from services.curate.numbers import is_numeral
from services.curate.sentences import sentences, several
from services.curate.stopwords import word_set
from services.curate.words import content, stem, stem_set, words

_NOVEL = 4
"""New words of an answer from which their own share counts, not that of all its words."""
_VERB = re.compile(
    r"[A-Z]|(?:was|is|were|had|has|wurde|war|hat|ist|a|est|fut|était|von|de)$|\w+(?:ed|te|ten)$"
)
_FRAMES = word_set(
    "stand stands mean means call called name named refers term abbreviation short"
    " steht bedeutet heisst nennt bezeichnet begriff abkürzung signifie appelle désigne terme abréviation"
)
"""Words that frame a definition ("IPK stands for ...") and claim nothing."""
_TITLE_TASKS = frozenset({"rewrite", "classify"})


def groundedness(entry: Parts, said: Facts, asked: Facts, *sources: Facts) -> float | None:
    """Share of the answer's content words that the sources hold.

    Words that repeat the question are set aside when at least four others remain: they show only that the answer is
    on the question. None: nothing is said, or the entry says that the source is silent.
    """
    if not entry.answer or entry.type == "malformed" or not entry.answerable:
        return None
    novel = said.stems - asked.stems
    of = novel if len(novel) >= _NOVEL else said.stems
    missing = novel
    for source in sources:
        missing -= source.stems
    if not missing:
        return 1.0
    # Numbers are looked at one by one, by their value.
    numerals = {stem(word, said.language) for word in said.words if is_numeral(word, said.language)}
    return 1.0 - len(missing - numerals - _framing(said.language)) / len(of)


@lru_cache(maxsize=16)
def _framing(language: str | None) -> frozenset[str]:
    return frozenset(stem(word, language) for word in _FRAMES)


def ungrounded(view: View) -> Iterator[Found]:
    """What the answer says beyond its source."""
    entry = view.entry
    if not entry.answer or entry.type == "malformed":
        return
    given = facts(entry.input, view.language)
    sources = (view.passage, view.around, view.quoted, view.asked, given)
    plain = [
        Found(reason="ungrounded", detail=f"number: {written}")
        for written in absent_from(view.said, view.quoted, *sources)
    ]
    if view.answer_language is None:
        plain += _names(view, sources)
    yield from plain
    if not entry.answerable:
        yield from _unanswerable(view)
        return
    same_language = view.answer_language is None and view.language == (
        view.source.language or view.language
    )
    if not same_language:
        return
    yield from _negations(view)
    if not plain:
        yield from _swapped(view)
    least = _least(view)
    yield from _invented(view, sources, least / 2)
    if view.groundedness is not None and view.groundedness < least:
        known = frozenset().union(*(source.stems for source in sources))
        missing = " ".join(sorted(view.said.stems - known))
        yield Found(reason="ungrounded", detail=f"share {view.groundedness:.2f}: {missing[:200]}")


def _invented(view: View, sources: tuple[Facts, ...], least: float) -> Iterator[Found]:
    """A sentence of a longer answer that has next to nothing to do with the source."""
    flat = " ".join(view.entry.answer.split())
    places = sentences(flat) if several(flat) else ()
    if len(places) < 2:
        return
    known = frozenset().union(*(source.stems for source in sources))
    for start, end in places:
        stems = stem_set(frozenset(words(flat[start:end])), view.language)
        if len(stems) >= _NOVEL and len(stems & known) < least * len(stems):
            yield Found(reason="ungrounded", detail=f"sentence: {flat[start:end][:150]}")


def _least(view: View) -> float:
    return (
        1.0 if view.source.model.startswith("builtin/") else view.settings.thresholds.groundedness
    )


def _names(view: View, sources: tuple[Facts, ...]) -> Iterator[Found]:
    """Names that stand nowhere in the source."""
    if view.entry.kind in _TITLE_TASKS and view.entry.type == "instruction following":
        return
    seen = names(view.said.text, view.language)
    if not _elsewhere(seen, sources):
        return
    known = frozenset().union(*(source.words for source in sources))
    sources_text = (view.passage.text, view.around.text)
    inner = {word for word, opens in seen if not opens}
    for word, opens in seen:
        if not unknown(word, known, view.language, sources_text):
            continue
        # A capital at the start of a sentence proves no name, but "Hodges designed it" for "Goethals designed it"
        # does: a verb follows, and the evidence names somebody whom the answer does not.
        certain = not opens or word in inner
        if certain or (_verb_follows(word, view.said.text) and _replaced(view)):
            yield Found(reason="ungrounded", detail=f"name: {word}")


def _elsewhere(seen: tuple[tuple[str, bool], ...], sources: tuple[Facts, ...]) -> bool:
    """Whether any name is not, as written, a word of one of the sources: mostly none is, and all is said."""
    left = {word.casefold() for word, _ in seen}
    for source in sources:
        left -= source.words
    return bool(left)


def _verb_follows(word: str, answer: str) -> bool:
    found = re.search(rf"\b{re.escape(word)} (\w+)", answer)
    return bool(found and _VERB.match(found.group(1)))


def _replaced(view: View) -> set[str]:
    """Names of the evidence that neither answer nor question has."""
    here = view.said.words | view.asked.words
    return {
        word
        for word, opens in names(view.quoted.text, view.language)
        if not opens and unknown(word, here, view.language)
    }


def _negations(view: View) -> Iterator[Found]:
    entry = view.entry
    evidence = view.quoted.text or view.passage.text
    if entry.input or entry.type == "summarization":
        return
    new = added(entry.answer, evidence, entry.question, view.passage.text, view.language)
    if new:
        yield Found(reason="ungrounded", detail=f"negation: {new}")
    lost = dropped(entry.answer, view.quoted.text, entry.question, view.language)
    if lost:
        yield Found(reason="ungrounded", detail=f"negation: {lost}")


def _swapped(view: View) -> Iterator[Found]:
    """A name or number of the passage put where the evidence has another one."""
    said, quoted = view.said, view.quoted
    if view.entry.input or not quoted.stems or said.count > 45:
        return
    if 2 * len(said.stems & (quoted.stems | view.asked.stems)) < len(said.stems):
        return
    near = (quoted, view.asked, view.around)
    numbers = list(absent_from(said, *near))
    lost = list(absent_from(quoted, said, view.asked)) if numbers else []
    if numbers and lost:
        yield Found(reason="ungrounded", detail=f"{numbers[0]} where the evidence says {lost[0]}")
    put = _put(view, near)
    gone = _replaced(view) if put else set()
    if gone and all(word.casefold() in view.passage.words for word in put):
        yield Found(reason="ungrounded", detail=f"{put[0]} where the evidence says {min(gone)}")
    elif swapped := across_clauses(view):
        yield Found(reason="ungrounded", detail=swapped)


def _put(view: View, near: tuple[Facts, ...]) -> list[str]:
    """Names of the answer that neither evidence, question nor headings have."""
    seen = names(view.said.text, view.language)
    if not _elsewhere(seen, near):
        return []
    here = frozenset().union(*(source.words for source in near))
    return [word for word, _ in seen if unknown(word, here, view.language)]


def _unanswerable(view: View) -> Iterator[Found]:
    """Says that something is not stated, of a question that the document does not answer after all."""
    entry = view.entry
    if not says_not_stated(entry.answer, view.language) and not negated(
        entry.answer, view.language
    ):
        yield Found(
            reason="ungrounded", detail=f"answers what cannot be answered: {entry.answer[:150]}"
        )
    asked = view.asked.stems
    if len(asked) >= 4 and not asked <= view.around.stems:
        for stems, (start, end) in _document(view.source.text, view.language):
            if asked <= stems:
                found = view.source.text[start:end][:200]
                yield Found(reason="ungrounded", detail=f"the document may answer it: {found}")
                return


@lru_cache(maxsize=4)
def _document(
    text: str, language: str | None
) -> tuple[tuple[frozenset[str], tuple[int, int]], ...]:
    return tuple(
        (frozenset(content(text[start:end], language)), (start, end))
        for start, end in sentences(text)
    )
