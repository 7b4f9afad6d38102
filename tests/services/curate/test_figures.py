"""Figures of a dataset, entry by entry."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.entries import BodyEntry, Verdict
from services.curate.checks import Judged, Source
from services.curate.figures import Figures, gini, quartiles
from services.curate.retrieval import Ranker

Ask = Callable[..., BodyEntry]

OPENED = "It was opened on 15 August 1914 after ten years of work."
WIDTH = "Each lock chamber is 33.5 m wide and 305 m long."


def _verdict(entry: BodyEntry, judged: Judged) -> Verdict:
    return Verdict(
        entry_id=entry.entry_id,
        unit_id=entry.entry_id,
        seed=0,
        passed=judged.passed,
        found=judged.found,
        quality=judged.quality,
        quality_parts=judged.quality_parts,
        category=judged.category,
        kind=judged.kind,
        difficulty=judged.difficulty,
        signature=None,
    )


def _gathered(
    figures: Figures, entries: Iterable[BodyEntry], verdict: Callable[..., Judged], source: Source
) -> Figures:
    figures.seed(source.document_id, "canal.md", source.text, source.start, source.end)
    for entry in entries:
        figures.add(entry, _verdict(entry, verdict(entry)), source)
    return figures


def test_nothing_accepted_gives_no_shares(source: Source) -> None:
    figures = Figures(None)
    figures.seed(source.document_id, "canal.md", source.text, source.start, source.end)
    result = figures.result()
    assert result.quality is None
    assert result.coverage_gini is None
    assert result.answer_words is None
    assert result.coverage[0].covered == 0
    assert result.coverage[0].sentences == 7


def test_coverage_counts_the_sentences_that_are_evidence(
    ask: Ask, verdict: Callable[..., Judged], source: Source
) -> None:
    entries = [
        ask("When was the Panama Canal opened?"),
        ask("How wide is a lock chamber?", "Each lock chamber is 33.5 m wide.", WIDTH),
        ask("How long is a lock chamber?", "Each lock chamber is 305 m long.", WIDTH),
    ]
    result = _gathered(Figures(None), entries, verdict, source).result()
    (document,) = result.coverage
    assert (document.name, document.sentences, document.covered, document.accepted) == (
        "canal.md",
        7,
        2,
        3,
    )
    assert result.evidence_resolved == 1.0
    assert result.kinds == {"fact": 3}
    assert result.difficulties == {"easy": 3}
    assert result.categories == {"Panama Canal": 3}
    assert result.answer_words == (7, 7, 9)


def test_a_planned_passage_counts_once_however_often_it_is_planned(source: Source) -> None:
    figures = Figures(None)
    for _ in range(3):
        figures.seed(source.document_id, "canal.md", source.text, source.start, source.end)
    assert figures.result().coverage[0].sentences == 7


def test_openings_near_duplicates_and_retrieval_are_shares(
    ask: Ask, verdict: Callable[..., Judged], source: Source
) -> None:
    placed = Source(**{name: getattr(source, name) for name in source.__slots__} | {"chunk": 0})
    ranker = Ranker([source.passage, "Bread needs flour and water."])
    entries = [
        ask("When was the Panama Canal opened?"),
        ask("When was the Panama Canal opened then?"),
        ask("How wide is a lock chamber of the canal?", "Each lock chamber is 33.5 m wide.", WIDTH),
        ask("How long is a lock chamber of the canal?", "Each lock chamber is 305 m long.", WIDTH),
    ]
    result = _gathered(Figures(ranker), entries, verdict, placed).result()
    assert result.retrieval_mrr == 1.0
    assert result.commonest_opening == "when was the"
    assert result.commonest_opening_share == 0.5
    assert result.opening_entropy == 1.5
    assert result.near_duplicate_share is not None
    assert 0 <= result.near_duplicate_share <= 0.25


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([1, 1, 1, 1], 0.0), ([0, 0, 0, 4], 0.75), ([], None), ([0, 0], None), ([5], 0.0)],
)
def test_gini(counts: list[int], expected: float | None) -> None:
    assert gini(counts) == expected


@given(st.lists(st.integers(0, 500), min_size=1))
def test_quartiles_are_in_order_and_among_the_lengths(lengths: list[int]) -> None:
    found = quartiles(Counter(lengths))
    assert found is not None
    assert list(found) == sorted(found)
    assert set(found) <= set(lengths)
