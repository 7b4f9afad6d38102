"""What deletions answer, and the lists that ask for many at once. Shapes only."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.gateway.ids import ProjectId
from services.gateway.shapes import Shape
from shared.errors import Refused

MOST = 1000
"""Of one request."""


def _some(what: str) -> AfterValidator:
    def check(names: list[str]) -> list[str]:
        if not names:
            raise Refused(
                "missing_parameter", f"No {what} IDs provided", field=f"{what.lower()}_ids"
            )
        return names

    return AfterValidator(check)


class Removed(Shape):
    """How much went with what was deleted. The log keeps what happened to it, the blob store its bytes."""

    documents: int = 0
    chunks: int = 0
    datasets: int = 0
    jobs: int = 0


class Failure(Shape):
    """One of many that was not deleted, and why."""

    id: str
    """As the request names it."""
    error: str
    code: str


class Deleted(Shape):
    message: str
    deleted: list[UUID]
    failed: list[Failure] | None = None
    """Those that were not; left out where there are none."""
    removed: Removed


class ChunksGone(Shape):
    message: str
    deleted_count: int
    failed: list[Failure] | None = None
    """Those that were not; left out where there are none."""


class DatasetFailure(Shape):
    dataset_id: str
    """As the request names it."""
    error: str
    code: str


class DatasetsGone(Shape):
    message: str
    deleted_count: int
    failed_deletions: list[DatasetFailure]


class _Many(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProjectIds(_Many):
    project_ids: Annotated[list[ProjectId], _some("project")] = Field(max_length=MOST)


class DocumentIds(_Many):
    document_ids: Annotated[list[str], _some("document")] = Field(max_length=MOST)


class ChunkIds(_Many):
    chunk_ids: Annotated[list[str], _some("chunk")] = Field(max_length=MOST)


class DatasetIds(_Many):
    dataset_ids: Annotated[list[str], _some("dataset")] = Field(max_length=MOST)
