"""Projects: named collections of documents and datasets."""

from uuid import UUID

from pydantic import Field

from contracts.message import Event, Request


class ProjectRequested(Request):
    """Somebody asked for a new project."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)


class ProjectUpdateRequested(Request):
    """Somebody asked for a project to be renamed or described anew."""

    project_id: UUID
    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)


class ProjectCreated(Event):
    """A project was opened under a name that was free."""

    project_id: UUID
    alias: int
    """A small integer that means the same project wherever an id is asked for."""
    name: str
    description: str


class ProjectUpdated(Event):
    """A project got another name or description."""

    project_id: UUID
    name: str
    description: str


class ProjectDeletionRequested(Request):
    """Somebody asked for a project to be deleted with all that it holds."""

    project_id: UUID


class ProjectDeleted(Event):
    """A project was deleted with all that it held; its name is free again, its alias is not."""

    project_id: UUID
    name: str
    documents: int = Field(ge=0)
    chunks: int = Field(ge=0)
    datasets: int = Field(ge=0)
    jobs: int = Field(ge=0)
    """Of every kind but uploads, which are done when they are recorded."""
