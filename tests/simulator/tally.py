"""What the simulated model has seen: the other side's account of every call, to hold a job's own account against."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """One call as the server saw it. Times are seconds since the epoch."""

    request: str
    """blake2b-128 of the body, hex: the same question is the same bytes."""
    call: str | None
    """As the client names it."""
    by: str
    """What stood before ``/v1`` in the path: who asked, where clients were given addresses of their own."""
    begin: float
    end: float | None = None
    outcome: str | None = None
    """``ok``, the fault that it suffered, ``gone`` where the client left first; None: not ended."""
    answer: str | None = None
    """Id of the answer that was sent, or would have been."""


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
    seen: list[Seen] = field(default_factory=list)
    """Every call in the order in which they began."""
    latency_s: float = 0.0
    """Sum of the seconds that calls were made to wait: what a model would have taken."""

    def begin(self, request: str, call: str | None = None, by: str = "") -> tuple[int, Seen]:
        """Count a call in; the attempt's number for this request, from 0, and what is kept of the call."""
        attempt = self.requests[request]
        self.requests[request] = attempt + 1
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        seen = Seen(request, call, by, time.time())
        self.seen.append(seen)
        if self.first is None:
            self.first = seen.begin
        return attempt, seen

    def end(self, seen: Seen, outcome: str) -> None:
        self.in_flight -= 1
        seen.end = self.last = time.time()
        seen.outcome = outcome
        self.outcomes[outcome] += 1
        if outcome == "ok":
            self.answered[seen.request] += 1

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
