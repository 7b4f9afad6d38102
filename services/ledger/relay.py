"""Publishes what was committed: commands to workers, recorded events to everybody. Decides nothing.

What this leader has just committed is published from memory; what an earlier one left, or what is too much to keep, is
read from the database, which alone says what is owed. Publishing again is harmless: commands carry their attempt,
events their id, and both have one effect; so what was published is noted a few times a second and not each time. All
the same a leader that may have been succeeded says nothing, and what it notes counts in its own epoch only: the one
after it may have had reason to publish again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import nats.js.errors
from nats.aio.client import Client

from contracts.message import Event, Recorded, event_subject, wire_type
from services.ledger import audit, suspects
from services.ledger.announcing import Stream
from services.ledger.leadership import Lease
from services.ledger.rows import Due, House
from services.ledger.turn import Turn
from shared.blobs import Blobs
from shared.bus import JOB, POSITION, Envelope, claim_check, dump
from shared.cancellation import heed_cancellation
from shared.clock import monotonic
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.store import Position, recorded_from
from shared.telemetry.traces import HEADER

if TYPE_CHECKING:
    from shared.store import Pool

    Said = tuple[Recorded[Event], bytes]

log = logging.getLogger(__name__)
T = TypeVar("T")

BATCH = 256
MOST_KEPT = 4096
"""Of each kind in memory; what is beyond is read from the database."""
LOOK = 0.5
"""Seconds between two looks for what is owed and is not in memory."""
NOTE = 0.25
"""Seconds after which what was published is noted."""
FULL = 0.2
"""Seconds between two tries to publish to a queue that is full."""


class Relay:
    """What is owed to the bus under one leadership."""

    def __init__(
        self, pool: "Pool", client: Client, blobs: Blobs, house: House, lease: Lease
    ) -> None:
        self._commands = _Commands(pool, client, blobs, house, lease)
        self._events = _Events(pool, client, blobs, lease)

    async def command(self) -> None:
        """Publish commands until cancelled."""
        await _keep(self._commands.publish, self._commands.due)

    async def announce(self) -> None:
        """Publish events until cancelled."""
        await _keep(self._events.publish, self._events.due)

    def doubt(self) -> None:
        """Somebody may have emptied the bus: look before more is announced."""
        self._events.doubt = True
        self._events.due.set()

    def committed(self, turn: Turn) -> None:
        """A turn of this leader was committed."""
        self._commands.owe(turn.issued)
        self._events.owe(list(zip(turn.log.recorded, turn.log.lines, strict=True)))


async def _keep(publish: Callable[[], Awaitable[bool]], due: asyncio.Event) -> None:
    """Publish after each commit, and look now and then for what a lost wake-up left."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NOTE):
                await due.wait()
        due.clear()
        try:
            while await publish():
                heed_cancellation()
        except Unavailable as away:
            # Large bodies travel through the blobs. Recording goes on without them.
            log.warning("publishing waits: %s", away.message)
            await asyncio.sleep(away.retry_after)
        except nats.js.errors.ServiceUnavailableError as full:
            # A queue takes no more. It empties without this ledger's doing, which goes on recording.
            log.warning("publishing waits: %s", full)
            await asyncio.sleep(FULL)
        heed_cancellation()


