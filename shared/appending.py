"""Writing to the log and keeping bodies, within a transaction of the caller's. Only the ledger does it.

Positions are drawn while the log's row is locked, so their order is the order of commits. Holds no rule of any job.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import zstandard

from contracts.message import Event, Recorded, wire_type
from contracts.unit import Body
from shared.errors import GristmillError
from shared.migrations import NEEDED, WrongSchema
from shared.store import LOG, Position

if TYPE_CHECKING:
    from shared.store import Connection


class Conflict(GristmillError):
    """The stream has moved on since its version was read."""

    def __init__(self, stream: UUID, expected: int, found: int) -> None:
        super().__init__(
            "version_conflict",
            f"Stream {stream} is at version {found}; {expected} was expected.",
        )


# In one statement, since each one by itself would cost a round trip while the log is locked.
_APPEND = """
    with appended as (
        insert into ledger.events
            (pos, era, stream_id, version, event_id, type, tenant, job_id, cause_id, trace, data,
             recorded_at)
        select * from unnest($1::bigint[], $2::int[], $3::uuid[], $4::int[], $5::uuid[], $6::text[],
            $7::text[], $8::uuid[], $9::uuid[], $10::text[], $11::jsonb[], $12::timestamptz[])
    ), moved as (
        update ledger.logs set head = $14 where log_id = $13 and head <> $14
    )
    insert into ledger.streams as s (stream_id, tenant, kind, version, project_id, open, state)
    select * from unnest($15::uuid[], $16::text[], $17::text[], $18::int[], $19::uuid[], $20::boolean[],
        $21::jsonb[])
    on conflict (stream_id) do update set version = excluded.version,
        project_id = coalesce(excluded.project_id, s.project_id),
        open = case when excluded.state is null then s.open else excluded.open end,
        state = coalesce(excluded.state, s.state)
