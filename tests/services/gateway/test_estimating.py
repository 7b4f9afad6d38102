"""When a job will be done: by the rate of the last minute, by its mean rate, or not known."""

from collections import deque
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.estimating import Sample, completion

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float, done: int) -> Sample:
    return Sample(BEGAN + timedelta(seconds=seconds), done)


def test_the_last_minute_counts_and_not_what_was_before() -> None:
    samples = deque([at(100, 10), at(110, 30)])
    assert completion(samples, BEGAN, 50) == BEGAN + timedelta(seconds=120)


def test_the_mean_rate_serves_where_nobody_looked_before() -> None:
    assert completion(deque([at(20, 10)]), BEGAN, 30) == BEGAN + timedelta(seconds=60)


def test_what_cannot_be_known_is_not_said() -> None:
    assert completion(deque(), BEGAN, 10) is None
    assert completion(deque([at(20, 0)]), BEGAN, 10) is None
    assert completion(deque([at(20, 5)]), None, 10) is None
    assert completion(deque([at(1, 5)]), BEGAN, 10) is None
    assert completion(deque([at(20, 5), at(55, 5)]), BEGAN, 10) is None


@given(
    st.lists(st.tuples(st.floats(0, 60), st.integers(0, 1000)), min_size=1), st.integers(0, 1000)
)
def test_no_end_is_said_that_lies_before_the_last_sample(
    found: list[tuple[float, int]], more: int
) -> None:
    times, amounts = sorted(time for time, _ in found), sorted(done for _, done in found)
    samples = deque(at(*each) for each in zip(times, amounts, strict=True))
    end = completion(samples, BEGAN, samples[-1].done + more)
    assert end is None or end >= samples[-1].at
