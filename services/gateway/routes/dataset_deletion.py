"""Datasets: deleted, one or many. What an open job makes or writes is not."""

from functools import partial

from fastapi import APIRouter

from contracts.dataset import DatasetDeleted, DatasetDeletionRequested
from services.gateway import deleting, ids
from services.gateway.deletion_shapes import DatasetFailure, DatasetIds, DatasetsGone
from services.gateway.deps import Deps, Here

router = APIRouter(prefix="/datasets", tags=["datasets"])


@router.post("/bulk-delete")
async def delete_datasets(deps: Here, body: DatasetIds) -> DatasetsGone:
    """Delete datasets with their entries and files. Those that cannot be deleted are named in ``failed_deletions``."""
    gone, failed = await deleting.each(body.dataset_ids, partial(_delete, deps))
    failures = [
        DatasetFailure(dataset_id=each.id, error=each.error, code=each.code) for each in failed
    ]
    return _gone(len(gone), failures)


@router.delete("/{id}")
@router.delete("/{id}/delete", operation_id="delete_dataset_by_word")
async def delete_dataset(deps: Here, id: str) -> DatasetsGone:
    """Delete a dataset with its entries and files; the jobs that made and wrote it are remembered."""
    await _delete(deps, id)
    return _gone(1, [])


async def _delete(deps: Deps, id: str) -> DatasetDeleted:
    row = await ids.dataset(deps.views, id)
    request = DatasetDeletionRequested(dataset_id=row.dataset_id)
    return await deleting.delete(deps, request, DatasetDeleted)


def _gone(count: int, failed: list[DatasetFailure]) -> DatasetsGone:
    return DatasetsGone(
        message=f"Deleted {count} dataset{'s' * (count != 1)}",
        deleted_count=count,
        failed_deletions=failed,
    )
