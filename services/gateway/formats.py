"""Which formats a dataset may be asked for in. Names only: the service that writes them has the code.

The built-in ones are known; a stranger's are found by the name of their entry point, without importing it.
"""

from functools import cache
from importlib.metadata import entry_points

from services.gateway.not_built import not_available
from shared.errors import Refused

GROUP = "gristmill.formats"
BUILT_IN = ("jsonl", "json", "parquet", "alpaca", "chatml", "openai")
LATER = ("anki",)
PAIRED = ("alpaca", "chatml", "openai")
"""Formats in which each row needs both something asked and something answered,"""
ONE_SIDED = ("question", "answer")
"""and the modes whose entries have only one of them."""


@cache
def names() -> tuple[str, ...]:
    """Of all formats that are installed: the built-in ones, then the others by name."""
    found = {point.name for point in entry_points(group=GROUP)}
    return (*BUILT_IN, *sorted(found.difference(BUILT_IN)))


def check(name: str, field: str) -> None:
    """Raise ``Refused`` where nothing that is installed writes this format."""
    if name in names():
        return
    if name in LATER:
        raise not_available(field, f"the format {name}")
    raise Refused(
        "invalid_parameter", f"{field}: must be one of: {', '.join(names())}", field=field
    )
