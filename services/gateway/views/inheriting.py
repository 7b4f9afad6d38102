"""The rows that a forked dataset begins with: its parent's, as they stood where it was forked. The log holds each entry
once; only these rows, which are folded from it, are there twice.
"""

from typing import TYPE_CHECKING, Any

import asyncpg

from services.gateway.views.batch import Inherit
from services.gateway.views.tables import TABLES

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any]

_UNITS = tuple(name for name in TABLES["units"].columns if name != "dataset_id")
_JUDGED = ("reason", "found", "quality", "category", "kind", "verdict_pos")
_BORN = ("entry_id", "unit_id", "seed", "n", "type", "difficulty")


async def inherit(connection: "Connection", what: Inherit) -> None:
    """Copy rows. A verdict that came later is undone: the entry waits again for the one that the fork will give."""
    # However many rows there are: a fold that was cut short would begin again and never get past this event.
    await connection.execute("set local statement_timeout = 0")
    units = ", ".join(_UNITS)
    await connection.execute(
        f"""
        insert into units (dataset_id, {units})
        select $2, {units} from units where pos <= $3 and dataset_id = $1
        on conflict do nothing
        """,  # noqa: S608 - names are constants of TABLES
        what.parent,
        what.dataset,
        what.through,
    )
    # A duplicate was judged to have passed before it was compared; its first verdict named no reason.
    judged = ", ".join(
        f"case when e.verdict_pos <= $3 and (e.admitted_pos <= $3 or e.admitted_pos is null"
        f" or '{name}' not in ('reason', 'found')) then e.{name} end"
        for name in _JUDGED
    )
    await connection.execute(
        f"""
        insert into entries (dataset_id, {", ".join(_BORN)}, status, admitted_pos, {", ".join(_JUDGED)})
        select $2, {", ".join(f"e.{name}" for name in _BORN)},
            case when e.verdict_pos is null or e.verdict_pos > $3 then 'generated'
                 when e.admitted_pos > $3 then 'curated' else e.status end,
            case when e.admitted_pos <= $3 then e.admitted_pos end, {judged}
        from entries e join units u on u.unit_id = e.unit_id and u.dataset_id = $1
        where e.dataset_id = $1 and u.pos <= $3
        on conflict do nothing
        """,  # noqa: S608 - as above
        what.parent,
        what.dataset,
        what.through,
    )
