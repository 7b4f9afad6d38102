"""Beginning jobs at two levels of acceptance: recorded in the log, or, while the store is away, queued on the bus.

What cannot be looked up while the store is away is left to the ledger, which judges the request when the store is back;
one that it refuses then is kept among the dead letters with its reason.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from contracts.identity import job_id
from contracts.message import Request
from services.gateway import ids
from services.gateway.asking import SOURCE, VIEW_PATIENCE
from services.gateway.deps import Deps
from services.gateway.positions import note
from services.gateway.problems import first_of
from shared.bus import dump, without_nul
from shared.errors import Refused, Unavailable

__all__ = ["MOST_QUEUED", "Begun", "begin", "named_documents", "named_project"]

MOST_QUEUED = 1000
"""Requests of a tenant that wait on the bus for the store; more are refused."""
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A job that will be done."""

    job_id: UUID
    state: Literal["recorded", "queued"]

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return 200 if self.state == "recorded" else 202


async def begin(deps: Deps, request: Request, id: str) -> Begun:
    """Say a request that begins a job. Raise ``Refused``, or ``Unavailable`` where not even the bus takes it."""
    try:
        clean = type(request).model_validate_json(without_nul(dump(request)))
    except ValidationError as problem:  # What held nothing but NUL holds nothing now.
        field, message = first_of(problem.errors())
        raise Refused("invalid_parameter", f"{field}: {message}", field=field) from None
    answer = await deps.asker.queue(clean, tenant=deps.tenant, source=SOURCE, request_id=id)
    own = job_id(deps.tenant, SOURCE, id)
    if answer is None:
        return Begun(own, "queued")
    answer.or_refused()
    note(answer.position)
    await deps.seen(answer.position, VIEW_PATIENCE)
    return Begun(answer.job_id or own, "recorded")


async def named_project(deps: Deps, said: str) -> UUID:
    """The id of the project that a request names. While the store is away an id is taken as it is, and an alias where
    it was seen before. Raise ``Refused`` or ``Unavailable``.
    """
    text = said.strip()[:64]
    try:
        found = await ids.project(deps.views, text, field="project_id")
    except Unavailable as away:
        await _room_on_the_bus(deps)
        name = ids.uuid_of(text) or deps.aliases.get(text)
        if name is None:
            raise Unavailable(
                away.code,
                f"{away.message} Meanwhile a project can be named by its id only, not as {text!r}.",
                waiting_for=away.waiting_for,
                retry_after=away.retry_after,
            ) from None
        return name
    while len(deps.aliases) >= MOST_KNOWN:
        del deps.aliases[next(iter(deps.aliases))]
    deps.aliases[str(found.alias)] = found.project_id
    return found.project_id


async def named_documents(
    deps: Deps, project: UUID, said: list[str], *, project_said: str
) -> tuple[UUID, ...]:
    """The ids of the documents that a request names, each once. While the store is away they are taken as they are."""
    try:
        row = await ids.project(deps.views, str(project), field="project_id")
        await ids.documents(deps.views, row, said, said=project_said)
    except Unavailable:
        for each in said:
            if ids.uuid_of(each) is None:
                raise Refused(
                    "document_not_found",
                    f"Document {each[:64]} not found or doesn't belong to project {project_said}",
                    status=404,
                    field="document_ids",
                ) from None
    return tuple(dict.fromkeys(UUID(each) for each in said))


async def _room_on_the_bus(deps: Deps) -> None:
    """Raise ``Refused`` where too many requests of the tenant wait for the store."""
    if await deps.asker.waiting(deps.tenant) >= MOST_QUEUED:
        raise Refused(
            "too_many_queued",
            f"{MOST_QUEUED} requests wait for the event store, as many as may: ask again when it is back.",
            status=429,
        )
