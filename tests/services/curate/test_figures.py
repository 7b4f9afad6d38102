"""Figures of a dataset, entry by entry."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.dataset import DatasetFigures
from contracts.entries import BodyEntry
from contracts.generation import GenerationSettings
from services.curate.checks import Source, measure
from services.curate.checks.source import parts_of
from services.curate.figures import Figures, gini, quartiles
from services.curate.retrieval import Ranker
from services.curate.sentences import sentences_between

Ask = Callable[..., BodyEntry]

OPENED = "It was opened on 15 August 1914 after ten years of work."
WIDTH = "Each lock chamber is 33.5 m wide and 305 m long."


def _seed(figures: Figures, source: Source) -> Figures:
    starts = [place[0] for place in sentences_between(source.text, source.start, source.end)]
    figures.split(source.document_id, source.start, source.end, starts)
    figures.seed(source.document_id, "canal.md", source.start, source.end)
    return figures


def _gathered(
    entries: Iterable[BodyEntry], source: Source, ranker: Ranker | None = None
) -> DatasetFigures:
    figures, settings = Figures(), GenerationSettings(mode="default")
    figures.add([measure(parts_of(entry), source, settings, ranker) for entry in entries])
    return _seed(figures, source).result()


def test_nothing_accepted_gives_no_shares(source: Source) -> None:
    result = _seed(Figures(), source).result()
    assert result.quality is None
    assert result.coverage_gini is None
    assert result.answer_words is None
    assert result.coverage[0].covered == 0
    assert result.coverage[0].sentences == 7


def test_coverage_counts_the_sentences_that_are_evidence(ask: Ask, source: Source) -> None:
    entries = [
        ask("When was the Panama Canal opened?"),
        ask("How wide is a lock chamber?", "Each lock chamber is 33.5 m wide.", WIDTH),
        ask("How long is a lock chamber?", "Each lock chamber is 305 m long.", WIDTH),
    ]
    result = _gathered(entries, source)
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
    figures = Figures()
    for _ in range(3):
        _seed(figures, source)
    assert figures.result().coverage[0].sentences == 7


def test_openings_near_duplicates_and_retrieval_are_shares(ask: Ask, source: Source) -> None:
    placed = replace(source, chunk=0)
    ranker = Ranker([source.passage, "Bread needs flour and water."])
    entries = [
        ask("When was the Panama Canal opened?"),
        ask("When was the Panama Canal opened then?"),
        ask("How wide is a lock chamber of the canal?", "Each lock chamber is 33.5 m wide.", WIDTH),
        ask("How long is a lock chamber of the canal?", "Each lock chamber is 305 m long.", WIDTH),
    ]
    result = _gathered(entries, placed, ranker)
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


def test_what_is_said_in_pieces_gives_the_same_figures(ask: Ask, source: Source) -> None:
    entries = [ask("When was the Panama Canal opened?"), ask("When did the Panama Canal open?")]
    settings = GenerationSettings(mode="default")
    pieces = Figures()
    for entry in entries:
        pieces.add([measure(parts_of(entry), source, settings, None)])
    assert _seed(pieces, source).result() == _gathered(entries, source)


@given(st.lists(st.integers(0, 500), min_size=1))
def test_quartiles_are_in_order_and_among_the_lengths(lengths: list[int]) -> None:
    found = quartiles(Counter(lengths))
    assert found is not None
    assert list(found) == sorted(found)
    assert set(found) <= set(lengths)
