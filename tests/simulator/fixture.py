"""Fixtures of the simulated model: ``pytest_plugins = ["tests.simulator.fixture"]`` in the root conftest, or import."""

from collections.abc import Iterator

import pytest

from tests.simulator.process import Simulation, start


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulation]:
    """One server for the whole test process; take ``simulator`` rather than this."""
    running = start()
    yield running
    running.stop()


@pytest.fixture
def simulator(simulator_process: Simulation) -> Simulation:
    """A simulated model without faults, latency, or memory of other tests."""
    simulator_process.reset()
    return simulator_process
