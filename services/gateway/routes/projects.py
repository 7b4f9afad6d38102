"""Projects: named collections of documents and datasets."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.identity import project_id
from contracts.project import ProjectRequested, ProjectUpdateRequested
from services.gateway import ids, showing
from services.gateway.asking import SOURCE, IdempotencyKey, ask, request_id
from services.gateway.deps import Here
from services.gateway.routes.parameters import Page, PerPage, offset
from services.gateway.shapes import Project, ProjectDatasets, ProjectDocuments, Projects
from shared.errors import Unavailable

router = APIRouter(prefix="/projects", tags=["projects"])


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


@router.get("")
async def list_projects(deps: Here, page: Page = 1, per_page: PerPage = 20) -> Projects:
    rows, total = await deps.views.projects(per_page, offset(page, per_page))
    return Projects(
        projects=[showing.project(row) for row in rows], total=total, page=page, per_page=per_page
    )


@router.post("")
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


@router.get("/{id}")
async def get_project(deps: Here, id: str) -> Project:
    return showing.project(await ids.project(deps.views, id))


@router.put("/{id}")
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


@router.get("/{id}/documents")
async def project_documents(
    deps: Here, id: str, page: Page = 1, per_page: PerPage = 1000
) -> ProjectDocuments:
    project = await ids.project(deps.views, id)
    rows, _ = await deps.views.documents(project.project_id, per_page, offset(page, per_page))
    return ProjectDocuments(documents=[showing.document(row) for row in rows])


@router.get("/{id}/datasets")
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
