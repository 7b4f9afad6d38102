"""All checks over one entry, in the order of the reason codes, with its score, difficulty, category and signature.

Quality is a weighted mean of what applies to the entry, each part between 0 and 1: groundedness (weight 0.35) the
share of the answer's content words that the source holds; evidence (0.25) the worst quote's fuzzy match; retrieval
(0.15) 1 / log2(1 + rank of the source chunk); specificity (0.15) content words of the question up to five, a name or
number counting double; form (0.10) how well question and answer are made. Parts that do not apply leave their
weight to the others. The score never rejects unless a threshold for it is asked for.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from math import log2
from typing import NamedTuple, get_args

from contracts.entries import BodyEntry, Found, Reason, Signature
from contracts.generation import Difficulty, GenerationSettings
from services.curate.checks.evidence import evidence_not_found, matches
from services.curate.checks.form import empty, length, malformed, truncated
from services.curate.checks.grounding import groundedness, ungrounded
from services.curate.checks.kind import wrong_kind
from services.curate.checks.language import foreign, language_of, wrong_language
from services.curate.checks.manner import chatter, compound, refusal
from services.curate.checks.reference import dangling_reference, meta_reference
from services.curate.checks.repetition import answer_in_question, copy, echo
from services.curate.checks.shown import Shown, shown
from services.curate.checks.source import Parts, Source, View, facts, parts_of
from services.curate.checks.specific import rank_of, underspecified
from services.curate.checks.subject import trivia
from services.curate.retrieval import Ranker
from services.curate.sentences import Place, sentences, touched
from services.curate.signature import Asked, asked, signature_of

Check = Callable[[View], Iterator[Found]]
"""A check looks at one entry and says each fault it finds; it never looks at other entries."""

CHECKS: tuple[Check, ...] = (
    empty,
    truncated,
    meta_reference,
    dangling_reference,
    underspecified,
    evidence_not_found,
    ungrounded,
    answer_in_question,
    echo,
    copy,
    wrong_language,
    trivia,
    compound,
    refusal,
    chatter,
    wrong_kind,
    length,
)
_ORDER = {reason: place for place, reason in enumerate(get_args(Reason))}
_WEIGHTS = {
    "groundedness": 0.35,
    "evidence": 0.25,
    "retrieval": 0.15,
    "specificity": 0.15,
    "form": 0.1,
}
_NAMED = re.compile(r"[A-ZÀ-Þ\d](?:(?<=\d)\d*|(?<=\S\s[A-ZÀ-Þ])\w+)")
"""Numbers, and capitalised words that open no text."""
_APART = 200
"""Characters between two quotes from which they are separated spans."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be said of one entry by itself. ``found`` is empty when it passed; only then is there a signature, and
    what the entry shows of its dataset.
    """

    found: tuple[Found, ...]
    quality: float
    quality_parts: dict[str, float]
    category: str
    kind: str
    difficulty: Difficulty | None
    signature: Signature | None
    shown: Shown | None

    @property
    def passed(self) -> bool:
        return not self.found


def judge(
    entry: BodyEntry, source: Source, settings: GenerationSettings, ranker: Ranker | None
) -> Judged:
    """Every fault of an entry, ordered by reason; the first names its rejection. Pure: same arguments, same verdict."""
    return judge_parts(parts_of(entry), source, settings, ranker)


def judge_parts(
    entry: Parts, source: Source, settings: GenerationSettings, ranker: Ranker | None
) -> Judged:
    """The same of an entry whose parts were read before."""
    view = _view(entry, source, settings, ranker)
    parts = _quality_parts(view)
    quality = _mean(parts)
    found = _found(view, quality)
    evidence = _evidence(view)
    difficulty = _difficulty(view, evidence.spans)
    told = None if found else _asked(entry)
    return Judged(
        found=found,
        quality=round(quality, 4),
        quality_parts={name: round(value, 4) for name, value in parts.items()},
        category=source.heading_path[0] if source.heading_path else source.title,
        kind=entry.kind,
        difficulty=difficulty,
        signature=None if told is None else _signature(view, told, evidence.spans),
        shown=None
        if told is None
        else shown(view, told, evidence.hits, round(quality, 4), difficulty),
    )


def measure(
    entry: Parts, source: Source, settings: GenerationSettings, ranker: Ranker | None
) -> Shown:
    """What an entry shows of its dataset, whether it would pass or not: for one that was accepted before."""
    view = _view(entry, source, settings, ranker)
    evidence = _evidence(view)
    quality = round(_mean(_quality_parts(view)), 4)
    return shown(view, _asked(entry), evidence.hits, quality, _difficulty(view, evidence.spans))


def _view(
    entry: Parts, source: Source, settings: GenerationSettings, ranker: Ranker | None
) -> View:
    language = settings.language or source.language or language_of(source.passage)
    passage = facts(source.passage, language)
    around = facts("\n".join((source.title, *source.heading_path)), language)
    quoted = facts("\n".join(quote.quote for quote in entry.evidence), language)
    asked = facts(entry.question, language)
    said = facts(
        "\n".join((entry.answer, *entry.points)) if entry.points else entry.answer, language
    )
    given = facts(entry.input, language)
    judged_language = language if entry.type != "malformed" else None
    return View(
        entry=entry,
        source=source,
        settings=settings,
        language=language,
        passage=passage,
        around=around,
        quoted=quoted,
        asked=asked,
        said=said,
        question_language=foreign(entry.question, judged_language),
        answer_language=foreign(entry.answer, judged_language) if not entry.input else None,
        groundedness=groundedness(entry, said, asked, passage, around, quoted, given),
        matches=matches(entry, source),
        rank=rank_of(entry, source, ranker),
        chunks=ranker.chunks if ranker else 0,
    )


def _found(view: View, quality: float) -> tuple[Found, ...]:
    broken = tuple(malformed(view))
    if view.entry.problem:
        return broken
    found = list(chain(broken, *(check(view) for check in CHECKS)))
    if quality < view.settings.thresholds.quality:
        found.append(Found(reason="low_quality", detail=f"{quality:.2f}"))
    return tuple(sorted(found, key=lambda one: _ORDER[one.reason]))


def _quality_parts(view: View) -> dict[str, float]:
    entry = view.entry
    if entry.type == "malformed":
        return {"form": 0.0}
    parts: dict[str, float] = {}
    if view.groundedness is not None:
        parts["groundedness"] = view.groundedness
    if view.matches:
        parts["evidence"] = min(view.matches) / 100
    if view.rank is not None:
        parts["retrieval"] = 1 / log2(1 + view.rank)
    if entry.question and not entry.input:
        named = len(_NAMED.findall(entry.question)) if view.language != "de" else 0
        parts["specificity"] = min(1.0, (len(view.asked.stems) + named) / 5)
    parts["form"] = _form(view)
    return parts


def _form(view: View) -> float:
    """1, less a quarter for each: no question mark, no capital, a long question, an answer of one to four words."""
    entry = view.entry
    faults = 0
    if entry.asks:
        faults += not entry.question.rstrip().endswith(("?", "？", "."))
        faults += entry.question[:1].islower()
        faults += view.asked.count > 35
    if entry.answer:
        faults += view.said.count < 5
        faults += entry.answer[:1].islower()
    return max(0.0, 1 - faults / 4)


def _mean(parts: dict[str, float]) -> float:
    weight = sum(_WEIGHTS[name] for name in parts)
    return sum(_WEIGHTS[name] * value for name, value in parts.items()) / weight


def _difficulty(view: View, spans: list[Place]) -> Difficulty | None:
    """By evidence, whatever the model says: how many sentences, and how far apart."""
    entry = view.entry
    if entry.type in ("malformed", "summarization"):
        return None
    apart = any(b[0] - a[1] >= _APART for a, b in pairwise(spans))
    combined = entry.kind in ("comparison", "compare", "application")
    if len(spans) >= 2 and (apart or combined):
        return "hard"
    return "intermediate" if len(spans) >= 2 or entry.kind == "explanation" or combined else "easy"


class _Touched(NamedTuple):
    spans: list[Place]
    """The sentences that the evidence touches; a quote of none (a table row, a code line) stands for itself."""
    hits: frozenset[Place]
    """The sentences alone."""


def _evidence(view: View) -> _Touched:
    places, offset = sentences(view.passage.text), view.source.start
    spans: set[Place] = set()
    hits: set[Place] = set()
    for quote in view.entry.evidence:
        if quote.start is not None and quote.end is not None:
            hit = touched(places, quote.start - offset, quote.end - offset)
            hits.update([(offset + start, offset + end) for start, end in hit])
            if not hit:
                spans.add((quote.start, quote.end))
    return _Touched(sorted(spans | hits), frozenset(hits))


def _asked(entry: Parts) -> Asked:
    return asked(
        f"{entry.question}\n{entry.answer}" if entry.input else entry.question or entry.answer
    )


def _signature(view: View, told: Asked, spans: list[Place]) -> Signature:
    entry = view.entry
    document = view.source.document_id
    # One summary of a passage differs from another by its words, not by the sentences it was made from.
    if entry.type == "summarization":
        spans = [(view.source.start, view.source.end)]
    return signature_of(
        told,
        entry.answer or entry.question,
        tuple([f"{document}:{start}-{end}" for start, end in spans]),
        entry.kind,
        view.language,
    )
