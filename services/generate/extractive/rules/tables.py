"""What a table says: a measure of a row, how many of something it has, when it was opened. Any other header is left alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.generate.extractive import nouns, verbs, words
from services.generate.extractive.blocks import Block, Line
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clean import flat
from services.generate.extractive.page import Page
from services.generate.extractive.scene import Scene

_UNIT_HEADER = re.compile(
    r"^(?P<name>[^()\[\]]+?)\s*(?:[(\[](?:in )?(?P<unit>[^()\[\]]{1,25})[)\]]|, (?:in )?(?P<unit2>[a-zµ°%²³/]{1,12}))?$"
)
_VALUE = re.compile(
    r"^(?:about |approx\.? |c\. ?|~|≈)?[$€£]?-?\d[\d,. \u202f]*(?:\s?(?:[–-]|to)\s?\d[\d,.]*)?(?:\s?(?:million|billion|thousand))?(?:\s?(?:%|°C|°F|[a-zA-Zµ²³/]{1,12}))?$"
)
_COUNT = re.compile(r"^\d{1,6}$|^\d{1,3}(?:,\d{3})+$")
_YEAR = re.compile(r"^(?:1\d{3}|20\d{2})$")
_LABEL = re.compile(r"^[A-Z][\w'’.-]*(?: [\w'’.&-]+){0,4}$")
_TYPED = frozenset(
    """lock bridge dam tower station line tunnel ship model engine road route building canal port airport school museum
    reservoir reactor plant telescope satellite rocket valley glacier park beach gate pump valve chamber boat class type series
    edition version format protocol algorithm method sensor motor battery cable pipe tank machine camera lens printer processor
    aircraft locomotive train vessel ferry harbour harbor lighthouse mine mill furnace unit course module""".split()
)
"""Kinds that are said with a row's label ("the Gatun lock"); rows of other tables are named by their label alone."""
_COMMON_KINDS = frozenset(
    "element animal metal material substance compound gas mineral rock fruit plant food surface".split()
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its label in a sentence, its cells, and the raw spans of header and row."""

    label: str
    plural: bool
    cells: tuple[str, ...]
    line: Line


def candidates(page: Page) -> Iterator[Candidate]:
    """Candidates of every table: rows in order, each with the columns that can be asked about."""
    for block in page.blocks:
        if block.kind == "table" and len(block.rows) >= 2:
            yield from _table(block, page)


def cells(line: str) -> list[str]:
    """The clean cells of one table row."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [flat(cell).strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _table(block: Block, page: Page) -> Iterator[Candidate]:
    header = cells(block.rows[0].text)
    if len(header) < 2 or not _is_header(header):
        return
    for line in block.rows[1:]:
        row = _row(header[0], line, page.scene, len(header))
        if row is None:
            continue
        for column in range(1, len(header)):
            made = _cell(header[column], row.cells[column], row)
            if made is not None:
                yield _candidate(made, header, column, row, block)


def _is_header(header: list[str]) -> bool:
    return all(cell and len(cell.split()) <= 5 for cell in header[1:]) and not any(
        _VALUE.match(cell) for cell in header
    )


def _row(kind: str, line: Line, scene: Scene, width: int) -> _Row | None:
    values = cells(line.text)
    if len(values) != width or not _LABEL.match(values[0]) or len(values[0]) < 2:
        return None
    noun = _kind_noun(kind)
    if noun is None:
        return None
    label = values[0]
    low = label.lower().split()
    if low[0] in ("total", "average", "other", "others", "sum", "mean", "all", "none", "unknown"):
        return None
    if noun.split()[-1] not in _TYPED:
        common = noun in _COMMON_KINDS or (
            label.split()[0].lower() in scene.lower and label[1:] == label[1:].lower()
        )
        named = words.lower_first(label) if common else label
        return _Row(
            named, nouns.is_plural(label.split()[-1]) and noun in _COMMON_KINDS, tuple(values), line
        )
    if low[0] == "the":
        label = label.split(" ", 1)[1]
    known = " ".join(low) in scene.text or (len(low) > 1 and label[1:] == label[1:].lower())
    label = " ".join(low) if known else label
    if nouns.singular(low[-1]) == noun or (known and len(low) > 1):
        return _Row(f"the {label}", nouns.is_plural(low[-1]), tuple(values), line)
    return _Row(f"the {label} {noun}", False, tuple(values), line)


def _kind_noun(kind: str) -> str | None:
    parts = kind.lower().split()
    if not 1 <= len(parts) <= 2 or not all(part.isalpha() for part in parts):
        return None
    noun = " ".join([*parts[:-1], nouns.singular(parts[-1])])
    if parts[-1] in (
        "year",
        "date",
        "rank",
        "no",
        "number",
        "id",
        "month",
        "day",
        "key",
        "option",
        "field",
        "parameter",
        "time",
    ):
        return None
    return "name" if noun in ("", "item") else noun


def _cell(head: str, value: str, row: _Row) -> tuple[str, str, str] | None:
    """(question, answer, short answer) of one cell."""
    match = _UNIT_HEADER.match(head)
    if match is None or not value or value in "-–—?" or value.lower() in ("n/a", "none", "unknown"):
        return None
    name, unit = match["name"].strip().lower(), (match["unit"] or match["unit2"] or "").strip()
    be, do = ("are", "do") if row.plural else ("is", "does")
    if name in nouns.MEASURES or name in nouns.MEASURE_PHRASES:
        return _measure(name, unit, value, row)
    if name in nouns.ATTRIBUTES and _LABEL.match(value) and not row.plural:
        return (
            f"What is the {name} of {row.label}?",
            f"The {name} of {row.label} is {value}.",
            value,
        )
    if (
        not unit
        and name.isalpha()
        and nouns.is_plural(name)
        and name not in ("years", "notes", "results")
        and _COUNT.match(value)
    ):
        what = nouns.singular(name) if value == "1" else name
        have = "have" if row.plural else "has"
        return (
            f"How many {name} {do} {row.label} have?",
            f"{words.capitalise(row.label)} {have} {value} {what}.",
            value,
        )
    if verbs.is_participle(name) and name in _DEEDS and _YEAR.match(value):
        be = "were" if row.plural else "was"
        return (
            f"When {be} {row.label} {name}?",
            f"{words.capitalise(row.label)} {be} {name} in {value}.",
            value,
        )
    return None


_DEEDS = frozenset(
    """opened built completed founded established introduced released launched discovered invented published created
    constructed designed formed dissolved closed commissioned renovated""".split()
)


def _measure(name: str, unit: str, value: str, row: _Row) -> tuple[str, str, str] | None:
    if not _VALUE.match(value):
        return None
    has_unit = not re.fullmatch(r"[\d,.–\- \u202f~≈]+", value)
    if (
        not unit
        and not has_unit
        and name not in ("population", "atomic number", "albedo", "viscosity", "age", "membership")
    ):
        return None
    glue = "" if unit in ("%", "°") else " "
    full = (
        value
        if has_unit or not unit
        else f"{unit}{value}"
        if unit in ("$", "€", "£")
        else f"{value}{glue}{unit}"
    )
    return f"What is the {name} of {row.label}?", f"The {name} of {row.label} is {full}.", full


def _candidate(
    made: tuple[str, str, str], header: list[str], column: int, row: _Row, block: Block
) -> Candidate:
    asked, answer, short = made
    first = block.rows[0]
    return Candidate(
        rule="table",
        kind="fact",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=(_trimmed(first), _trimmed(row.line)),
        key=f"table:{words.normal(asked)}",
        weight=2.2,
        subject=row.label,
        short=short,
        material={
            "row": f"{header[0]}: {row.cells[0]}; {header[column]}: {row.cells[column]}",
            "column": header[column],
        },
    )


def _trimmed(line: Line) -> tuple[int, int]:
    left = len(line.text) - len(line.text.lstrip())
    return line.start + left, line.start + len(line.text.rstrip())
