"""Every metric that a service keeps, declared in one place, and its values. Shows them to nobody; that is `exposition`.

Counting is an addition in a dictionary, so it costs next to nothing where nobody looks. Each metric holds at most
``MOST_SERIES`` sets of labels, whatever users name their models: further ones are counted as ``other``.
"""

import contextlib
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

MOST_SERIES = 200
OTHER = "other"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)

Labels = tuple[str, ...]


@dataclass(slots=True)
class Series:
    """A histogram's counts: one a bucket and one beyond the last, not cumulated."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """``name`` as Prometheus shows it, a counter's with its ``_total``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()
    values: dict[Labels, float] = field(default_factory=dict, compare=False, repr=False)
    series: dict[Labels, Series] = field(default_factory=dict, compare=False, repr=False)

    def add(self, *labels: str, by: float = 1.0) -> None:
        values = self.values
        if labels in values:
            values[labels] += by
        else:
            labels = self._bounded(labels, len(values))
            values[labels] = values.get(labels, 0.0) + by

    def observe(self, value: float, *labels: str) -> None:
        found = self.series.get(labels)
        if found is None:
            labels = self._bounded(labels, len(self.series))
            found = self.series.setdefault(labels, Series([0] * (len(self.buckets) + 1)))
        found.counts[bisect_left(self.buckets, value)] += 1
        found.total += value

    def _bounded(self, labels: Labels, held: int) -> Labels:
        return labels if held < MOST_SERIES else (OTHER,) * len(labels)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value that was looked up because somebody asked."""

    metric: Metric
    value: float
    labels: Labels = ()


Sampler = Callable[[], Awaitable[Sequence[Sample]]]
_samplers: list[Sampler] = []


@contextlib.contextmanager
def sampled(sampler: Sampler) -> Iterator[None]:
    """Ask ``sampler`` for values each time that somebody looks, while the context lasts."""
    _samplers.append(sampler)
    try:
        yield
    finally:
        _samplers.remove(sampler)


def samplers() -> tuple[Sampler, ...]:
    return tuple(_samplers)


# -- workers ---------------------------------------------------------------------------------------
UNITS = Metric(
    "gristmill_units_total", "counter",
    "Attempts at units that ended, by what came of them: done, deferred, or the code of the failure.",
    ("command", "outcome"),
)  # fmt: skip
UNIT_SECONDS = Metric(
    "gristmill_unit_seconds", "histogram", "Time that an attempt at a unit took.",
    ("command",), LONG_SECONDS,
)  # fmt: skip
UNITS_HELD = Metric("gristmill_units_held", "gauge", "Units that this worker holds.")
UNITS_BUSY = Metric("gristmill_units_busy", "gauge", "Units that this worker is at.")
BURIED = Metric("gristmill_buried_total", "counter", "Messages that this process buried.")

# -- models ----------------------------------------------------------------------------------------
CALLS = Metric(
    "gristmill_model_calls_total", "counter",
    "Model calls that ended: ok, the code of the failure, or cancelled.", ("model", "outcome"),
)  # fmt: skip
CALL_SECONDS = Metric(
    "gristmill_model_call_seconds", "histogram", "Time that a model call took.",
    ("model",), LONG_SECONDS,
)  # fmt: skip
TOKENS = Metric(
    "gristmill_model_tokens_total", "counter", "Tokens that models counted: prompt, completion, cached.",
    ("model", "kind"),
)  # fmt: skip
CALLS_IN_FLIGHT = Metric(
    "gristmill_model_calls_in_flight", "gauge", "Model calls under way.", ("model",)
)

# -- the ledger ------------------------------------------------------------------------------------
LEADING = Metric(
    "gristmill_ledger_leading", "gauge", "1 while this ledger leads, 0 while it stands by."
)
BATCH_MESSAGES = Metric(
    "gristmill_ledger_batch_messages",
    "histogram",
    "Messages recorded in one transaction.",
    (),
    SIZES,
)
BATCH_SECONDS = Metric(
    "gristmill_ledger_batch_seconds", "histogram", "Time that one transaction took.", (), SECONDS
)
LAG_SECONDS = Metric(
    "gristmill_ledger_lag_seconds", "histogram",
    "From the bus taking a message to its commit; of each batch, the oldest.", (), SECONDS,
)  # fmt: skip
RECORDED = Metric("gristmill_events_recorded_total", "counter", "Events recorded.", ("type",))
REISSUED = Metric("gristmill_units_reissued_total", "counter", "Units that were issued again.")
STREAM_MESSAGES = Metric(
    "gristmill_stream_messages", "gauge", "Messages that a stream of the bus holds.", ("stream",)
)
STREAM_BYTES = Metric("gristmill_stream_bytes", "gauge", "Bytes that a stream holds.", ("stream",))
STREAM_OLDEST = Metric(
    "gristmill_stream_oldest_seconds",
    "gauge",
    "Age of the oldest message of a work queue.",
    ("stream",),
)
PENDING = Metric(
    "gristmill_consumer_pending",
    "gauge",
    "Messages that wait to be handed out.",
    ("stream", "consumer"),
)
UNACKED = Metric(
    "gristmill_consumer_unacknowledged", "gauge", "Messages handed out and not done with.",
    ("stream", "consumer"),
)  # fmt: skip
DEAD = Metric("gristmill_dead_letters", "gauge", "Messages that nobody could use, kept 30 days.")
IN_FLIGHT = Metric(
    "gristmill_units_in_flight", "gauge", "Units issued without an outcome.", ("worker",)
)
PUT_OFF = Metric(
    "gristmill_units_put_off", "gauge", "Units that wait for something outside.", ("worker",)
)
IN_FLIGHT_OLDEST = Metric(
    "gristmill_units_oldest_seconds",
    "gauge",
    "Age of the oldest unit without an outcome.",
    ("worker",),
)
JOBS_OPEN = Metric("gristmill_jobs_open", "gauge", "Jobs that have not ended.", ("kind",))
RELAY_COMMANDS = Metric("gristmill_relay_commands_waiting", "gauge", "Commands not yet on the bus.")
RELAY_POSITIONS = Metric("gristmill_relay_lag_positions", "gauge", "Events not yet announced.")
RELAY_SECONDS = Metric("gristmill_relay_lag_seconds", "gauge", "Age of the oldest of them.")

# -- the gateway -----------------------------------------------------------------------------------
REQUESTS = Metric(
    "gristmill_http_requests_total", "counter", "Requests answered, by route, method and status.",
    ("route", "method", "status"),
)  # fmt: skip
REQUEST_SECONDS = Metric(
    "gristmill_http_request_seconds", "histogram", "Time until an answer was sent whole, event streams left out.",
    ("route",), SECONDS,
)  # fmt: skip
REQUESTS_OPEN = Metric("gristmill_http_requests_open", "gauge", "Requests being answered.")
LISTENERS = Metric("gristmill_sse_listeners", "gauge", "Event streams that somebody listens to.")
VIEW_POSITIONS = Metric(
    "gristmill_view_lag_positions", "gauge", "Events that the views do not show yet."
)
VIEW_SECONDS = Metric("gristmill_view_lag_seconds", "gauge", "Age of the oldest of them.")

# -- everywhere ------------------------------------------------------------------------------------
BLOBS = Metric("gristmill_blobs_total", "counter", "Blobs written and read.", ("operation",))
BLOB_BYTES = Metric("gristmill_blob_bytes_total", "counter", "Bytes of them.", ("operation",))
DISK_FREE = Metric("gristmill_disk_free_bytes", "gauge", "Free bytes where the data folder is.")
SPANS = Metric(
    "gristmill_spans_total", "counter", "Spans of traces, sent and dropped.", ("outcome",)
)

METRICS: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
