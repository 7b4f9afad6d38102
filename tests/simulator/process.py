"""The simulated model server as a process of its own, for tests and measurements. Blocking calls, loopback only."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


class Simulation:
    """A running server. ``openai_base_url`` is what OPENAI_BASE_URL must be to use it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self._address = urlsplit(url).netloc
        self.url = url
        self.openai_base_url = f"{url}/v1"
        self.pid = process.pid

    def stats(self) -> dict[str, Any]:
        """Its account of the calls it saw; the fields are those of ``tally.Tally.summary``."""
        return self._ask("GET", "/stats")

    def calls(self) -> list[dict[str, Any]]:
        """Every call that it saw; the fields are those of ``tally.Seen``."""
        found = self._ask("GET", "/calls")["calls"]
        assert isinstance(found, list)
        return found

    def labels(self) -> list[dict[str, Any]]:
        """What is wrong with which entry; the fields are those of ``said.Label``."""
        found = self._ask("GET", "/labels")["labels"]
        assert isinstance(found, list)
        return found

    def control(self, **behaviour: object) -> None:
        """Change the fields of ``behaviour.Behaviour`` that are named."""
        self._ask("POST", "/control", behaviour)

    def reset(self, **behaviour: object) -> None:
        """Forget calls and labels, and behave as named and otherwise as by default."""
        self._ask("POST", "/behave", behaviour)
        self._ask("POST", "/reset")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """Die without a word, as a model server may."""
        self._process.kill()
        self.stop()

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"simulator: {answer}")
        assert isinstance(answer, dict)
        return answer


def start(*behaviour: str, port: int = 0) -> Simulation:
    """Start a server and wait until it listens; ``behaviour`` as on its command line (``latency_ms=500``)."""
    command = [sys.executable, "-m", "tests.simulator", "--port", str(port), *behaviour]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    if not url:
        process.wait()
        raise RuntimeError(f"the simulator did not start (exit {process.returncode})")
    return Simulation(process, url)
