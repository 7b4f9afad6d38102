"""Refusing by name what a request asks for and Gristmill does not have; what asks for nothing passes. Pure."""

from collections.abc import Collection, Iterable, Mapping

from shared.errors import Refused


def refuse_all(
    asked: Iterable[tuple[str, object]], nothing: Mapping[str, Collection[object]]
) -> None:
    """Raise ``Refused`` for the first field whose value asks for something.

    Null, false, "" and an empty list ask for nothing; so do the values that ``nothing`` lists for the field.
    """
    for field, value in asked:
        if value is None or value is False or value in ("", [], ()):
            continue
        if not any(type(value) is type(other) and value == other for other in nothing[field]):
            raise not_available(field)


def not_available(field: str, why: str = "") -> Refused:
    message = f"{field} asks for something that is not available yet"
    return Refused("not_available", f"{message}: {why}" if why else f"{message}.", field=field)
