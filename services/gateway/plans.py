"""Seeds of a dataset's plans: where in its document each unit's passage lies. Reads blobs, keeps the newest pages."""

from collections import OrderedDict
from collections.abc import Collection, Sequence

from contracts.blob import BlobRef
from contracts.generation import PlanManifest, PlanPage, Seed
from services.gateway.views.rows import PlanRow
from shared.blobs import BlobMissing, Blobs

KEPT = 16


class Plans:
    """Immutable blobs, so what is kept is never stale."""

    def __init__(self, blobs: Blobs, tenant: str) -> None:
        self._blobs = blobs
        self._tenant = tenant
        self._manifests: OrderedDict[str, PlanManifest] = OrderedDict()
        self._pages: OrderedDict[str, PlanPage] = OrderedDict()

    async def seeds(self, plans: Sequence[PlanRow], wanted: Collection[int]) -> dict[int, Seed]:
        """Those of the seeds whose plan still exists."""
        found: dict[int, Seed] = {}
        for index in sorted(wanted):
            plan = next((p for p in plans if p.first <= index < p.first + p.seeds), None)
            if plan is None:
                continue
            try:
                found[index] = await self._seed(BlobRef.model_validate(plan.plan), index)
            except BlobMissing:
                continue
        return found

    async def _seed(self, ref: BlobRef, index: int) -> Seed:
        manifest = self._manifests.get(ref.sha256)
        if manifest is None:
            data = await self._blobs.get(self._tenant, ref)
            manifest = self._manifests[ref.sha256] = PlanManifest.model_validate_json(data)
            while len(self._manifests) > KEPT:
                self._manifests.popitem(last=False)
        number, offset = divmod(index - manifest.first, manifest.page_size)
        name = manifest.pages[number]
        page = self._pages.get(name)
        if page is None:
            page_ref = BlobRef(kind="plan", sha256=name, size=0)
            data = await self._blobs.get(self._tenant, page_ref)
            page = self._pages[name] = PlanPage.model_validate_json(data)
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
        return page.seeds[offset]
