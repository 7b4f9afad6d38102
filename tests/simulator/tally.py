"""What the simulated model has seen: the other side's account of every call, to hold a job's own account against."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of chat completions since the start or the last reset. Times are seconds since the epoch."""

    outcomes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """Requests by how often they were answered with status 200 and sound JSON: what is paid for."""
    in_flight: int = 0
    in_flight_max: int = 0
    first: float | None = None
    last: float | None = None
    entries: int = 0
    latency_s: float = 0.0
    """Sum of the seconds that calls were made to wait: what a model would have taken."""

    def begin(self, request: str) -> int:
        """Count a call in; the attempt's number for this request, from 0."""
        attempt = self.requests[request]
        self.requests[request] = attempt + 1
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        if self.first is None:
            self.first = time.time()
        return attempt

    def end(self, request: str, outcome: str) -> None:
        self.in_flight -= 1
        self.last = time.time()
        self.outcomes[outcome] += 1
        if outcome == "ok":
            self.answered[request] += 1

    def summary(self) -> dict[str, object]:
        calls = self.requests.total()
        return {
            "calls": calls,
            "distinct": len(self.requests),
            "repeats": calls - len(self.requests),
            "paid_twice": self.answered.total() - len(self.answered),
            "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "outcomes": dict(self.outcomes),
            "entries": self.entries,
            "latency_s": self.latency_s,
            "first": self.first,
            "last": self.last,
            "cpu_s": time.process_time(),
        }
