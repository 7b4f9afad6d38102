"""Datasets found in a project, and the small lists around them. Reads only."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.gateway import formats, ids, showing
from services.gateway.deps import Here
from services.gateway.routes.parameters import Page, offset
from services.gateway.shapes import DatasetsFound, ExtractionFiles, Formats
from services.gateway.views.dataset_reads import Wanted
from shared.errors import Refused

router = APIRouter(prefix="/datasets", tags=["datasets"])
plugins = APIRouter(prefix="/plugins", tags=["service"])


@router.get("/list/{project_id}")
async def find_datasets(
    deps: Here,
    project_id: str,
    page: Page = 1,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 20,
    search: Annotated[str | None, Query(max_length=200)] = None,
    format_filter: Annotated[str | None, Query(max_length=50)] = None,
    date_from: date | datetime | None = None,
    date_to: date | datetime | None = None,
) -> DatasetsFound:
    """The datasets of a project, newest first: those whose name holds `search`, that were asked for in a format, that
    were begun between two times, in UTC where they name no zone; a date alone is the whole day.
    """
    project = await ids.project(deps.views, project_id)
    if search is not None and "\x00" in search:
        raise Refused("invalid_parameter", "search: holds a NUL character", field="search")
    wanted = Wanted(
        project=project.project_id,
        name=search or None,
        format=format_filter or None,
        since=showing.aware(date_from),
        until=showing.aware(date_to, end=True),
    )
    rows, total = await deps.store.datasets.found(wanted, page_size, offset(page, page_size))
    exports = await deps.views.exports([row.dataset_id for row in rows])
    jobs = await deps.views.some_jobs([row.job_id for row in rows])
    shown = [
        showing.found(
            row,
            jobs[row.job_id].status,
            [each for each in exports if each.dataset_id == row.dataset_id],
        )
        for row in rows
    ]
    return DatasetsFound(datasets=shown, total_count=total, page=page, page_size=page_size)


@router.get("/extraction-files/{project_id}")
async def list_extraction_files(deps: Here, project_id: str) -> ExtractionFiles:
    """Always empty: entities are not extracted yet, so there is nothing that a dataset could be made from."""
    await ids.project(deps.views, project_id)
    return ExtractionFiles(extraction_files=[])


@plugins.get("/dataset-formats")
async def list_formats() -> Formats:
    """The formats that a dataset can be written in: the built-in ones, and those of installed packages."""
    return Formats(formats=list(formats.names()))
