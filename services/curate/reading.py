"""What curate reads of a job: units with their texts and passages, verdicts, accepted entries. Judges nothing."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from contracts.blob import BlobRef
from contracts.entries import EntriesAdmitted, EntriesGenerated
from services.curate.bench import Bench
from services.curate.checks.source import Parts, Source, parts_read
from services.curate.retrieval import Ranker
from shared.plans import Plans
from shared.store import Reader
from shared.telemetry import traces

STRETCH = 200
"""Units whose texts are in memory at a time."""
KEPT_RANKERS = 4
MOST_RANKED = 50_000
"""Chunks beyond which round-trip retrieval is left out: its postings would outgrow a worker's memory."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A unit that generated, as its event says."""

    unit_id: UUID
    seed: int
    document_id: UUID
    chunk_id: UUID
    model: str
    body: UUID
    entries: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class UnitRead:
    """A unit that generated, with its passage and the parts of its entries; no entries where its body was erased."""

    unit: Generated
    entries: dict[UUID, Parts]
    source: Source


class Corpus:
    """The passages of a plan, for the round trip from question to chunk."""

    def __init__(self, ranker: Ranker | None, places: dict[UUID, int]) -> None:
        self.ranker = ranker
        self._places = places

    def place(self, chunk: UUID) -> int | None:
        return self._places.get(chunk)


class Reading:
    """Reads jobs from the log and the blobs; keeps the rankers of the newest plans."""

    def __init__(self, store: Reader, plans: Plans, bench: Bench) -> None:
        self.store = store
        self.plans = plans
        self.bench = bench
        self._corpora: OrderedDict[str, asyncio.Future[Corpus]] = OrderedDict()

    async def corpus(self, tenant: str, plan: BlobRef) -> Corpus:
        """Of a job's first plan, which holds every chunk that is worth asking about."""
        key = plan.key(tenant)
        if key not in self._corpora:
            self._corpora[key] = asyncio.ensure_future(self._corpus(tenant, plan))
            while len(self._corpora) > KEPT_RANKERS:
                self._corpora.popitem(last=False)
        try:
            return await asyncio.shield(self._corpora[key])
        except Exception:
            self._corpora.pop(key, None)
            raise

    async def _corpus(self, tenant: str, plan: BlobRef) -> Corpus:
        first, stop = await self.plans.span(tenant, plan)
        if stop - first > MOST_RANKED:
            return Corpus(None, {})
        passages: list[str] = []
        places: dict[UUID, int] = {}
        async for page in self.plans.pages(tenant, plan):
            documents = {document.document_id: document for document in page.documents}
            for seed in page.seeds:
                text = await self.plans.text(tenant, documents[seed.document_id].text)
                places[seed.chunk_id] = len(passages)
                passages.append(text[seed.start : seed.end])
        return Corpus(await self.bench.do(Ranker, passages), places)

    async def units(
        self,
        tenant: str,
        job: UUID,
        plans: Sequence[BlobRef],
        *,
        after: int = 0,
        through: int | None = None,
    ) -> AsyncIterator[list[UnitRead]]:
        """What versions ``(after, through]`` of a job's stream generated, in log order, a stretch at a time."""
        corpus = await self.corpus(tenant, plans[0])
        stretch: list[Generated] = []
        async for fact in self.store.facts(job, after, through, (EntriesGenerated,)):
            stretch.append(_generated(fact.data))
            traces.link(fact.traceparent)
            if len(stretch) == STRETCH:
                yield await self._read(tenant, plans, corpus, stretch)
                stretch = []
        if stretch:
            yield await self._read(tenant, plans, corpus, stretch)

    async def _read(
        self,
        tenant: str,
        plans: Sequence[BlobRef],
        corpus: Corpus,
        units: Sequence[Generated],
    ) -> list[UnitRead]:
        bodies = await self.store.bodies([unit.body for unit in units])
        found = []
        for unit in units:
            seed, document = await self.plans.find(tenant, plans, unit.seed)
            source = Source(
                document_id=unit.document_id,
                title=document.title,
                text=await self.plans.text(tenant, document.text),
                start=seed.start,
                end=seed.end,
                heading_path=seed.heading_path,
                language=document.language,
                model=unit.model,
                chunk=corpus.place(seed.chunk_id),
            )
            body = bodies.get(unit.body)
            found.append(UnitRead(unit, _entries(body) if body else {}, source))
        return found

    async def accepted(self, dataset: UUID, through: int) -> set[UUID]:
        """Entries accepted up to a version of the dataset's stream."""
        found: set[UUID] = set()
        async for fact in self.store.facts(dataset, 0, through, (EntriesAdmitted,)):
            found.update(map(UUID, fact.data["accepted"]))
        return found


def _generated(said: dict[str, Any]) -> Generated:
    return Generated(
        unit_id=UUID(said["unit_id"]),
        seed=said["seed"],
        document_id=UUID(said["document_id"]),
        chunk_id=UUID(said["chunk_id"]),
        model=said["model"],
        body=UUID(said["body"]),
        entries=tuple([UUID(entry["entry_id"]) for entry in said["entries"]]),
    )


def _entries(body: str) -> dict[UUID, Parts]:
    """The entries of an ``EntriesBody``. What stands in the log was checked before it was said."""
    return {
        UUID(entry["entry_id"]): parts_read(entry["content"])
        for entry in orjson.loads(body)["entries"]
    }
