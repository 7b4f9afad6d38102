"""What a turn writes beside the log: states, work in flight, commands to be published. Decides nothing."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from contracts import SERVICES
from contracts.call import KeptAnswer
from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated
from contracts.identity import command_id
from contracts.message import wire_type
from services.ledger.processes.generation_state import GenerationState
from services.ledger.rows import Answered, Due, House, Interest, Issued, Key, Row, Work
from shared.bus import Answer, dump
from shared.store import lineage

if TYPE_CHECKING:
    from shared.store import Connection


async def missing_seeds(
    connection: "Connection", house: House, job: UUID, state: GenerationState
) -> list[int]:
    """Seeds from ``state.again`` on that a restarted job asks again, as many as may be asked in one turn."""
    if not state.left:
        return []
    kept = house.missing.get(job, [])
    place = bisect_left(kept, state.again)
    if place == len(kept):
        kept = await _seeds_without_outcome(connection, job, state.again, state.next)
        house.missing[job], place = kept, 0
    return kept[place : place + house.windows]


async def _seeds_without_outcome(
    connection: "Connection", job: UUID, first: int, stop: int
) -> list[int]:
    """The seeds of ``[first, stop)`` that generated nothing, in order; the first 20,000 of them."""
    streams = await lineage(connection, job)
    rows = await connection.fetch(
        """
        select seed from generate_series($2::int, $3::int - 1) as seed
        where seed not in (
            select (data->>'seed')::int from ledger.events e
            join unnest($1::uuid[], $5::int[]) l (stream_id, through)
                on e.stream_id = l.stream_id and (l.through is null or e.version <= l.through)
            where type = $4
        )
        order by seed limit 20000
        """,
        [stream for stream, _ in streams],
        first,
        stop,
        wire_type(EntriesGenerated),
        [through for _, through in streams],
    )
    return [row["seed"] for row in rows]


@dataclass(frozen=True, slots=True)
class Judged:
    """Stretches ``(after, through]``: of a job's stream that were curated, of its dataset's that were admitted."""

    curated: list[tuple[int, int]]
    admitted: list[tuple[int, int]]


async def judged(connection: "Connection", dataset: UUID, through: int | None = None) -> Judged:
    """What was judged up to a version of a dataset's stream."""
    streams = await lineage(connection, dataset, through)
    rows = await connection.fetch(
        """
        select type, (data->>'after')::int as after, (data->>'through')::int as through
        from ledger.events e join unnest($1::uuid[], $2::int[]) l (stream_id, upto)
            on e.stream_id = l.stream_id and (l.upto is null or e.version <= l.upto)
        where type = any($3)
        """,
        [stream for stream, _ in streams],
        [upto for _, upto in streams],
        [wire_type(EntriesCurated), wire_type(EntriesAdmitted)],
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        found.setdefault(row["type"], []).append((row["after"], row["through"]))
    return Judged(
        found.get(wire_type(EntriesCurated), []), found.get(wire_type(EntriesAdmitted), [])
    )


async def write_states(connection: "Connection", changed: Sequence[Row]) -> None:
    """The states of streams that changed."""
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
        [dump(row.state) if row.state else None for row in changed],
    )


async def write_outcomes(
    connection: "Connection", done: Collection[UUID], work: Mapping[UUID, Work]
) -> None:
    """Units that are done leave: another outcome finds no row, and is too late. The commands of documents leave with
    them, since a document is no job and never ends.
    """
    if not done:
        return
    await connection.execute("delete from ledger.work where unit_id = any($1::uuid[])", list(done))
    finished = [work[unit].command for unit in done if work[unit].service in ("ingest", "chunk")]
    if finished:
        await connection.execute(
            "delete from ledger.commands where command_id = any($1::uuid[])", finished
        )


async def give_back(connection: "Connection", back: Mapping[UUID, bool]) -> None:
    """Units that a worker did not start: held (True), or due at once."""
    if not back:
        return
    await connection.execute(
        """
        update ledger.work w
        set due_at = case when u.held then 'infinity' else clock_timestamp() end
        from unnest($1::uuid[], $2::boolean[]) as u(unit_id, held)
        where w.unit_id = u.unit_id and w.outcome is null
        """,
        list(back),
        list(back.values()),
    )


async def release(connection: "Connection", job: UUID) -> list[UUID]:
    """Units of a job that were held, due from now on."""
    rows = await connection.fetch(
        """
        update ledger.work set due_at = clock_timestamp()
        where job_id = $1 and outcome is null and due_at = 'infinity' returning unit_id
        """,
        job,
    )
    return [row["unit_id"] for row in rows]


async def in_flight(connection: "Connection") -> dict[str, int]:
    """Units of model calls that take credit, by tenant."""
    rows = await connection.fetch(
        """
        select tenant, count(*) as units from ledger.work
        where service = 'generate' and outcome is null and due_at is null group by tenant
        """
    )
    return {row["tenant"]: row["units"] for row in rows}