class _Commands:
    def __init__(
        self, pool: "Pool", client: Client, blobs: Blobs, house: House, lease: Lease
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._client = client
        self._blobs = blobs
        self._kept: deque[Due] = deque()
        self._house = house
        self._looked = self._noted = float("-inf")
        self.due = asyncio.Event()

    def owe(self, issued: Sequence[Due]) -> None:
        if len(self._kept) + len(issued) <= MOST_KEPT:
            self._kept.extend(issued)
        else:
            self._looked = float("-inf")
        self.due.set()

    async def publish(self) -> bool:
        """Publish some; whether there may be more right now."""
        if self._kept:
            # What cannot be published now is not lost: the database owes it until it is noted.
            await self._send(_taken(self._kept, BATCH))
            return True
        if monotonic() - self._looked >= LOOK:
            return await self._look()
        if monotonic() - self._noted >= NOTE:
            await self.note()
        return False

    async def note(self) -> None:
        """Have the database know what the bus has."""
        self._noted, sent = monotonic(), dict(self._house.sent)
        if sent:
            await self._pool.execute(
                """
                update ledger.commands c set published = true
                from unnest($1::uuid[], $2::int[]) as u(command_id, attempt), ledger.leader l
                where c.command_id = u.command_id and c.attempt = u.attempt
                  and l.epoch = $3 and l.expires_at >= clock_timestamp()
                """,
                list(sent),
                list(sent.values()),
                self._lease.epoch,
            )
            failpoint("relay.commands_marked")
            for command, attempt in sent.items():
                if self._house.sent.get(command) == attempt:
                    del self._house.sent[command]

    async def _look(self) -> bool:
        """Publish what the database owes: commands of an earlier leader, and those issued again."""
        await self.note()
        rows = await self._pool.fetch(
            "select * from ledger.commands where not published order by seq limit $1", BATCH
        )
        again = [row["command_id"] for row in rows if row["attempt"] > 1]
        crashes = await suspects.crashed(self._pool, again) if again else {}
        await self._send(
            [
                Due(row, command, crashed)
                for row in rows
                for command, crashed in suspects.parts(row, crashes)
            ]
        )
        await self.note()
        if len(rows) < BATCH:
            self._looked = monotonic()
        return bool(rows)

    async def _send(self, owed: Sequence[Due]) -> None:
        if not owed:
            return
        failpoint("relay.commands_read")
        self._lease.check()
        problems = await asyncio.gather(
            *(self._send_one(each) for each in owed), return_exceptions=True
        )
        failpoint("relay.commands_published")
        refused = {each.row["command_id"] for each, why in zip(owed, problems, strict=True) if why}
        taken = (each.row for each in owed if each.row["command_id"] not in refused)
        self._house.sent |= {row["command_id"]: row["attempt"] for row in taken}
        for problem in problems:
            if problem is not None:
                # The database owes it, and those that were not noted yet.
                self._looked = float("-inf")
                await self.note()
                raise problem

    async def _send_one(self, due: Due) -> None:
        envelope = await suspects.envelope(self._blobs, due.row, due.command, due.crashes)
        # Each with a word of its own: this stream refuses what it has no room for.
        await self._client.jetstream().publish(
            envelope.subject, envelope.body, timeout=5, headers=envelope.all_headers()
        )


async def spare(turn: Turn) -> None:
    """Leave out of what is to be published the units that are done.

    A ledger that died after publishing and before noting it leaves commands that were done since. The bus knows their
    ids for some minutes, and only until it is started again; then they would be done, and paid, once more.
    """
    await turn.connection.execute(
        """
        with open as (
            select c.command_id, array_agg(w.unit_id) filter (
                where w.unit_id is not null and w.outcome is null
                  and (c.units is null or w.unit_id = any(c.units))
            ) as units
            from ledger.commands c left join ledger.work w using (command_id)
            where not c.published group by c.command_id
        )
        update ledger.commands c set units = open.units, published = open.units is null
        from open where c.command_id = open.command_id and (
            open.units is null or cardinality(open.units) <
                coalesce(cardinality(c.units), jsonb_array_length(c.data -> 'units'))
        )
        """
    )


class _Events:
    def __init__(self, pool: "Pool", client: Client, blobs: Blobs, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease
        self._client = client
        self._blobs = blobs
        self._stream = Stream(client)
        self._kept: deque[Said] = deque()
        self._at: int | None = None
        """Announced up to here; None: not known yet."""
        self._noted = 0
        self._noted_at = self._looked = float("-inf")
        self._connections = 0
        self.doubt = False
        """Whether the stream may lack what was announced in it."""
        self.due = asyncio.Event()

    def owe(self, recorded: "Sequence[Said]") -> None:
        self._kept.extend(recorded)
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
            self._looked = float("-inf")
        self.due.set()

    async def publish(self) -> bool:
        """Announce events that follow, in order of position; whether there may be more right now."""
        connections = int(self._client.stats["reconnects"])
        if self._at is None or self.doubt or connections != self._connections:
            before = await self._begin() if self._at is None else self._at
            self._at = await audit.complete_to(self._pool, self._client, before)
            self.doubt, self._looked = False, float("-inf")
        self._connections = connections
        found = await self._next(self._at)
        if found:
            # Large bodies are stored before any is said, so that all are said in the order of their positions.
            failpoint("relay.events_read")
            said = await asyncio.gather(*(_announcement(self._blobs, *each) for each in found))
            self._lease.check()
            self.doubt = not await self._stream.say(said)
            if self.doubt or int(self._client.stats["reconnects"]) != connections:
                # It may have come behind a gap, which shows only by what was sure before.
                return True
            self._at = _place(found[-1])
            failpoint("relay.events_published")
        if self._at != self._noted and monotonic() - self._noted_at >= NOTE:
            await self._note(self._at)
        return bool(found)

    async def _begin(self) -> int:
        """Where the last leader came to, as the database says it."""
        at: int = await self._pool.fetchval(
            "select pos from ledger.checkpoints where name = 'relay'"
        )
        self._noted = at
        return at

    async def _next(self, at: int) -> "Sequence[Said]":
        while self._kept and _place(self._kept[0]) <= at:
            self._kept.popleft()
        if self._kept and _place(self._kept[0]) == at + 1:
            return _taken(self._kept, BATCH)
        if not self._kept and monotonic() - self._looked < LOOK:
            return ()
        rows = await self._pool.fetch(
            "select * from ledger.events where log_id = 1 and pos > $1 order by pos limit $2",
            at,
            BATCH,
        )
        if len(rows) < BATCH:
            self._looked = monotonic()
        recorded = [recorded_from(row) for row in rows]
        return [(each, dump(each.event)) for each in recorded]

    async def _note(self, at: int) -> None:
        self._noted, self._noted_at = at, monotonic()
        await self._pool.execute(
            """
            update ledger.checkpoints c set pos = $1 from ledger.leader l
            where c.name = 'relay' and c.pos < $1
              and l.epoch = $2 and l.expires_at >= clock_timestamp()
            """,
            at,
            self._lease.epoch,
        )
        failpoint("relay.events_marked")


async def _announcement(blobs: Blobs, recorded: Recorded[Event], line: bytes) -> Envelope:
    body, headers = await claim_check(blobs, recorded.tenant, line)
    kind = type(recorded.event)
    return Envelope(
        type=wire_type(kind),
        id=str(recorded.id),
        source="ledger",
        subject=event_subject(kind, recorded.tenant),
        body=body,
        headers=headers
        | {
            POSITION: recorded.position,
            "ce-time": recorded.recorded_at.isoformat(),
            "ce-subject": str(recorded.stream),
            "Nats-Msg-Id": str(recorded.id),
        }
        | ({HEADER: recorded.traceparent} if recorded.traceparent else {})
        | ({JOB: str(recorded.job_id)} if recorded.job_id else {}),
    )


def _place(said: "Said") -> int:
    return Position.parse(said[0].position).n


def _taken(kept: "deque[T]", most: int) -> list[T]:
    """The first of these, which are kept no more."""
    return [kept.popleft() for _ in range(min(most, len(kept)))]
