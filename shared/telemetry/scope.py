"""What is being worked on in this task and in those it starts, to be told with every log line. Logs nothing itself."""

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, object] = MappingProxyType({})
_fields: ContextVar[Mapping[str, object]] = ContextVar("gristmill_scope", default=_NOTHING)


def bind(**fields: object) -> None:
    """From now on in this task. Values are turned to text only where a line is written; None says nothing."""
    _fields.set({**_fields.get(), **fields})


@contextlib.contextmanager
def bound(**fields: object) -> Iterator[None]:
    """While the context lasts."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def forget() -> None:
    """Nothing is being worked on any more."""
    _fields.set(_NOTHING)


def fields() -> Mapping[str, object]:
    return _fields.get()
