"""What part of a file a client asks for, and whether it has it already (RFC 9110, 13 and 14). Pure."""

import re

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(ValueError):
    """The file has no such part."""


def wanted(said: str | None, size: int, condition: str | None, tag: str) -> tuple[int, int] | None:
    """The half-open part ``(start, end)`` of ``size`` bytes, or None for all of it. Raise ``Unsatisfiable``.

    Args:
        said: the header ``Range``; one that is not understood, or that names several parts, is passed over.
        size: of the whole file.
        condition: the header ``If-Range``; where it is not ``tag``, the client holds part of another file.
        tag: the file's entity tag, with its quotes.
    """
    found = _ONE.fullmatch(said.replace(" ", "")) if said else None
    if found is None or (condition is not None and condition != tag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        if not length:
            raise Unsatisfiable
        return size - length, size
    start, end = int(first), int(last) + 1 if last else size
    if last and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, min(end, size)


def is_known(said: str | None, tag: str) -> bool:
    """Whether the client has the file already, by its header ``If-None-Match`` (RFC 9110, 13.1.2; weakly compared)."""
    known = [each.strip().removeprefix("W/") for each in (said or "").split(",")]
    return tag in known or known == ["*"]
