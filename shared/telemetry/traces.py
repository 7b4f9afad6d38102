"""One trace through every service: W3C trace contexts, and spans that are sent only where a collector is named.

Without one, a context is passed on as it came and no span is made. A span's id may follow from what it stands for, so
that whoever ends a piece of work need not be who began it. Holds the process's sender; opens no connection.
"""

import re
import secrets
from collections.abc import Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self
from uuid import UUID

from shared.clock import wall_ns

HEADER = "traceparent"
MOST_LINKS = 64
"""Of one span: what was gathered beyond them is left out."""

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_WHOLE = 1 << 56


@dataclass(frozen=True, slots=True)
class Context:
    """A place in a trace. Its text is a ``traceparent``."""

    trace_id: int
    span_id: int
    sampled: bool

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{'01' if self.sampled else '00'}"


@dataclass(slots=True)
class Ended:
    """A span as it is sent. Times are nanoseconds since 1970; ``code`` is set where it failed."""

    name: str
    kind: Kind
    context: Context
    parent: Context | None
    began: int
    ended: int
    attributes: dict[str, Value]
    links: Sequence[Context] = ()
    code: str | None = None


class Sender(Protocol):
    """Takes ended spans and never waits."""

    def put(self, span: Ended) -> None: ...

    def stop(self) -> None: ...


@dataclass(slots=True)
class _Process:
    sender: Sender | None = None
    ratio: float = 1.0


_process = _Process()
_current: ContextVar[Context | None] = ContextVar("gristmill_trace", default=None)
_links: ContextVar[list[Context] | None] = ContextVar("gristmill_links", default=None)


def send_to(sender: Sender | None, ratio: float = 1.0) -> None:
    """Send this process's spans; of traces that begin here, the part ``ratio``. None: send none."""
    _process.sender, _process.ratio = sender, ratio


def stop() -> None:
    """Send what is left, for a moment, and nothing more."""
    if _process.sender is not None:
        _process.sender.stop()
        _process.sender = None


def context_from(header: str | None) -> Context | None:
    """Read a ``traceparent`` by the rules of W3C Trace Context; None where it is missing or invalid."""
    if not header or (found := _FORM.fullmatch(header)) is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more):
        return None
    trace, span = int(trace_id, 16), int(span_id, 16)
    return Context(trace, span, bool(int(flags, 16) & 1)) if trace and span else None


def current() -> Context | None:
    return _current.get()


def enter(context: Context | None) -> None:
    """Work on this context's behalf from now on in this task."""
    _current.set(context)


def records(context: Context | None) -> bool:
    """Whether spans below this context are sent."""
    return _process.sender is not None and (context is None or context.sampled)


def derived(parent: Context | None, span: UUID, trace: UUID) -> Context:
    """The context of a span whose id follows from ``span``; without a parent, that of a trace named by ``trace``."""
    if parent is None:
        return Context(trace.int, span_id(span), _process.sender is not None and _drawn(trace.int))
    if not records(parent):
        return parent
    return Context(parent.trace_id, span_id(span), sampled=True)


def span_id(identity: UUID) -> int:
    return identity.int >> 64 or 1


def emit(span: Ended) -> None:
    """Send a span that was timed elsewhere."""
    if _process.sender is not None and span.context.sampled:
        _process.sender.put(span)


def _drawn(trace_id: int) -> bool:
    return (trace_id & (_WHOLE - 1)) < _process.ratio * _WHOLE


def _fresh(parent: Context | None) -> Context:
    if parent is not None:
        return Context(parent.trace_id, secrets.randbits(64) or 1, sampled=True)
    trace_id = secrets.randbits(128) or 1
    return Context(trace_id, secrets.randbits(64) or 1, _drawn(trace_id))


class _Here:
    """Stands for the current context where a parent may be named."""


_HERE = _Here()


@dataclass(slots=True)
class Span:
    """A piece of work while it is under way: ``with span("parse") as it: it.set(outcome="done")``.

    ``context`` is what to pass on from inside: this span, or its parent where no spans are sent.
    """

    name: str
    kind: Kind = "internal"
    parent: Context | _Here | None = _HERE
    attributes: dict[str, Value] = field(default_factory=dict)
    links: list[Context] = field(default_factory=list)
    code: str | None = None
    context: Context | None = None
    began: int = 0
    _token: Token[Context | None] | None = None
    _gathered: Token[list[Context] | None] | None = None
    _sent: bool = False

    def __enter__(self) -> Self:
        if isinstance(self.parent, _Here):
            self.parent = _current.get()
        self.context = self.parent
        if records(self.parent):
            self.context = _fresh(self.parent)
            self._sent = self.context.sampled
            self.began = wall_ns()
        self._token = _current.set(self.context)
        if self._sent:
            self._gathered = _links.set(self.links)
        return self

    def set(self, **attributes: Value) -> None:
        if self._sent:
            self.attributes |= attributes

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if self._gathered is not None:
            _links.reset(self._gathered)
        if not self._sent or self.context is None or isinstance(self.parent, _Here):
            return
        if kind is not None and self.code is None:
            self.code = kind.__name__
        ended = Ended(
            self.name, self.kind, self.context, self.parent, self.began, wall_ns(),
            self.attributes, self.links, self.code,
        )  # fmt: skip
        emit(ended)


def link(header: str | None) -> None:
    """Say of the current span that it builds on what was done in another context."""
    links = _links.get()
    if links is not None and len(links) < MOST_LINKS:
        context = context_from(header)
        if context is not None:
            links.append(context)
