"""What the events of projects mean for the views."""

from collections.abc import Iterator

from contracts.message import Event, Recorded
from contracts.project import ProjectCreated, ProjectDeleted, ProjectUpdated
from services.gateway.views.batch import Change, Forget, Operation, Put
from services.gateway.views.operations import Rule


def _project_created(recorded: Recorded[ProjectCreated]) -> Iterator[Operation]:
    event = recorded.event
    yield Put(
        "projects",
        (event.project_id,),
        {
            "tenant": recorded.tenant,
            "alias": event.alias,
            "name": event.name,
            "description": event.description,
            "created_at": recorded.recorded_at,
            "updated_at": recorded.recorded_at,
        },
    )


def _project_updated(recorded: Recorded[ProjectUpdated]) -> Iterator[Operation]:
    event = recorded.event
    yield Change(
        "projects",
        (event.project_id,),
        {
            "name": event.name,
            "description": event.description,
            "updated_at": recorded.recorded_at,
        },
    )


def _project_deleted(recorded: Recorded[ProjectDeleted]) -> Iterator[Operation]:
    yield Forget("project", recorded.event.project_id)


RULES: dict[type[Event], Rule] = {
    ProjectCreated: _project_created,
    ProjectUpdated: _project_updated,
    ProjectDeleted: _project_deleted,
}
