"""What the ledger tells of its turns: a span for each message and each job, counts, a line where a job begins or ends.

A job's span ends here and may have begun under another leader: its ids follow from those of the job and its request,
and its time from the log. Decides and records nothing.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from nats.aio.msg import Msg

from contracts.identity import answered_id, job_id, outcome_id, request_message
from contracts.job import JobCancelled, JobCompleted, JobFailed, JobStarted
from contracts.message import Event, Recorded, Request, wire_type
from contracts.model import ModelAnswered
from contracts.unit import UnitDeferred, UnitFinished
from services.ledger.turn import Turn
from shared.bus import Envelope
from shared.clock import monotonic, now, wall_ns
from shared.telemetry import scope, traces
from shared.telemetry.metrics import BATCH_MESSAGES, BATCH_SECONDS, LAG_SECONDS, RECORDED
from shared.telemetry.traces import HEADER, Context, Ended, context_from, derived, records

log = logging.getLogger(__name__)

_MILESTONES = (JobStarted, JobCompleted, JobFailed, JobCancelled)


class Incoming(Protocol):
    """A message with what it says."""

    @property
    def message(self) -> Msg: ...
    @property
    def envelope(self) -> Envelope: ...
    @property
    def tenant(self) -> str: ...
    @property
    def said(self) -> Request | UnitFinished | UnitDeferred | ModelAnswered: ...


class Watch:
    """One transaction, from its first message to its commit."""

    def __init__(self) -> None:
        _forget()
        self._began = monotonic()
        self._began_ns = wall_ns()
        self._spans: list[Ended] = []

    def begin(self, turn: Turn, incoming: Incoming) -> None:
        """The turn records on behalf of this message from now on."""
        parent = context_from(incoming.envelope.headers.get(HEADER))
        turn.trace = _context(incoming, parent)
        traces.enter(turn.trace)
        said = incoming.said
        job = None if isinstance(said, Request) else said.job_id
        unit = None if isinstance(said, Request) else said.unit_id
        scope.bind(event=type(said).__name__, job=job, stream=job, unit=unit)
        if turn.trace is None or not records(turn.trace):
            return
        span = Ended(
            f"record {type(said).__name__}", "consumer", turn.trace, parent, self._began_ns, 0, {}
        )
        span.attributes["event"] = incoming.envelope.type
        if job is not None:
            span.attributes["job"] = str(job)
        self._spans.append(span)

    def recorded_nothing(self, turn: Turn) -> None:
        """What was begun last was known already: its span was sent when it was recorded."""
        if self._spans and self._spans[-1].context is turn.trace:
            self._spans.pop()

    async def jobs(self, turn: Turn) -> None:
        """Look up where the jobs that end in this turn began."""
        turn.trace = None
        if not turn.ended or not records(None):
            return
        rows = await turn.connection.fetch(
            """
            select distinct on (stream_id) stream_id, trace, cause_id, recorded_at
            from ledger.events where stream_id = any($1::uuid[]) order by stream_id, version
            """,
            turn.ended,
        )
        kinds = {each.stream: each.event for each in turn.log.recorded if _is_milestone(each)}
        for row in rows:
            context = context_from(row["trace"])
            if context is None or not context.sampled or row["cause_id"] is None:
                continue
            parent = Context(context.trace_id, traces.span_id(row["cause_id"]), sampled=True)
            event = kinds.get(row["stream_id"])
            name = type(event).__name__ if event else ""
            self._spans.append(
                Ended(
                    "job", "internal", context, parent, int(row["recorded_at"].timestamp() * 1e9), 0,
                    {"job": str(row["stream_id"]), "event": name},
                    code=getattr(event, "code", None),
                )
            )  # fmt: skip

    def committed(self, turn: Turn, batch: Sequence[Incoming] = ()) -> None:
        _forget()
        ended = wall_ns()
        for span in self._spans:
            span.ended = max(ended, span.began)
            traces.emit(span)
        if batch:
            BATCH_MESSAGES.observe(len(batch))
            BATCH_SECONDS.observe(monotonic() - self._began)
            taken = batch[0].message.metadata.timestamp
            LAG_SECONDS.observe(max(0.0, (now() - taken).total_seconds()))
        for recorded in turn.log.recorded:
            RECORDED.add(wire_type(type(recorded.event)))
            if _is_milestone(recorded):
                _tell(recorded)


def _forget() -> None:
    traces.enter(None)
    scope.forget()


def _context(incoming: Incoming, parent: Context | None) -> Context | None:
    said = incoming.said
    if isinstance(said, Request):
        key = incoming.tenant, incoming.envelope.source, incoming.envelope.id
        return derived(parent, request_message(*key), job_id(*key))
    if not records(parent):
        return parent
    message = outcome_id(said.unit_id, said.attempt, said.incarnation)
    if isinstance(said, ModelAnswered):
        message = answered_id(message, len(said.calls))
    return derived(parent, message, said.job_id)


def _is_milestone(recorded: Recorded[Event]) -> bool:
    return isinstance(recorded.event, _MILESTONES)


def _tell(recorded: Recorded[Event]) -> None:
    trace = context_from(recorded.traceparent)
    fields = {
        "job": recorded.job_id,
        "stream": recorded.stream,
        "event": type(recorded.event).__name__,
        "unit": None,
        "trace": f"{trace.trace_id:032x}" if trace else None,
    }
    with scope.bound(**fields):
        log.info("%s", wire_type(type(recorded.event)))
