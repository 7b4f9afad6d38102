"""Sends ended spans to an OTLP collector from a thread of its own, in batches. Alone imports OpenTelemetry.

A collector that is away costs nothing but the spans: what does not fit the queue or is not taken is dropped, counted,
and told once a minute.
"""

import logging
import threading
from collections import deque
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.clock import monotonic
from shared.telemetry import metrics
from shared.telemetry.traces import Context, Ended

log = logging.getLogger(__name__)

BATCH = 512
MOST_WAITING = 8192
EVERY = 1.0
"""Seconds between batches that are not full."""
PATIENCE = 2.0
"""Seconds that a collector has to take a batch,"""
LAST = 1.5
"""and that the end of the process waits for what is left."""
TOLD_EVERY = 60.0

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_SCOPE = InstrumentationScope("gristmill", version("gristmill"))


class Batches:
    """``endpoint`` is the collector's base URL, such as ``http://127.0.0.1:4318``."""

    def __init__(self, service: str, endpoint: str, incarnation: str) -> None:
        self._resource = Resource(
            {
                "service.name": f"gristmill-{service}",
                "service.namespace": "gristmill",
                "service.version": version("gristmill"),
                "service.instance.id": incarnation,
            }
        )
        url = endpoint.rstrip("/")
        url = url if url.endswith("/v1/traces") else f"{url}/v1/traces"
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=PATIENCE)
        self._waiting: deque[Ended] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._dropped = 0
        self._told = float("-inf")
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, span: Ended) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._drop(1)
            return
        self._waiting.append(span)
        if len(self._waiting) == BATCH:
            self._wake.set()

    def stop(self) -> None:
        """Send what is left within ``LAST`` seconds, then let the thread end with the process."""
        self._stopping = True
        self._wake.set()
        self._thread.join(LAST)
        # A batch under way is cut off: the exporter wakes from its pauses and gives up.
        if self._thread.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(EVERY)
            self._wake.clear()
            while self._waiting:
                self._send([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _send(self, batch: list[Ended]) -> None:
        result = self._exporter.export([self._readable(span) for span in batch])
        if result is SpanExportResult.SUCCESS:
            metrics.SPANS.add("sent", by=len(batch))
        else:
            self._drop(len(batch))

    def _drop(self, spans: int) -> None:
        metrics.SPANS.add("dropped", by=spans)
        self._dropped += spans
        now = monotonic()
        if now - self._told >= TOLD_EVERY:
            log.warning("the collector does not take traces: %d spans were dropped", self._dropped)
            self._told, self._dropped = now, 0

    def _readable(self, span: Ended) -> ReadableSpan:
        status = Status(StatusCode.UNSET)
        if span.code is not None:
            status = Status(StatusCode.ERROR, span.code)
        return ReadableSpan(
            name=span.name,
            context=_context(span.context, is_remote=False),
            parent=_context(span.parent, is_remote=True) if span.parent else None,
            resource=self._resource,
            attributes=span.attributes,
            links=[Link(_context(each, is_remote=True)) for each in span.links],
            kind=_KINDS[span.kind],
            status=status,
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=_SCOPE,
        )


def _context(context: Context, *, is_remote: bool) -> Any:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(context.trace_id, context.span_id, is_remote, flags)
