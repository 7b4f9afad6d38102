"""The simulated model, for tests that need a real server behind the client."""

from tests.simulator.fixture import simulator, simulator_process

__all__ = ["simulator", "simulator_process"]
