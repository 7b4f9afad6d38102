"""A way of cutting as the terminal takes it: a strategy, then name=value. Checks the form, not the meaning."""

import json
import shlex
from pathlib import Path
from typing import Any

from shared.errors import Refused

FIELD = "chunking"


def chunking_of(words: str) -> dict[str, Any]:
    """``token size=256 overlap=32`` as the API's ``chunking``.

    A value is JSON where it can be read as such, else a word; ``rules=@FILE`` reads a schema definition. Raise
    ``Refused``, saying what is wrong.
    """
    try:
        strategy, *rest = shlex.split(words)
    except ValueError:
        raise _refused("name a strategy, such as `token size=256 overlap=32`") from None
    said: dict[str, Any] = {"strategy": strategy}
    for part in rest:
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise _refused(f"{part!r} is not name=value")
        said |= _schema(value[1:]) if name == "rules" and value[:1] == "@" else {name: _read(value)}
    return said


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _schema(name: str) -> dict[str, Any]:
    """``rules``, and beside them ``combine`` and ``include_pattern``, of a file."""
    try:
        said = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise _refused(f"{name} cannot be read as JSON: {problem}") from None
    return said if isinstance(said, dict) else {"rules": said}


def _refused(why: str) -> Refused:
    return Refused("invalid_chunking", f"--chunking: {why}.", field=FIELD)
