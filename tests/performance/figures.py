"""Figures side by side: what Gristmill took, what a yardstick took in the same run, and their ratio. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: repeated measurements of Gristmill (``ours``) beside those of the yardstick (``beside``).

    A yardstick that is a number and no measurement, such as a share of 1 or a flat memory, says so in ``than``.
    """

    what: str
    unit: str
    ours: tuple[float, ...]
    than: str
    beside: tuple[float, ...]
    better: Literal["more", "less"]
    note: str = ""

    @property
    def ratio(self) -> float:
        """Median of ours over median of the yardstick's."""
        return median(self.ours) / median(self.beside)


HEAD = ("what", "Gristmill", "beside", "", "ratio", "better", "")


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns; a note stands on a line of its own under its row."""
    rows = [HEAD[:6]] + [
        (
            f"{each.what} [{each.unit}]",
            spread(each.ours),
            each.than,
            spread(each.beside),
            number(each.ratio),
            each.better,
        )
        for each in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = []
    for row, note in zip(rows, ["", *(each.note for each in figures)], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
        lines += [f"    {note}"] if note else []
    return "\n".join(lines) + "\n"


def spread(values: Iterable[float]) -> str:
    """The median; with the least, the most and how many where there are several."""
    found = sorted(values)
    if len(found) == 1:
        return number(found[0])
    return f"{number(median(found))} ({number(found[0])}–{number(found[-1])}, n={len(found)})"


def number(value: float) -> str:
    """Three digits that count, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
