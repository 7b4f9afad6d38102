"""Projects: named collections of documents and datasets."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.identity import project_id
from contracts.project import (
    ProjectDeleted,
    ProjectDeletionRequested,
    ProjectRequested,
    ProjectUpdateRequested,
)
from services.gateway import deleting, ids, showing
from services.gateway.asking import SOURCE, IdempotencyKey, ask, request_id
from services.gateway.deletion_shapes import Deleted, Failure, ProjectIds, Removed
from services.gateway.deps import Deps, Here
from services.gateway.examples import answers
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Project, ProjectDatasets, ProjectDocuments, Projects
from shared.errors import Unavailable

router = APIRouter(prefix="/projects", tags=["projects"])

_ID = "fe75540b-4203-5805-a546-3f20545a2925"
_SHA256 = "83cc550c51833b351c6f471ab764c5b9335af5804546be2e8e3b8d09de6920f8"
_REMOVED = {"documents": 6, "chunks": 54, "datasets": 2, "jobs": 4}
_PROJECT = {
    "id": _ID,
    "alias": 1,
    "name": "canals",
    "description": "Everything on waterways.",
    "created_at": "2026-05-04T09:12:31.482Z",
    "updated_at": "2026-05-04T09:12:31.482Z",
    "document_count": 6,
    "dataset_count": 2,
    "status": "active",
}


def _visible(name: str | None) -> str | None:
    if name is not None and not any(c.isprintable() and not c.isspace() for c in name):
        raise ValueError("must hold a character that can be seen")
    return name


class ProjectBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_visible)] = Field(max_length=200)
    description: str | None = Field(default=None, max_length=10_000)


class ProjectChange(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str | None, AfterValidator(_visible)] = Field(default=None, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)


@router.get("", responses=answers({"projects": [_PROJECT], "total": 1, "page": 1, "per_page": 20}))
async def list_projects(deps: Here, page: Page = 1, per_page: PerPage = 20) -> Projects:
    rows, total = await deps.views.projects(per_page, offset(page, per_page))
    return Projects(
        projects=[showing.project(row) for row in rows], total=total, page=page, per_page=per_page
    )


@router.post("", responses=answers(_PROJECT))
async def create_project(
    deps: Here, body: ProjectBody, idempotency_key: IdempotencyKey = None
) -> Project:
    id = request_id(idempotency_key)
    request = ProjectRequested(name=body.name.strip(), description=body.description or "")
    await ask(deps, request, id)
    row = await deps.views.project(project_id(deps.tenant, SOURCE, id))
    if row is None:
        raise Unavailable(
            "views_behind",
            "The project is recorded, but not visible yet.",
            waiting_for="the views",
            retry_after=2,
        )
    return showing.project(row)


@router.delete(
    "",
    response_model_exclude_none=True,
    responses=answers(
        {
            "message": "Deleted 1 project",
            "deleted": [_ID],
            "failed": [
                {"id": "77", "error": "Project with ID 77 not found", "code": "project_not_found"}
            ],
            "removed": _REMOVED,
        }
    ),
)
async def delete_projects(deps: Here, body: ProjectIds) -> Deleted:
    """Delete projects with all that they hold. Those that cannot be deleted are named in ``failed``."""
    gone, failed = await deleting.each(body.project_ids, partial(_delete, deps))
    return _deleted(gone, failed)


@router.get("/{id}", responses=answers(_PROJECT))
async def get_project(deps: Here, id: str) -> Project:
    return showing.project(await ids.project(deps.views, id))


@router.put("/{id}", responses=answers(_PROJECT))
async def update_project(
    deps: Here, id: str, body: ProjectChange, idempotency_key: IdempotencyKey = None
) -> Project:
    row = await ids.project(deps.views, id)
    if body.name is None and body.description is None:
        return showing.project(row)
    request = ProjectUpdateRequested(
        project_id=row.project_id,
        name=body.name.strip() if body.name else None,
        description=body.description,
    )
    await ask(deps, request, request_id(idempotency_key))
    return showing.project(await ids.project(deps.views, id))


@router.delete(
    "/{id}",
    response_model_exclude_none=True,
    responses=answers({"message": "Deleted 1 project", "deleted": [_ID], "removed": _REMOVED}),
)
async def delete_project(deps: Here, id: str) -> Deleted:
    """Delete a project with its documents, chunks, datasets and jobs; the answer says how many went with it."""
    return _deleted([await _delete(deps, id)], [])


async def _delete(deps: Deps, id: str) -> ProjectDeleted:
    row = await ids.project(deps.views, id)
    request = ProjectDeletionRequested(project_id=row.project_id)
    return await deleting.delete(deps, request, ProjectDeleted)


def _deleted(gone: list[ProjectDeleted], failed: list[Failure]) -> Deleted:
    return Deleted(
        message=f"Deleted {len(gone)} project{'s' * (len(gone) != 1)}",
        deleted=[each.project_id for each in gone],
        failed=failed or None,
        removed=Removed(
            documents=sum(each.documents for each in gone),
            chunks=sum(each.chunks for each in gone),
            datasets=sum(each.datasets for each in gone),
            jobs=sum(each.jobs for each in gone),
        ),
    )


@router.get(
    "/{id}/documents",
    responses=answers(
        {
            "documents": [
                {
                    "id": "ad422f39-0d9e-5f0e-8d7c-5a1f7d1f8a10",
                    "project_id": _ID,
                    "file_name": "panama-canal.pdf",
                    "source_file_path": f"document/{_SHA256}",
                    "created_at": "2026-05-04T09:12:31.482Z",
                    "status": "uploaded",
                    "parsed_documents": [],
                    "parsed_files": [],
                    "sha256": _SHA256,
                    "size": 91_402,
                    "updated_at": "2026-05-04T09:12:31.482Z",
                    "other_names": [],
                }
            ]
        }
    ),
)
async def project_documents(
    deps: Here, id: str, page: Page = 1, per_page: PerPage = 1000
) -> ProjectDocuments:
    project = await ids.project(deps.views, id)
    rows, _ = await deps.views.documents(project.project_id, per_page, offset(page, per_page))
    names = await deps.views.names_of([row.document_id for row in rows])
    return ProjectDocuments(
        documents=[showing.document(row, names.get(row.document_id, ())) for row in rows]
    )


@router.get(
    "/{id}/datasets",
    responses=answers(
        {
            "datasets": [
                {
                    "id": "52d9320d-5b6f-5d8e-a6d3-7d9c8e1f2a3b",
                    "project_id": _ID,
                    "output_type": "jsonl",
                    "output_file_path": None,
                    "created_at": "2026-05-04T09:15:02.117Z",
                    "name": "canals",
                    "status": "running",
                    "total_entries": 12,
                }
            ]
        }
    ),
)
async def project_datasets(deps: Here, id: str) -> ProjectDatasets:
    project = await ids.project(deps.views, id)
    rows = await deps.views.datasets(project.project_id)
    exports = await deps.views.exports([row.dataset_id for row in rows])
    jobs = await deps.views.some_jobs([row.job_id for row in rows])
    return ProjectDatasets(
        datasets=[
            showing.listed(
                row,
                jobs[row.job_id].status,
                [each for each in exports if each.dataset_id == row.dataset_id],
            )
            for row in rows
        ]
    )
