"""Finding what a request names. A project is named by its id or its integer alias, as a number or as text."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from services.gateway.views.reads import Views
from services.gateway.views.rows import DatasetRow, DocumentRow, JobRow, ProjectRow
from shared.errors import Refused


def _named(value: object) -> object:
    """A number as text. Raise ``ValueError`` for what names nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("must be a project's id or its integer alias")


ProjectId = Annotated[
    str,
    BeforeValidator(_named, json_schema_input_type=str | int),
    Field(description="A project's id or its integer alias."),
]

MOST_ALIAS = 2**31 - 1


def uuid_of(text: str) -> UUID | None:
    """The id, where ``text`` is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _alias(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= MOST_ALIAS else None


async def project(views: Views, id: str, *, field: str = "") -> ProjectRow:
    """Raise ``Refused`` (404) where there is none."""
    text = id.strip()[:64]
    name = uuid_of(text) or _alias(text)
    found = await views.project(name) if name is not None else None
    if found is None:
        raise _no_project(text, field)
    return found


async def named_project(views: Views, id: str, *, field: str) -> tuple[UUID, int]:
    """Id and alias of a project, without counting what it holds. Raise ``Refused`` (404) where there is none."""
    text = id.strip()[:64]
    name = uuid_of(text) or _alias(text)
    found = await views.named(name) if name is not None else None
    if found is None:
        raise _no_project(text, field)
    return found


def _no_project(text: str, field: str) -> Refused:
    return Refused(
        "project_not_found", f"Project with ID {text} not found", status=404, field=field
    )


async def document(views: Views, id: str) -> DocumentRow:
    name = uuid_of(id)
    found = await views.document(name) if name else None
    if found is None:
        raise Refused("document_not_found", f"Document {id[:64]} not found", status=404)
    return found


async def documents(
    views: Views, project: ProjectRow, ids: list[str], *, said: str
) -> dict[UUID, DocumentRow]:
    """All of these documents, each of this project. ``said``: the project as the request names it."""
    names = {uuid_of(id): id for id in ids}
    found = await views.some_documents([name for name in names if name])
    for name, id in names.items():
        row = found.get(name) if name else None
        if row is None or row.project_id != project.project_id:
            raise Refused(
                "document_not_found",
                f"Document {id[:64]} not found or doesn't belong to project {said}",
                status=404,
                field="document_ids",
            )
    return found


async def job(views: Views, id: str, *, kind: str | None = None) -> JobRow:
    name = uuid_of(id)
    found = await views.job(name) if name else None
    if found is None or (kind is not None and found.kind != kind):
        raise Refused("job_not_found", f"Job {id[:64]} not found", status=404)
    return found


async def dataset(views: Views, id: str) -> DatasetRow:
    name = uuid_of(id)
    found = await views.dataset(name) if name else None
    if found is None:
        raise Refused("dataset_not_found", f"Dataset {id[:64]} not found", status=404)
    return found
