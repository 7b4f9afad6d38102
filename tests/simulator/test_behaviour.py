"""Rolls repeat, and come as often as they should."""

import statistics

import pytest

from tests.simulator.behaviour import FAULTS, Behaviour, fault, latency


def test_the_same_attempt_at_the_same_request_always_fares_alike() -> None:
    behaviour = Behaviour(server_error=0.5, latency_ms=100, latency_sigma=0.7)
    for attempt in range(20):
        assert fault(behaviour, "r", attempt) == fault(behaviour, "r", attempt)
        assert latency(behaviour, "r", attempt) == latency(behaviour, "r", attempt)


def test_another_seed_rolls_otherwise() -> None:
    one, two = (Behaviour(seed=seed, server_error=0.5) for seed in (1, 2))
    assert [fault(one, str(n), 0) for n in range(50)] != [fault(two, str(n), 0) for n in range(50)]


def test_each_fault_comes_at_its_rate() -> None:
    behaviour = Behaviour.model_validate(dict.fromkeys(FAULTS, 0.05))
    found = [fault(behaviour, str(n), 0) for n in range(10_000)]
    for name in FAULTS:
        assert found.count(name) == pytest.approx(500, abs=100)


def test_only_the_first_attempts_suffer_where_asked() -> None:
    behaviour = Behaviour(server_error=1.0, faulty_attempts=2)
    assert [fault(behaviour, "r", n) for n in range(3)] == ["server_error", "server_error", None]


def test_lognormal_latency_has_the_median_it_is_given() -> None:
    behaviour = Behaviour(latency_ms=500, latency_sigma=0.7)
    drawn = [latency(behaviour, str(n), 0) for n in range(5_000)]
    assert statistics.median(drawn) == pytest.approx(0.5, rel=0.05)
    assert statistics.mean(drawn) == pytest.approx(0.5 * 2.718281828 ** (0.7**2 / 2), rel=0.06)
