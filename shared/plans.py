"""Plans as blobs: written once, then read seed by seed, with the texts that seeds point into.

Plans and texts are immutable, so what is kept here can never be stale. Decides nothing about what is planned.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from contracts.blob import BlobRef
from contracts.generation import PLAN_PAGE, PlanManifest, PlannedDocument, PlanPage, Seed
from shared.blobs import Blobs

T = TypeVar("T")
KEPT_TEXTS = 64
KEPT_PAGES = 16


class _Kept(Generic[T]):
    """The newest results of fetches, each fetched once however many ask at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[str, asyncio.Future[T]] = OrderedDict()

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = asyncio.ensure_future(fetch())
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        else:
            self._found.move_to_end(key)
        try:
            return await asyncio.shield(found)
        finally:
            failed = found.done() and (found.cancelled() or found.exception() is not None)
            if failed and self._found.get(key) is found:
                del self._found[key]


async def keep_plan(blobs: Blobs, tenant: str, first: int, pages: Iterable[PlanPage]) -> BlobRef:
    """Write the pages of a plan whose first seed is ``first``, and the manifest that names them.

    Each page is written before the next is made, in a thread, so that a plan is never held as a whole.
    """
    made, written, seeds = iter(pages), [], 0
    while (page := await asyncio.to_thread(_next, made)) is not None:
        body, count = page
        ref = await blobs.put(tenant, "plan", body, "application/json")
        written.append(ref.sha256)
        seeds += count
    manifest = PlanManifest(first=first, seeds=seeds, pages=tuple(written), page_size=PLAN_PAGE)
    return await blobs.put(tenant, "plan", manifest.model_dump_json().encode(), "application/json")


def _next(pages: Iterator[PlanPage]) -> tuple[bytes, int] | None:
    """The next page as it is kept, and how many seeds it has."""
    page = next(pages, None)
    return None if page is None else (page.model_dump_json().encode(), len(page.seeds))


class Plans:
    """Seeds by index, texts by reference."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._manifests: _Kept[PlanManifest] = _Kept(KEPT_PAGES)
        self._pages: _Kept[tuple[PlanPage, dict[UUID, PlannedDocument]]] = _Kept(KEPT_PAGES)
        self._texts: _Kept[str] = _Kept(KEPT_TEXTS)

    async def seed(self, tenant: str, plan: BlobRef, index: int) -> tuple[Seed, PlannedDocument]:
        """Raise ``LookupError`` where the plan has no such seed."""
        manifest = await self._manifests.get(plan.key(tenant), lambda: self._manifest(tenant, plan))
        place = index - manifest.first
        if not 0 <= place < manifest.seeds:
            raise LookupError(f"plan {plan.sha256} has no seed {index}")
        number, offset = divmod(place, manifest.page_size)
        ref = BlobRef(kind="plan", sha256=manifest.pages[number], size=0)
        page, documents = await self._pages.get(ref.key(tenant), lambda: self._page(tenant, ref))
        seed = page.seeds[offset]
        return seed, documents[seed.document_id]

    async def find(
        self, tenant: str, plans: Sequence[BlobRef], index: int
    ) -> tuple[Seed, PlannedDocument]:
        """A seed of one of a job's plans, one for each round. Raise ``LookupError`` where none has it."""
        for plan in reversed(plans):
            first, stop = await self.span(tenant, plan)
            if first <= index < stop:
                return await self.seed(tenant, plan, index)
        raise LookupError(f"no plan has seed {index}")

    async def span(self, tenant: str, plan: BlobRef) -> tuple[int, int]:
        """The seeds of a plan: ``[first, stop)``."""
        manifest = await self._manifests.get(plan.key(tenant), lambda: self._manifest(tenant, plan))
        return manifest.first, manifest.first + manifest.seeds

    async def pages(self, tenant: str, plan: BlobRef) -> AsyncIterator[PlanPage]:
        """All pages of a plan, in order."""
        manifest = await self._manifests.get(plan.key(tenant), lambda: self._manifest(tenant, plan))
        for sha256 in manifest.pages:
            ref = BlobRef(kind="plan", sha256=sha256, size=0)
            yield (await self._page(tenant, ref))[0]

    async def text(self, tenant: str, ref: BlobRef) -> str:
        return await self._texts.get(ref.key(tenant), lambda: self._text(tenant, ref))

    async def _manifest(self, tenant: str, ref: BlobRef) -> PlanManifest:
        return PlanManifest.model_validate_json(await self._blobs.get(tenant, ref), extra="ignore")

    async def _page(
        self, tenant: str, ref: BlobRef
    ) -> tuple[PlanPage, dict[UUID, PlannedDocument]]:
        page = PlanPage.model_validate_json(await self._blobs.get(tenant, ref), extra="ignore")
        return page, {document.document_id: document for document in page.documents}

    async def _text(self, tenant: str, ref: BlobRef) -> str:
        return (await self._blobs.get(tenant, ref)).decode()
