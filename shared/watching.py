"""What a worker tells of its units: a span each, counts by outcome, and what it is at, for the log. Does no work."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from contracts.message import Command, wire_type
from contracts.unit import UnitDeferred, UnitFailed, UnitFinished
from shared.clock import monotonic
from shared.task import Gate, Task
from shared.telemetry import scope, traces
from shared.telemetry.metrics import UNIT_SECONDS, UNITS, UNITS_BUSY, UNITS_HELD, Sample, Sampler

log = logging.getLogger(__name__)

_FAILED = wire_type(UnitFailed)


def begun(command: Command, trace: traces.Context | None) -> None:
    """What this task does from now on is for this command."""
    traces.enter(trace)
    scope.bind(command=type(command).__name__, job=command.job_id, stream=_stream(command))


def _stream(command: Command) -> object:
    """The stream that the command's outcomes speak of."""
    for name in ("document_id", "dataset_id"):
        if (found := getattr(command, name, None)) is not None:
            return found
    return command.job_id


@dataclass(slots=True)
class watched:  # noqa: N801 - reads as a function: ``with watched(task) as seen``
    """The doing of one unit. ``report`` is what came of it; None: it is left to the ledger.

    What is said afterwards in the same task carries the unit's trace.
    """

    task: Task[Command]
    report: UnitFinished | UnitDeferred | None = None
    _began: float = 0.0
    _span: traces.Span = field(default_factory=lambda: traces.Span("", "consumer"))

    def __enter__(self) -> Self:
        scope.bind(unit=self.task.unit, attempt=self.task.attempt)
        self._began = monotonic()
        self._span.name = type(self.task.command).__name__
        self._span.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        span, name = self._span, self._span.name
        outcome = "left" if kind is not None else _outcome(self.report)
        UNITS.add(name, outcome)
        UNIT_SECONDS.observe(monotonic() - self._began, name)
        if outcome not in ("done", "left"):
            log.info("a unit ended: %s", outcome)
        if traces.records(span.context):
            self._describe(span, outcome)
        span.__exit__(kind, *rest)
        traces.enter(span.context)

    def _describe(self, span: traces.Span, outcome: str) -> None:
        task = self.task
        span.set(
            job=str(task.command.job_id),
            stream=str(_stream(task.command)),
            unit=str(task.unit),
            command=span.name,
            attempt=task.attempt,
            outcome=outcome,
            calls=len(task.calls),
            prompt_tokens=sum(call.prompt_tokens for call in task.calls),
            completion_tokens=sum(call.completion_tokens for call in task.calls),
        )
        if outcome not in ("done", "deferred", "left"):
            span.code = outcome


def _outcome(report: UnitFinished | UnitDeferred | None) -> str:
    """``done``, ``deferred``, ``left``, or the code of the failure."""
    if report is None:
        return "left"
    if isinstance(report, UnitDeferred):
        return "deferred"
    for said in report.events:
        if said.type == _FAILED:
            return str(said.data["code"])
    return "done"


def held(units: Mapping[Any, object], gates: Mapping[Any, Gate]) -> Sampler:
    """How many units a worker holds, and how many of them are under way."""

    async def look() -> list[Sample]:
        busy = sum(gate.busy for gate in gates.values())
        return [Sample(UNITS_HELD, float(len(units))), Sample(UNITS_BUSY, float(busy))]

    return look
