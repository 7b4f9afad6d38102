"""Takes secrets out of what is logged, and what an exception may quote of a text. Pure but for the list of secrets."""

import re
import traceback
from types import TracebackType

from pydantic import BaseModel, SecretStr, ValidationError

MASK = "***"
SHORTEST = 6
"""Characters of a secret that is looked for in texts: a shorter one would mask words."""
LONGEST_MESSAGE = 300
"""Characters of an exception's own message that are kept."""

_NAMES = re.compile(
    r"authorization|api[-_]?key|password|passwd|secret|token|credential|cookie", re.IGNORECASE
)
_HARMLESS = re.compile(r"tokens$", re.IGNORECASE)
"""Counts of a model's tokens."""
_IN_URL = re.compile(r"(?<=://)([^/\s:@'\"]*):[^/\s'\"]*@")
_IN_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization|x-api-key|(?:set-)?cookie)\b(['\"]?\s*[:=,]\s*(?-i:b)?['\"]?)"
    r"(?:(?:bearer|basic)\s+)?[^\s'\",;]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")


class Mask:
    """``secrets`` are values that must not be seen wherever they stand."""

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        found = sorted((each for each in secrets if len(each) >= SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, found))) if found else None

    def text(self, text: str) -> str:
        """``text`` without passwords of URLs, keys of headers and the known secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if "://" in text:
            text = _IN_URL.sub(rf"\1:{MASK}@", text)
        text = _IN_HEADER.sub(rf"\1\2{MASK}", text)
        return _BEARER.sub(rf"\1 {MASK}", text)

    def value(self, name: str, value: object) -> object:
        """A field of a line: numbers as they are, all else as masked text."""
        if _NAMES.search(name) and not _HARMLESS.search(name):
            return MASK
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, dict):
            return {str(key): self.value(str(key), each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value("", each) for each in value]
        return self.text(str(value))


def secrets_of(settings: BaseModel) -> frozenset[str]:
    """The secret values of these settings, and the passwords in them where they are URLs."""
    found: set[str] = set()
    for value in settings.__dict__.values():
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            password = re.search(r"://[^/\s:@]*:(.+)@", secret)
            if password is not None:
                found.add(password.group(1))
            elif "://" not in secret:
                found.add(secret)
    return frozenset(found)


def told(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> str:
    """An exception with the places it came through, without the values that it may quote.

    pydantic repeats its input and Postgres the row, either of which may be a text; other messages are cut short.
    """
    lines = [
        f"  {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(trace)[-30:]
    ]
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    said = [*lines, f"{name}: {_message(problem)}"]
    if isinstance(problem, BaseExceptionGroup):
        said += [told(type(each), each, each.__traceback__) for each in problem.exceptions[:5]]
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    if cause is not None:
        said = [told(type(cause), cause, cause.__traceback__), "which led to", *said]
    return "\n".join(said)


def _message(problem: BaseException) -> str:
    if isinstance(problem, ValidationError):
        errors = problem.errors(include_input=False, include_context=False, include_url=False)
        return "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in errors[:5]
        )
    return (str(problem).splitlines() or [""])[0][:LONGEST_MESSAGE]
