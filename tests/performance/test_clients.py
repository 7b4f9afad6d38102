"""Both clients of the measurements send the same work, so that their figures can stand side by side."""

import json
import subprocess
import sys

import pytest

from tests.performance.prompts import prompt
from tests.simulator.fixture import simulator, simulator_process
from tests.simulator.process import ROOT, Simulation

__all__ = ["simulator", "simulator_process"]


@pytest.mark.parametrize("client", ["bare_client", "model_client"])
def test_a_client_says_what_its_calls_cost(simulator: Simulation, client: str) -> None:
    simulator.control(latency_ms=20)
    command = [sys.executable, "-m", f"tests.performance.{client}", simulator.openai_base_url]
    command += ["--calls", "40", "--concurrency", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert figures["calls"] == 40
    assert figures["wall_s"] > 0
    assert figures["cpu_ms_per_call"] > 0
    stats = simulator.stats()
    assert (stats["calls"], stats["distinct"], stats["in_flight_max"]) == (40, 40, 8)


def test_the_same_prompt_is_never_made_twice() -> None:
    assert len({prompt(number) for number in range(500)}) == 500
