"""The simulated model's sound entries are let through, so that a load job is not one of rejections."""

import pytest

from contracts.generation import Mode
from tests.performance.filter_recall import Mill, dropped, recall
from tests.simulator.behaviour import Behaviour


@pytest.mark.parametrize("mode", ["question and answer", "question", "answer"])
def test_canned_entries_pass_every_check(mode: Mode) -> None:
    made, reasons = dropped(Mill(mode), Behaviour(mode="canned"))
    assert made > 40
    assert reasons.total() <= made * 0.02, reasons


def test_spoilt_entries_are_counted_by_their_label() -> None:
    counts = recall(Mill("question and answer"), "chatter")
    assert counts.spoilt > 20
    assert counts.named == counts.rejected == counts.spoilt
    assert not counts.missed
