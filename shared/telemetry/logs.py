"""Every line that a process logs, whoever logs it: one JSON object, or words for a terminal. Keeps no line back.

The code and the libraries log through the standard library; structlog makes the lines. It is loaded when the first one
is written, since most processes start and end without any.
"""

import contextlib
import logging
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import orjson

from shared.settings import Settings
from shared.telemetry import scope, traces
from shared.telemetry.masking import Mask, secrets_of, told

ORDER = (
    "time", "level", "service", "message", "request", "job", "stream", "event", "command", "unit",
    "attempt", "trace", "span", "logger",
)  # fmt: skip
"""Of the fields of a line; those that are unknown are left out, others follow."""
_NOISY = ("asyncio", "asyncpg", "nats", "faststream", "uvicorn", "opentelemetry", "urllib3")
_PLAIN = ("time", "level", "message", "service", "exception")

Line = MutableMapping[str, Any]


class Lines(logging.Formatter):
    """``form`` is ``json`` or ``console``; ``colors`` are for a terminal."""

    def __init__(self, service: str, form: str, mask: Mask, *, colors: bool = False) -> None:
        super().__init__()
        self._service = service
        self._form = form
        self._mask = mask
        self._colors = colors
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        if self._made is None:
            self._made = self._make()
        return self._made.format(record)

    def _make(self) -> logging.Formatter:
        structlog = _structlog()
        shown: Any = structlog.processors.JSONRenderer(serializer=_dump)
        if self._form == "console":
            shown = structlog.dev.ConsoleRenderer(
                colors=self._colors, event_key="message", timestamp_key="time", pad_event_to=0
            )
        made: logging.Formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                self._merged,
            ],
            processors=[
                self._exception,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message", replace_by="_event"),
                self._masked,
                shown,
            ],
        )
        return made

    def _merged(self, _logger: Any, _method: str, line: Line) -> Line:
        """Add who speaks and what is being worked on."""
        line["service"] = self._service
        context = traces.current()
        if context is not None:
            line["trace"] = f"{context.trace_id:032x}"
            line["span"] = f"{context.span_id:016x}"
        for name, value in scope.fields().items():
            if value is not None:
                line["_event" if name == "event" else name] = value
        return line

    def _exception(self, _logger: Any, _method: str, line: Line) -> Line:
        problem = line.pop("exc_info", None)
        line.pop("stack_info", None)
        if isinstance(problem, tuple) and problem[0] is not None:
            line["exception"] = told(*problem)
        return line

    def _masked(self, _logger: Any, _method: str, line: Line) -> Line:
        found = {name: self._mask.value(name, value) for name, value in line.items()}
        known = {name: found.pop(name) for name in ORDER if name in found}
        return known | found


def _dump(line: Mapping[str, Any], **_: Any) -> str:
    return orjson.dumps(line, default=str).decode()


def _structlog() -> Any:
    """Load structlog without rich, which it loads to colour tracebacks: most of its time, for what is never shown."""
    hides = "rich" not in sys.modules
    if hides:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog
    finally:
        if hides:
            del sys.modules["rich"]
    return structlog


def start(service: str, settings: Settings) -> None:
    """Write this process's lines to stderr from now on, warnings and what ends it included."""
    stream = sys.stderr
    terminal = stream.isatty()
    form = settings.log_format or ("console" if terminal else "json")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(service, form, Mask(secrets_of(settings)), colors=terminal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # It tells of every batch that a collector did not take; how many were dropped is told once a minute instead.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_words


def _last_words(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("gristmill").critical(
        "the process ends: %s", kind.__name__, exc_info=(kind, problem, trace)
    )


def plain(line: str) -> str:
    """A JSON line as words, for whoever reads the end of a log on a terminal; another line as it is."""
    if not line.startswith("{"):
        return line
    with contextlib.suppress(orjson.JSONDecodeError):
        found = orjson.loads(line)
        if isinstance(found, dict) and "message" in found:
            exception = str(found.get("exception", ""))
            return f"{found.get('level', '')}: {found['message']}" + (
                f"\n{exception}" if exception else ""
            )
    return line
