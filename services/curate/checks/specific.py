"""``underspecified``: a question that could be asked of any passage.

The round trip (Alberti et al. 2019, here lexical): a sound question leads BM25 back to its own chunk. One-sided, so a
bad rank rejects and a good one proves nothing; projects under 50 chunks are too small for it and only scored.
"""

from collections.abc import Iterator
from functools import lru_cache

from contracts.entries import Found
from services.curate.checks.source import Parts, Source, View, facts
from services.curate.retrieval import Ranker
from services.curate.stopwords import word_set
from services.curate.words import stem

ENOUGH_CHUNKS = 50
_GENERAL = word_set(
    """
    main important importance key idea ideas point points purpose thing things way ways kind kinds type types example
    examples characteristic characteristics feature features advantage advantages disadvantage benefit benefits
    problem problems reason reasons result results effect effects step steps process method situation general happen
    happens happened happening mean means role function work works working use used difference fact facts detail
    details information topic subject special specific known significance essential basic overall significant involved
    else know tell say learn mention mentioned note noteworthy interesting common described called name
    wichtig wichtige wichtigste besonders besonderheit haupt grund gründe zweck ziel ziele sache art arten beispiel
    beispiele merkmal merkmale eigenschaft eigenschaften vorteil vorteile nachteil nutzen problem ergebnis wirkung
    schritt schritte vorgang verfahren methode lage situation allgemein passiert geschah geschieht bedeutet bedeutung
    rolle funktion funktioniert unterschied tatsache einzelheiten thema bekannt wissen sagen heisst
    heissen allgemeinen
    principal principaux principale principales important importante importants importance idée but chose façon sorte
    type exemple exemples caractéristique caractéristiques avantage avantages inconvénient problème raison raisons
    résultat effet étape étapes processus méthode situation général passe passé signifie rôle fonction fonctionne
    différence détails information sujet connu essentiel
    """
)
"""Words of which a question alone could be asked of any text, in all languages together."""


def rank_of(entry: Parts, source: Source, ranker: Ranker | None) -> int | None:
    """Rank of the source chunk for what the entry asks; None where the round trip says nothing.

    A task that brings its material along, or whose question the passage does not answer, is not sent on it.
    """
    if ranker is None or source.chunk is None or entry.input or not entry.answerable:
        return None
    if entry.type in ("summarization", "malformed"):
        return None
    return ranker.rank(entry.question or entry.answer, source.chunk)


def underspecified(view: View) -> Iterator[Found]:
    """No content word besides the question word, or a question that finds other chunks first."""
    entry = view.entry
    if not entry.question or entry.input:
        return
    own = view.asked.stems - view.around.stems
    if entry.asks and own <= _general(view.language) and own == view.asked.stems:
        yield Found(reason="underspecified", detail=entry.question[:200])
        return
    if _of_the_whole(view):
        return
    worst = view.settings.thresholds.retrieval_rank
    if view.rank is not None and view.chunks >= ENOUGH_CHUNKS and view.rank > worst:
        yield Found(reason="underspecified", detail=f"rank {view.rank} of {view.chunks} chunks")


def _of_the_whole(view: View) -> bool:
    """Whether it asks what the document as a whole is about, which most of its chunks hold: "What is Alaska?".

    The words of a task ("Explain in a few words what Alaska is.") are told from its subject by the passage.
    """
    named = facts(view.source.title, view.language).stems
    asked = view.asked.stems - _asks_of(view.language)
    if not view.entry.asks:
        asked &= view.passage.stems
    return bool(view.asked.stems & named) and asked <= named


@lru_cache(maxsize=16)
def _asks_of(language: str | None) -> frozenset[str]:
    """Of "What does ASCII stand for?"."""
    return frozenset(stem(word, language) for word in ("stand", "stands"))


@lru_cache(maxsize=16)
def _general(language: str | None) -> frozenset[str]:
    return frozenset(stem(word, language) for word in _GENERAL)
