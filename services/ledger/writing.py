"""What a turn writes beside the log: states, work in flight, commands to be published. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from contracts import SERVICES
from contracts.identity import command_id
from contracts.message import Command, wire_type
from services.ledger.rows import Row, Work

if TYPE_CHECKING:
    from shared.store import Connection


async def write_states(connection: "Connection", rows: Iterable[Row]) -> None:
    """The states of streams that changed."""
    changed = [row for row in rows if row.changed]
    if not changed:
        return
    await connection.execute(
        """
        insert into ledger.streams (stream_id, tenant, kind, project_id, version, open, state)
        select s, t, k, p, 0, o, d from
            unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::boolean[], $6::jsonb[])
            as u(s, t, k, p, o, d)
        on conflict (stream_id) do update
        set project_id = excluded.project_id, open = excluded.open, state = excluded.state
        """,
        [row.stream for row in changed],
        [row.tenant for row in changed],
        [row.kind for row in changed],
        [row.project_id for row in changed],
        [row.open for row in changed],
        [row.state.model_dump(mode="json") if row.state else None for row in changed],
    )


async def write_outcomes(
    connection: "Connection", done: Mapping[UUID, UUID], work: Mapping[UUID, Work]
) -> None:
    """Mark units as done. Those of documents leave at once: a document is no job and never ends."""
    if not done:
        return
    await connection.execute(
        """
        update ledger.work set outcome = u.outcome
        from unnest($1::uuid[], $2::uuid[]) as u(unit_id, outcome)
        where work.unit_id = u.unit_id and work.outcome is null
        """,
        list(done),
        list(done.values()),
    )
    finished = [work[unit] for unit in done if work[unit].service in ("ingest", "chunk")]
    if not finished:
        return
    await connection.execute(
        "delete from ledger.work where unit_id = any($1::uuid[])", [each.unit for each in finished]
    )
    await connection.execute(
        "delete from ledger.commands where command_id = any($1::uuid[])",
        [each.command for each in finished],
    )


async def write_commands(connection: "Connection", issued: Sequence[tuple[Row, Command]]) -> None:
    """Commands with their units, to be published by the relay."""
    if not issued:
        return
    ids = [command_id(command.units[0]) for _, command in issued]
    services = [SERVICES[type(command)] for _, command in issued]
    await connection.execute(
        """
        insert into ledger.commands (command_id, job_id, tenant, service, type, attempt, data)
        select id, job, tenant, service, type, 1, data from
            unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
            as u(id, job, tenant, service, type, data)
        """,
        ids,
        [row.stream for row, _ in issued],
        [row.tenant for row, _ in issued],
        services,
        [wire_type(type(command)) for _, command in issued],
        [command.model_dump(mode="json") for _, command in issued],
    )
    units = [
        (unit, row.stream, row.tenant, service, id)
        for (row, command), id, service in zip(issued, ids, services, strict=True)
        for unit in command.units
    ]
    await connection.execute(
        """
        insert into ledger.work (unit_id, job_id, tenant, service, command_id, attempt)
        select *, 1 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[])
        """,
        *(list(column) for column in zip(*units, strict=True)),
    )


async def forget_jobs(connection: "Connection", jobs: Sequence[UUID]) -> None:
    """The work of jobs that ended: what still comes for it is late."""
    if not jobs:
        return
    await connection.execute("delete from ledger.work where job_id = any($1::uuid[])", jobs)
    await connection.execute("delete from ledger.commands where job_id = any($1::uuid[])", jobs)
    await connection.execute("delete from ledger.interests where job_id = any($1::uuid[])", jobs)