"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be appended; its id is derived, so appending it twice has one effect."""

    id: UUID
    event: Event
    job_id: UUID | None = None
    cause_id: UUID | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """Events for one stream, in order. ``expected`` is the version it must have; None: any."""

    stream: UUID
    kind: str
    tenant: str
    events: tuple[NewEvent, ...]
    expected: int | None = None
    base: tuple[UUID, int] | None = None
    """The stream, and its version, that a stream without events goes on from."""


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What is kept with a stream beside its version. ``state`` is JSON; None: what is kept already stays."""

    stream: UUID
    tenant: str
    kind: str
    project_id: UUID | None = None
    open: bool = False
    state: bytes | None = None


class Appending:
    """What one transaction appends: begun under the log's lock, written by ``flush`` in one go.

    Events that the log holds already (by id) are skipped, so doing a step again has one effect.
    """

    def __init__(self, connection: "Connection", head: Position, now: datetime) -> None:
        self._connection = connection
        self._head = head
        self._now = now
        self._versions: dict[UUID, int] = {}
        self._streams: dict[UUID, tuple[str, str]] = {}
        self._bases: dict[UUID, tuple[UUID, int]] = {}
        self._known: set[UUID] = set()
        self.recorded: list[Recorded[Event]] = []
        self.lines: list[bytes] = []
        """Their JSON, of as many as are flushed."""

    @classmethod
    async def begin(cls, connection: "Connection") -> "Appending":
        """Take the log's lock until the transaction ends. (The ledger takes it with its leadership.)"""
        row = await connection.fetchrow(
            "select era, head, clock_timestamp() as now from ledger.logs where log_id = $1 for update",
            LOG,
        )
        if row is None:
            raise WrongSchema(None, NEEDED)
        return cls(connection, Position(row["era"], row["head"]), row["now"])

    @property
    def now(self) -> datetime:
        """The database's clock when the lock was taken."""
        return self._now

    @property
    def position(self) -> Position:
        """Of the newest event, those not yet flushed included."""
        return Position(self._head.era, self._head.n + len(self.recorded))

    async def load(self, streams: Collection[UUID], events: Collection[UUID]) -> None:
        """Learn the versions of streams and which of these events the log holds. Must precede ``add``."""
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            self._versions |= dict.fromkeys(unknown, 0)
            rows = await self._connection.fetch(
                "select stream_id, version from ledger.streams where stream_id = any($1::uuid[])",
                unknown,
            )
            self._versions |= {row["stream_id"]: row["version"] for row in rows}
        if events:
            rows = await self._connection.fetch(
                "select event_id from ledger.events where event_id = any($1::uuid[])", list(events)
            )
            self._known |= {row["event_id"] for row in rows}

    def learn(self, versions: Mapping[UUID, int]) -> None:
        """Versions of streams that the caller has read under the log's lock; one that is known already stays."""
        self._versions = {**versions, **self._versions}

    def continues(self, stream: UUID, kind: str, tenant: str, base: tuple[UUID, int]) -> None:
        """A stream that has no event yet goes on from another one as that was at a version."""
        self._versions[stream] = base[1]
        self._streams[stream] = (tenant, kind)
        self._bases[stream] = base

    def knows(self, event: UUID) -> bool:
        """Whether the log holds an event whose id was loaded."""
        return event in self._known

    def version(self, stream: UUID) -> int:
        return self._versions[stream]

    def add(self, stream: UUID, kind: str, tenant: str, new: NewEvent) -> Recorded[Event] | None:
        """Give an event its place; None when the log holds it already."""
        if new.id in self._known:
            return None
        self._known.add(new.id)
        self._versions[stream] += 1
        self._streams[stream] = (tenant, kind)
        recorded = Recorded[Event].model_construct(
            event=new.event,
            id=new.id,
            stream=stream,
            version=self._versions[stream],
            position=str(Position(self._head.era, self._head.n + len(self.recorded) + 1)),
            tenant=tenant,
            job_id=new.job_id,
            cause_id=new.cause_id,
            traceparent=new.trace,
            recorded_at=self._now,
        )
        self.recorded.append(recorded)
        return recorded

    async def flush(self, changed: Iterable[StreamRow] = ()) -> None:
        """Write what was added and is not written yet: events, the log's head, streams with their versions and what
        ``changed`` of them.
        """
        await self._write_bases()
        rows = {stream: StreamRow(stream, *named) for stream, named in self._streams.items()}
        rows |= {row.stream: row for row in changed}
        if not rows:
            return
        new = self.recorded[len(self.lines) :]
        lines = [each.event.model_dump_json().encode() for each in new]
        self.lines += lines
        places = [Position.parse(each.position) for each in new]
        await self._connection.execute(
            _APPEND,
            [place.n for place in places],
            [place.era for place in places],
            [each.stream for each in new],
            [each.version for each in new],
            [each.id for each in new],
            [wire_type(type(each.event)) for each in new],
            [each.tenant for each in new],
            [each.job_id for each in new],
            [each.cause_id for each in new],
            [each.traceparent for each in new],
            lines,
            [each.recorded_at for each in new],
            LOG,
            self.position.n,
            list(rows),
            [row.tenant for row in rows.values()],
            [row.kind for row in rows.values()],
            [self._versions[stream] for stream in rows],
            [row.project_id for row in rows.values()],
            [row.open for row in rows.values()],
            [row.state for row in rows.values()],
        )

    async def _write_bases(self) -> None:
        if not self._bases:
            return
        await self._connection.execute(
            """
            insert into ledger.lineage (stream_id, base_id, base_version)
            select * from unnest($1::uuid[], $2::uuid[], $3::int[]) on conflict do nothing
            """,
            list(self._bases),
            [base for base, _ in self._bases.values()],
            [version for _, version in self._bases.values()],
        )
        self._bases.clear()


async def append(connection: "Connection", appends: Sequence[Append]) -> list[Recorded[Event]]:
    """Append in the caller's transaction. Raise ``Conflict`` where a stream is not at the version expected."""
    appending = await Appending.begin(connection)
    await appending.load(
        [each.stream for each in appends], [new.id for each in appends for new in each.events]
    )
    for each in appends:
        found = appending.version(each.stream)
        if each.expected is not None and found != each.expected:
            raise Conflict(each.stream, each.expected, found)
        if each.base is not None and not found:
            appending.continues(each.stream, each.kind, each.tenant, each.base)
        for new in each.events:
            appending.add(each.stream, each.kind, each.tenant, new)
    await appending.flush()
    return appending.recorded


async def insert_bodies(connection: "Connection", bodies: Iterable[Body]) -> None:
    """Keep bodies, compressed; one that is kept already stays as it is."""
    found = list(bodies)
    if not found:
        return
    compress = zstandard.ZstdCompressor(level=3).compress
    sources = {(document, body.body_id) for body in found for document in body.documents}
    await connection.execute(
        """
        with kept as (
            insert into ledger.bodies (body_id, kind, data)
            select * from unnest($1::uuid[], $2::text[], $3::bytea[]) on conflict do nothing
        )
        insert into ledger.body_sources (document_id, body_id)
        select * from unnest($4::uuid[], $5::uuid[]) on conflict do nothing
        """,
        [body.body_id for body in found],
        [body.kind for body in found],
        [compress(body.text.encode()) for body in found],
        [document for document, _ in sources],
        [body for _, body in sources],
    )
