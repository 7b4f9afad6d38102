"""Finds formats by name among the entry points of the group ``gristmill.formats``, built-in or a stranger's.

Only the format that is asked for is imported, so that a broken one harms nobody else.
"""

from importlib.metadata import EntryPoint, entry_points

from services.export.formats.protocol import Format
from shared.errors import GristmillError, Refused

GROUP = "gristmill.formats"


def names() -> list[str]:
    """The names of all formats that are installed."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def find(name: str) -> Format:
    """The format of that name.

    Raises ``Refused`` (``format_unknown``) where none has it, ``GristmillError`` where the one that has it cannot be
    used (``format_broken``) or two packages claim it (``format_ambiguous``).
    """
    points = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if not points:
        raise Refused(
            "format_unknown",
            f"There is no format {name!r}. Known formats: {', '.join(names())}.",
            field="format",
        )
    if len(points) > 1:
        raise GristmillError(
            "format_ambiguous", f"Format {name!r} is claimed by {' and '.join(sorted(points))}."
        )
    return _load(*points.values())


def load() -> dict[str, Format]:
    """Every format by name; one that cannot be used raises ``GristmillError``."""
    return {name: find(name) for name in names()}


def _load(point: EntryPoint) -> Format:
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise GristmillError(
            "format_broken", f"Format {point.name!r} ({point.value}) cannot be imported: {error}."
        ) from error
    if not isinstance(found, Format) or found.name != point.name:
        raise GristmillError(
            "format_broken",
            f"Format {point.name!r} ({point.value}) is not what it must be: "
            "an object with name, extension, media, refuses and write, named as its entry point.",
        )
    return found
