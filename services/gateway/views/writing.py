"""How row operations reach Postgres: few statements a batch, in the transaction that moves the checkpoint."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import orjson

from contracts.call import CallSettled
from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated
from contracts.message import Event, wire_type
from contracts.unit import UnitFailed
from services.gateway.views.batch import Key, Step, Values
from services.gateway.views.inheriting import inherit
from services.gateway.views.tables import BELONGINGS, TABLES
from services.gateway.views.versions import WrongViews
from shared.errors import GristmillError
from shared.store import Position

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]


MANY: dict[type[Event], str] = {
    EntriesGenerated: "generated",
    EntriesCurated: "curated",
    EntriesAdmitted: "admitted",
    UnitFailed: "failed",
    CallSettled: "call",
}
"""What ``many.sql`` folds, as it is called there."""
_KINDS = ", ".join(f"{name} => ${n}" for n, name in enumerate(MANY.values(), 3))
_FOLD_MANY = f"select fold_many($1, $2, {_KINDS})"


class Overtaken(GristmillError):
    """Another gateway has moved the checkpoint; this one no longer leads."""

    def __init__(self) -> None:
        super().__init__("overtaken", "Another gateway folds the log.")


async def checkpoint(connection: "Connection") -> Position:
    """How far the log is folded."""
    row = await connection.fetchrow("select era, pos from checkpoint")
    if row is None:
        raise WrongViews
    return Position(row["era"], row["pos"])


async def apply(connection: "Connection", steps: Iterable[Step]) -> None:
    """Write rows in a transaction of the caller's."""
    for step in steps:
        for table in TABLES:
            if rows := step.puts.get(table):
                await _insert(connection, table, rows)
            if changes := step.changes.get(table):
                await _update(connection, table, changes)
        for what, ids in step.forgets.items():
            await _forget(connection, what, ids)
        for each in step.inherits:
            await inherit(connection, each)


async def apply_many(connection: "Connection", after: int, through: int) -> None:
    """Fold what jobs have many of, where it lies, in a transaction of the caller's."""
    await connection.execute(_FOLD_MANY, after, through, *map(wire_type, MANY))


async def begin_again(connection: "Connection", before: Position, era: int) -> Position:
    """Empty the views, because the log was restored to an older point and counts a new era."""
    after = Position(era, 0)
    async with connection.transaction():
        await advance(connection, before, after)
        await connection.execute(f"truncate {', '.join(TABLES)}")
        await connection.execute("update made set built_at = null")
    return after


async def advance(connection: "Connection", before: Position, after: Position) -> None:
    """Move the checkpoint in a transaction of the caller's. Raise ``Overtaken`` unless it was ``before``."""
    done = await connection.execute(
        "update checkpoint set era = $3, pos = $4 where era = $1 and pos = $2",
        before.era,
        before.n,
        after.era,
        after.n,
    )
    if done != "UPDATE 1":
        raise Overtaken


async def _insert(connection: "Connection", table: str, rows: dict[Key, Values]) -> None:
    """Rows by ``unnest``; one that is there already stays. Missing columns are null."""
    shape = TABLES[table]
    named = {column for values in rows.values() for column in values}
    columns = [*shape.key, *(column for column in shape.columns if column in named)]
    others = columns[len(shape.key) :]
    found = [(*key, *(values.get(name) for name in others)) for key, values in rows.items()]
    await connection.execute(
        f"insert into {table} ({', '.join(columns)})"  # noqa: S608 - names are constants of TABLES
        f" select {', '.join(_value(table, name) for name in columns)}"
        f" from {_unnest(table, columns)} on conflict do nothing",
        *_arrays(table, columns, found),
    )


async def _update(
    connection: "Connection", table: str, changes: dict[Key, tuple[Values, dict[str, int]]]
) -> None:
    """Changes by ``unnest``, one statement for each set of columns that changes."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Any, ...]]] = {}
    for key, (sets, adds) in changes.items():
        shape = (tuple(sorted(sets)), tuple(sorted(adds)))
        row = (*key, *(sets[name] for name in shape[0]), *(adds[name] for name in shape[1]))
        groups.setdefault(shape, []).append(row)
    keys = TABLES[table].key
    for (set_names, add_names), rows in groups.items():
        columns = (*keys, *set_names, *add_names)
        assignments = [f"{name} = {_value(table, name)}" for name in set_names]
        assignments += [f"{name} = t.{name} + u.{name}" for name in add_names]
        matches = " and ".join(f"t.{name} = u.{name}" for name in keys)
        await connection.execute(
            f"update {table} t set {', '.join(assignments)}"  # noqa: S608 - names are constants of TABLES
            f" from {_unnest(table, columns)} where {matches}",
            *_arrays(table, columns, rows),
        )


async def _forget(connection: "Connection", what: str, ids: Sequence[UUID]) -> None:
    # However many rows there are: a fold that was cut short would begin again and never get past this event.
    await connection.execute("set local statement_timeout = 0")
    for each in BELONGINGS[what]:
        named = f"{each.column} = any($1::uuid[])"
        if each.through is not None:
            named = (
                f"{each.column} in (select {each.column} from {each.through}"  # noqa: S608 - names are constants of BELONGINGS
                f" where {each.by} = any($1::uuid[]))"
            )
        await connection.execute(f"delete from {each.table} where {named}", ids)  # noqa: S608 - as above


def _arrays(table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """One array for each column. JSON goes as text: a list inside an array would be taken for a second dimension."""
    types = TABLES[table].columns
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        if types[name] == "jsonb":
            yield [None if value is None else orjson.dumps(value).decode() for value in values]
        else:
            yield values


def _unnest(table: str, columns: Iterable[str]) -> str:
    types = {name: kind.replace("jsonb", "text") for name, kind in TABLES[table].columns.items()}
    arrays = ", ".join(f"${n}::{types[name]}[]" for n, name in enumerate(columns, 1))
    return f"unnest({arrays}) as u ({', '.join(columns)})"


def _value(table: str, column: str) -> str:
    return f"u.{column}::jsonb" if TABLES[table].columns[column] == "jsonb" else f"u.{column}"
