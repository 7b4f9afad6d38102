"""In-memory twins of the store and the blobs, for tests. They pass the same conformance suites as the real ones.

Nothing here survives its process.
"""

import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from contracts.blob import BlobRef
from contracts.message import Event, Recorded, wire_type
from contracts.unit import Body
from shared.appending import Append, Conflict
from shared.blobs import PIECE, BlobMissing, Held, verified
from shared.clock import now
from shared.store import PAGE, Fact, Mark, Position


class MemoryStore:
    """A log in a list. ``now`` gives the time of each append."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._log: list[Recorded[Event]] = []
        self._bodies: dict[UUID, str] = {}
        self._bases: dict[UUID, tuple[UUID, int]] = {}

    async def append(self, appends: Sequence[Append]) -> list[Recorded[Event]]:
        """All or nothing. Raise ``Conflict`` where a stream is not at the version expected."""
        log = list(self._log)
        known = {recorded.id for recorded in log}
        for each in appends:
            version = sum(recorded.stream == each.stream for recorded in log)
            if each.base is not None:
                self._bases.setdefault(each.stream, each.base)
            version += self._bases.get(each.stream, (None, 0))[1]
            if each.expected is not None and version != each.expected:
                raise Conflict(each.stream, each.expected, version)
            for new in each.events:
                if new.id in known:
                    continue
                known.add(new.id)
                version += 1
                log.append(
                    Recorded[Event](
                        event=new.event,
                        id=new.id,
                        stream=each.stream,
                        version=version,
                        position=str(Position(1, len(log) + 1)),
                        tenant=each.tenant,
                        job_id=new.job_id,
                        cause_id=new.cause_id,
                        traceparent=new.trace,
                        recorded_at=self.now,
                    )
                )
        added = log[len(self._log) :]
        self._log = log
        return added

    async def keep(self, bodies: Iterable[Body]) -> None:
        for body in bodies:
            self._bodies.setdefault(body.body_id, body.text)

    async def head(self) -> Position:
        return Position(1, len(self._log))

    async def tail(self, after: int, limit: int = PAGE) -> list[Recorded[Event]]:
        return self._log[after : after + limit]

    async def stream(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> AsyncIterator[Recorded[Event]]:
        if stream in self._bases:
            base, version = self._bases[stream]
            until = version if through is None else min(version, through)
            async for recorded in self.stream(base, after, until, types):
                yield recorded
        for recorded in list(self._log):
            if (
                recorded.stream == stream
                and recorded.version > after
                and (through is None or recorded.version <= through)
                and (not types or type(recorded.event) in types)
            ):
                yield recorded

    async def facts(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
        page: int = PAGE,
    ) -> AsyncIterator[Fact]:
        held: list[Fact] = []
        async for recorded in self.stream(stream, after, through, types):
            event = recorded.event
            data = event.model_dump(mode="json")
            held.append(
                Fact(
                    recorded.version,
                    recorded.id,
                    wire_type(type(event)),
                    data,
                    recorded.traceparent,
                )
            )
            if len(held) == page:
                for fact in held:
                    yield fact
                held = []
        for fact in held:
            yield fact

    async def marks(
        self,
        stream: UUID,
        after: int = 0,
        through: int | None = None,
        types: Collection[type[Event]] = (),
    ) -> list[Mark]:
        return [
            Mark(recorded.version, recorded.id, recorded.traceparent)
            async for recorded in self.stream(stream, after, through, types)
        ]

    async def bodies(self, ids: Collection[UUID]) -> dict[UUID, str]:
        return {id: self._bodies[id] for id in ids if id in self._bodies}


class MemoryBlobs:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._changed: dict[str, datetime] = {}

    async def put(self, tenant: str, kind: str, data: bytes, media: str) -> BlobRef:
        ref = BlobRef(
            kind=kind, sha256=hashlib.sha256(data).hexdigest(), size=len(data), media=media
        )
        self._held[ref.key(tenant)] = data
        self._changed[ref.key(tenant)] = now()
        return ref

    async def put_stream(
        self, tenant: str, kind: str, pieces: AsyncIterator[bytes], media: str
    ) -> BlobRef:
        return await self.put(tenant, kind, b"".join([piece async for piece in pieces]), media)

    async def get(self, tenant: str, ref: BlobRef) -> bytes:
        try:
            return verified(tenant, ref, self._held[ref.key(tenant)])
        except KeyError:
            raise BlobMissing(ref.key(tenant)) from None

    async def stream(
        self, tenant: str, ref: BlobRef, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        data = (await self.get(tenant, ref))[start:end]
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]

    async def holds(self, tenant: str, ref: BlobRef) -> bool:
        return ref.key(tenant) in self._held

    async def held(self, tenant: str, kind: str) -> AsyncIterator[Held]:
        for key, changed in list(self._changed.items()):
            if key.startswith(f"{tenant}/{kind}/") and key in self._held:
                sha256 = key.rpartition("/")[2]
                yield Held(tenant, kind, sha256, len(self._held[key]), changed)

    async def remove(self, held: Held) -> bool:
        if self._changed.get(held.key) != held.changed:
            return False
        del self._held[held.key], self._changed[held.key]
        return True

    async def check(self) -> None:
        """It always works."""

    def close(self) -> None:
        """Nothing is held but what was put."""
