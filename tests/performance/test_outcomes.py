"""Prepared outcomes are what a worker would say, each of a unit of its own."""

from contracts.entries import CallBody, EntriesBody, EntriesGenerated
from contracts.unit import UnitFinished
from tests.performance.outcomes import REAL, outcomes
from tests.performance.pending import plan


def test_prepared_outcomes_can_be_read_as_what_they_say() -> None:
    for report in outcomes(3):
        again = UnitFinished.model_validate_json(report.model_dump_json())
        event = EntriesGenerated.model_validate(again.events[0].data)
        entries, call = again.bodies
        assert len(event.entries) == len(EntriesBody.model_validate_json(entries.text).entries) == 3
        assert CallBody.model_validate_json(call.text).exchanges
        assert (event.body, event.call) == (entries.body_id, call.body_id)


def test_outcomes_that_repeat_a_text_share_no_id() -> None:
    reports = list(outcomes(REAL + 20))
    bodies = {body.body_id for report in reports for body in report.bodies}
    calls = {call.call_id for report in reports for call in report.calls}
    assert len({report.unit_id for report in reports}) == len(calls) == len(bodies) // 2
    assert len(calls) == len(reports)


def test_every_chunk_of_the_measured_plan_is_a_seed() -> None:
    figures = plan(30)
    assert figures["pages"] > 0
    assert figures["table"] > 0
