"""The simulated model as a process, and prompts as a job makes them."""

from tests.simulator.fixture import simulator, simulator_process

__all__ = ["simulator", "simulator_process"]
