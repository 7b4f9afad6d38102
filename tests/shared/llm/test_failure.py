"""When a call is made again, and when the unit is given back: a table and two functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.failure import LONGEST_WAIT, POLICIES, ModelError, deferral, wait_before_retry

codes = st.sampled_from(sorted(POLICIES))
jitters = st.floats(0, 1, exclude_max=True)


@given(codes, st.integers(1, 20), st.floats(0, 10), jitters, st.none() | st.floats(0, 1e6))
def test_waits_never_add_up_to_more_than_the_longest(
    code: str, tries: int, waited: float, jitter: float, asked: float | None
) -> None:
    wait = wait_before_retry(ModelError(code, "m", retry_after=asked), tries, waited, jitter)
    assert wait is None or 0 <= waited + wait <= LONGEST_WAIT


@given(codes, jitters, st.floats(0, 3.9))
def test_what_the_provider_asks_for_is_a_lower_bound(
    code: str, jitter: float, asked: float
) -> None:
    wait = wait_before_retry(ModelError(code, "m", retry_after=asked), 1, 0.0, jitter)
    assert wait is None or wait >= asked


@given(codes, jitters)
def test_a_failure_that_cannot_heal_is_never_tried_again(code: str, jitter: float) -> None:
    error = ModelError(code, "m")
    if error.retry == "never":
        assert wait_before_retry(error, 1, 0.0, jitter) is None
        assert deferral(error) is None


@given(codes, st.floats(0, 5), jitters)
def test_tries_come_to_an_end(code: str, waited: float, jitter: float) -> None:
    assert wait_before_retry(ModelError(code, "m"), 8, waited, jitter) is None


@pytest.mark.parametrize("code", ["rate_limited", "server_error", "timeout", "network"])
def test_what_heals_with_time_defers_the_unit(code: str) -> None:
    assert (deferral(ModelError(code, "m")) or 0) >= 5


def test_a_deferral_takes_as_long_as_the_provider_says() -> None:
    assert deferral(ModelError("rate_limited", "m", retry_after=77)) == 77


def test_backoff_doubles_between_half_and_whole() -> None:
    waits = [
        [wait_before_retry(ModelError("server_error", "m"), tries, 0.0, jitter) for jitter in (0, 0.999999)]
        for tries in (1, 2, 3, 4)
    ]  # fmt: skip
    assert [low for low, _ in waits] == [0.125, 0.25, 0.5, 1.0]
    assert [high for _, high in waits] == pytest.approx([0.25, 0.5, 1.0, 2.0], rel=1e-5)


def test_only_what_concerns_every_call_is_fatal() -> None:
    fatal = {code for code in POLICIES if ModelError(code, "m").fatal}
    assert fatal == {"auth", "bad_request", "model_not_found", "unknown_provider"}