async def busy(connection: "Connection", job: UUID, done: Iterable[UUID]) -> int:
    """Units of a job that are neither held nor done; ``done``: what is not written yet."""
    found: int = await connection.fetchval(
        """
        select count(*) from ledger.work
        where job_id = $1 and outcome is null and due_at is distinct from 'infinity'
          and unit_id <> all($2::uuid[])
        """,
        job,
        list(done),
    )
    return found


async def write_commands(connection: "Connection", issued: Sequence[Issued]) -> list[Due]:
    """Commands with their units, to be published by the relay."""
    if not issued:
        return []
    due = [
        Due(
            {
                "command_id": command_id(each.command.units[0]),
                "attempt": 1,
                "type": wire_type(type(each.command)),
                "service": SERVICES[type(each.command)],
                "tenant": each.row.tenant,
                "trace": each.trace,
            },
            each.command,
        )
        for each in issued
    ]
    await connection.execute(
        """
        insert into ledger.commands (command_id, job_id, tenant, service, type, attempt, trace, data)
        select id, job, tenant, service, type, 1, trace, data from
            unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
            as u(id, job, tenant, service, type, trace, data)
        """,
        [each.row["command_id"] for each in due],
        [each.row.stream for each in issued],
        [each.row["tenant"] for each in due],
        [each.row["service"] for each in due],
        [each.row["type"] for each in due],
        [each.trace for each in issued],
        [dump(each.command) for each in issued],
    )
    units = [
        (unit, each.row.stream, each.row.tenant, said.row["service"], said.row["command_id"])
        for each, said in zip(issued, due, strict=True)
        for unit in each.command.units
    ]
    await connection.execute(
        """
        insert into ledger.work (unit_id, job_id, tenant, service, command_id, attempt)
        select *, 1 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[])
        """,
        *(list(column) for column in zip(*units, strict=True)),
    )
    return due


async def note_published(connection: "Connection", sent: Mapping[UUID, int]) -> None:
    """Attempts of commands that the bus has."""
    if not sent:
        return
    await connection.execute(
        """
        update ledger.commands c set published = true
        from unnest($1::uuid[], $2::int[]) as u(command_id, attempt)
        where c.command_id = u.command_id and c.attempt = u.attempt and not published
        """,
        list(sent),
        list(sent.values()),
    )


async def forget_jobs(connection: "Connection", jobs: Sequence[UUID]) -> None:
    """The work of jobs that ended: what still comes for it is late."""
    if not jobs:
        return
    await connection.execute("delete from ledger.work where job_id = any($1::uuid[])", jobs)
    await connection.execute("delete from ledger.commands where job_id = any($1::uuid[])", jobs)
    await connection.execute("delete from ledger.interests where job_id = any($1::uuid[])", jobs)


async def add_interests(connection: "Connection", interests: Sequence[Interest]) -> None:
    """Documents that jobs work on."""
    if not interests:
        return
    await connection.execute(
        """
        insert into ledger.interests (job_id, stream_id, settled)
        select * from unnest($1::uuid[], $2::uuid[], $3::boolean[])
        """,
        *(list(column) for column in zip(*interests, strict=True)),
    )


async def answered(connection: "Connection", keys: Sequence[Key]) -> dict[Key, Answered]:
    """What was answered to those of these requests that were recorded."""
    rows = await connection.fetch(
        """
        select tenant, source, request_id, hash, answer from ledger.requests
        join unnest($1::text[], $2::text[], $3::text[]) as u(tenant, source, request_id)
        using (tenant, source, request_id)
        """,
        *(list(column) for column in zip(*keys, strict=True)),
    )
    return {
        (row["tenant"], row["source"], row["request_id"]): Answered(
            row["hash"], Answer.model_validate(row["answer"]), new=False
        )
        for row in rows
    }


async def write_answers(connection: "Connection", asked: Mapping[Key, Answered]) -> None:
    """Answers to requests that were recorded in this turn, with their keys."""
    new = [
        (*key, each.hash, each.answer.model_dump(mode="json"))
        for key, each in asked.items()
        if each.new
    ]
    if not new:
        return
    await connection.execute(
        """
        insert into ledger.requests (tenant, source, request_id, hash, answer)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[])
        """,
        *(list(column) for column in zip(*new, strict=True)),
    )


async def write_journal(connection: "Connection", kept: Sequence[tuple[str, KeptAnswer]]) -> None:
    """Where answers lie, each with its tenant. The first recorded answer to a call stays the one that is found."""
    if not kept:
        return
    await connection.execute(
        """
        insert into ledger.journal (tenant, key, body_id, exchange)
        select * from unnest($1::text[], $2::bytea[], $3::uuid[], $4::int[]) on conflict do nothing
        """,
        [tenant for tenant, _ in kept],
        [bytes.fromhex(answer.key) for _, answer in kept],
        [answer.body for _, answer in kept],
        [answer.exchange for _, answer in kept],
    )
