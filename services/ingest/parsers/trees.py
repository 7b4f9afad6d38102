"""Nested data (mappings, lists, scalars) as readable Markdown: keys become headings and lines, a record one block.

Knows nothing of the syntax that the data came in. Pure.
"""

from collections.abc import Iterator, Sequence

Value = dict[str, "Value"] | list["Value"] | str | bool | None

_DEEPEST_HEADING = 6
_INLINE = 100
"""Characters of a list of short values that still stands on one line."""
_NAMES = ("title", "name", "headline", "subject", "label")


def write(value: Value) -> str:
    """The whole as Markdown; blocks are parted by empty lines. A scalar is itself."""
    return "\n\n".join(block for block in _blocks(value, "", 1) if block.strip()) + "\n"


def name_of(value: Value) -> str:
    """What a mapping calls itself; empty: nothing."""
    if not isinstance(value, dict):
        return ""
    for name in _NAMES:
        found = value.get(name)
        if isinstance(found, str) and 0 < len(found.strip()) <= 200 and "\n" not in found.strip():
            return found.strip()
    return ""


def _blocks(value: Value, name: str, level: int) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _mapping(value, name, level)
    elif not isinstance(value, list):
        yield _line(name, value)
    elif all(is_scalar(each) for each in value):
        yield _list(name, value)
    else:
        if name:
            yield _heading(name, level)
        for each in value:
            if _is_record(each):
                yield "\n".join(_record(each, ""))
            else:
                yield from _blocks(each, "", level + bool(name))


def _mapping(value: dict[str, Value], name: str, level: int) -> Iterator[str]:
    if name:
        yield _heading(name, level)
        level += 1
    lines: list[str] = []
    for key, each in value.items():
        if is_scalar(each) and not _is_long(each):
            lines.append(_line(key, each))
            continue
        if isinstance(each, list) and all(is_scalar(one) for one in each):
            lines.append(_list(key, each))
            continue
        if lines:
            yield "\n".join(lines)
            lines = []
        yield from _blocks(each, key, level)
    if lines:
        yield "\n".join(lines)


def _record(value: Value, prefix: str) -> Iterator[str]:
    """Lines of one record; what is nested in it is named by its path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _record(each, f"{prefix}.{key}" if prefix else key)
    elif not isinstance(value, list):
        yield _line(prefix, value)
    elif all(is_scalar(each) for each in value):
        yield _list(prefix, value)
    else:
        for n, each in enumerate(value, 1):
            yield from _record(each, f"{prefix} {n}".strip())


def _is_record(value: Value) -> bool:
    """Whether it fits in one block: no text of several paragraphs in it."""
    if isinstance(value, dict):
        return all(_is_record(each) for each in value.values())
    if isinstance(value, list):
        return all(_is_record(each) for each in value)
    return not _is_long(value)


def is_scalar(value: Value) -> bool:
    return not isinstance(value, dict | list)


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and "\n" in value.strip()


def _heading(name: str, level: int) -> str:
    return "#" * min(level, _DEEPEST_HEADING) + " " + " ".join(name.split())


def _line(name: str, value: Value) -> str:
    text = _text(value)
    name = " ".join(name.split())
    if not name:
        return text
    return f"{name}:\n\n{text}" if "\n" in text else f"{name}: {text}".rstrip()


def _list(name: str, values: Sequence[Value]) -> str:
    texts = [" ".join(_text(value).split()) for value in values]
    inline = ", ".join(texts)
    name = " ".join(name.split())
    if name and len(inline) <= _INLINE:
        return f"{name}: {inline}".rstrip()
    items = "\n".join(f"- {text}" for text in texts)
    return f"{name}:\n{items}" if name else items


def _text(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()
