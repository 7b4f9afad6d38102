"""How a job's way is shown, with times handed in."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from services.cli.answers import Job
from services.cli.progress import Pace, details, goal, view

MakeJob = Callable[..., Job]


@pytest.fixture
def job() -> MakeJob:
    def make(
        step: str, *, status: str = "running", wanted: int | None = None, **counts: int
    ) -> Job:
        wire: dict[str, Any] = {
            "job_id": "j1",
            "job_type": "dataset_generation",
            "status": status,
            "progress": 0,
            "current_step": step,
            "created_at": "2026-01-01T00:00:00Z",
            "result": {"counts": counts, "wanted": wanted, "rejected_by_reason": None},
        }
        return Job.model_validate(wire)

    return make


def test_the_goal_is_all_chunks_or_the_number_that_is_wanted(job: MakeJob) -> None:
    assert goal(job("Generating", seeds=60, done=20, failed=3)) == (23, 60)
    assert goal(job("Generating", wanted=50, seeds=60, done=20, accepted=41)) == (41, 50)


def test_details_count_and_foretell_only_while_entries_are_generated(job: MakeJob) -> None:
    running = job("Generating (20/60 chunks)", seeds=60, done=20, accepted=41, rejected=2)
    assert details(running, 4.0) == ("41 entries accepted, 2 rejected, 4.0 chunks/s, 10.0 s left")
    assert details(running, 0.0) == "41 entries accepted, 2 rejected"
    closing = job("Exporting", seeds=60, done=60, failed=1, accepted=41)
    assert details(closing, 4.0) == "41 entries accepted, 0 rejected, 1 seed failed"
    assert details(job("Planning"), 4.0) == ""


def test_the_rate_is_of_late_and_silent_until_it_means_something() -> None:
    pace = Pace()
    pace.add(0.0, 0, 0)
    pace.add(100.0, 0, 0)
    pace.add(101.0, 5, 60)
    assert pace.rate == 0.0
    pace.add(105.0, 25, 60)
    assert pace.rate == pytest.approx(5.0)
    for second in range(106, 140):
        pace.add(float(second), 25, 60)
    assert pace.rate == 0.0


def test_where_no_terminal_is_each_step_is_a_plain_line_and_nothing_repeats(job: MakeJob) -> None:
    written = io.StringIO()
    with view(Console(file=written)) as shown:
        for n, at in enumerate(
            (job("Planning"), job("Planning"), job("Curating", seeds=2, done=2))
        ):
            shown.show(at, n * 0.2)
        shown.show(job("Completed", status="completed", seeds=2, done=2, accepted=7), 0.7)
    assert written.getvalue().splitlines() == [
        "Planning",
        "Curating: 0 entries accepted, 0 rejected",
        "Completed: 7 entries accepted, 0 rejected",
    ]


def test_a_terminal_gets_one_live_line_that_is_gone_at_the_end(job: MakeJob) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    with view(console) as shown:
        shown.show(job("Generating (1/4 [chunks])", seeds=4, done=1, accepted=3), 1.0)
    assert "Generating (1/4 [chunks])" in written.getvalue()
    assert "3 entries accepted" in written.getvalue()
