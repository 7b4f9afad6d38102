"""Which blobs the log names: read in stretches of positions, from where the last look ended. Removes nothing.

What the log names stays named, so what is remembered never has to be unlearnt; a restored log is read anew. A reference
takes eight bytes, so a million blobs take 8 MB.
"""

import asyncio
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from contracts import EVENTS
from contracts.blob import BlobRef
from contracts.generation import PlanManifest
from contracts.message import Event
from shared.blobs import BlobMissing, Blobs
from shared.store import LOG, PostgresReader

if TYPE_CHECKING:
    from shared.store import Pool

STRETCH = 2000
"""Positions read at a time,"""
REST = 0.01
"""and the seconds between two reads, which are the recorder's."""


class Digests:
    """SHA-256 digests by their first eight bytes: whoever is found by mistake stays, and one in 10^13 is."""

    def __init__(self) -> None:
        self._places = [array("Q") for _ in range(256)]

    def add(self, sha256: str) -> bool:
        """Whether it is new."""
        place, short, at = self._found(sha256)
        if at < len(place) and place[at] == short:
            return False
        place.insert(at, short)
        return True

    def __contains__(self, sha256: str) -> bool:
        place, short, at = self._found(sha256)
        return at < len(place) and place[at] == short

    def __len__(self) -> int:
        return sum(map(len, self._places))

    def _found(self, sha256: str) -> "tuple[array[int], int, int]":
        short = int(sha256[:16], 16)
        place = self._places[short >> 56]
        return place, short, bisect_left(place, short)


def nameless() -> list[str]:
    """Wire types of events that cannot name a blob. What a newer version may have recorded is not among them."""
    return [name for name, event in EVENTS.items() if not _names_blobs(event)]


def _names_blobs(event: type[Event]) -> bool:
    return BlobRef.__name__ in event.model_json_schema().get("$defs", {})


class References:
    """Every blob that the events of one log name, and the pages of the plans among them."""

    def __init__(self, pool: "Pool", blobs: Blobs) -> None:
        self._pool = pool
        self._blobs = blobs
        self._nameless: list[str] = []
        self._era = 0
        self._after = 0
        self._named = Digests()

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._named

    def __len__(self) -> int:
        return len(self._named)

    async def catch_up(self) -> None:
        """Read what was recorded since the last time. Raise ``Unavailable``, or what the pool raises."""
        head = await PostgresReader(self._pool).head()
        if not self._nameless:
            self._nameless = await asyncio.to_thread(nameless)
        if head.era != self._era or head.n < self._after:
            self._era, self._after, self._named = head.era, 0, Digests()
        while self._after < head.n:
            until = min(head.n, self._after + STRETCH)
            for tenant, kind, sha256 in await self._read(self._after, until):
                if self._named.add(sha256) and kind == "plan":
                    await self._add_pages(tenant, sha256)
            self._after = until
            await asyncio.sleep(REST)

    async def _read(self, after: int, until: int) -> list[tuple[str, str, str]]:
        """Tenant, kind and digest of what these events name."""
        rows = await self._pool.fetch(
            """
            select distinct tenant, found ->> 'kind' as kind, found ->> 'sha256' as sha256
            from ledger.events,
                jsonb_path_query(data, 'strict $.** ? (exists (@.sha256))', silent => true) as found
            where log_id = $1 and pos > $2 and pos <= $3 and type <> all($4::text[])
              and found ->> 'sha256' ~ '^[0-9a-f]{64}$'
            """,
            LOG,
            after,
            until,
            self._nameless,
        )
        return [(row["tenant"], row["kind"], row["sha256"]) for row in rows]

    async def _add_pages(self, tenant: str, sha256: str) -> None:
        """A plan names its pages; one that is gone names nothing that could still be read."""
        try:
            body = await self._blobs.get(tenant, BlobRef(kind="plan", sha256=sha256, size=0))
        except BlobMissing:
            return
        for page in PlanManifest.model_validate_json(body).pages:
            self._named.add(page)
