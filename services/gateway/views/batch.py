"""Row operations, and how the operations of many events become few statements. Touches no database.

Applying the merged operations gives the rows that applying each operation by itself would give, so the size of a
batch never shows in the views.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Key = tuple[Any, ...]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Put:
    """A row, unless one of that key is there. ``fresh``: the log cannot have made one before."""

    table: str
    key: Key
    values: Mapping[str, Any]
    """Of the columns that are not key."""
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """New values and increments for a row; nothing where there is no such row. No column is in both."""

    table: str
    key: Key
    sets: Mapping[str, Any] = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forget:
    """Every row that belongs to a thing that was deleted, in the tables that ``tables.BELONGINGS`` names for it."""

    what: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Inherit:
    """A dataset gets the entries, with their units, that another one had at a place in the log, as they were then."""

    dataset: UUID
    parent: UUID
    through: int


Operation = Put | Change | Forget | Inherit


@dataclass(slots=True)
class Step:
    """Puts, then changes, each row at most once among either, then what is forgotten, or inherited; in order."""

    puts: dict[str, dict[Key, Values]] = field(default_factory=dict)
    changes: dict[str, dict[Key, tuple[Values, dict[str, int]]]] = field(default_factory=dict)
    forgets: dict[str, list[UUID]] = field(default_factory=dict)
    inherits: list[Inherit] = field(default_factory=list)


def merged(operations: Iterable[Operation]) -> list[Step]:
    """The same operations in as few steps as keep their meaning: nearly always one.

    A put whose row was changed earlier in the same step begins another, because whether that change found a row is
    for the database to say. So does whatever follows a deletion, or a look at the rows as they are.
    """
    steps = [Step()]
    fresh: set[tuple[str, Key]] = set()
    for operation in operations:
        step = steps[-1]
        if isinstance(operation, Inherit):
            step.inherits.append(operation)
            continue
        if isinstance(operation, Forget) and not step.inherits:
            step.forgets.setdefault(operation.what, []).append(operation.id)
            continue
        if (
            step.forgets
            or step.inherits
            or (
                isinstance(operation, Put)
                and operation.key in step.changes.get(operation.table, {})
            )
        ):
            step = Step()
            steps.append(step)
            fresh.clear()
        if isinstance(operation, Forget):
            step.forgets.setdefault(operation.what, []).append(operation.id)
            continue
        if isinstance(operation, Put):
            rows = step.puts.setdefault(operation.table, {})
            if operation.key not in rows:
                rows[operation.key] = dict(operation.values)
                if operation.fresh:
                    fresh.add((operation.table, operation.key))
        elif (operation.table, operation.key) in fresh:
            _revise(step.puts[operation.table][operation.key], operation)
        else:
            _gather(step, operation)
    return steps


def _revise(row: Values, change: Change) -> None:
    row.update(change.sets)
    for column, increment in change.adds.items():
        row[column] += increment


def _gather(step: Step, change: Change) -> None:
    rows = step.changes.setdefault(change.table, {})
    sets, adds = rows.setdefault(change.key, ({}, {}))
    sets.update(change.sets)
    for column, increment in change.adds.items():
        adds[column] = adds.get(column, 0) + increment
