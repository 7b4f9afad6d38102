"""Beginning jobs at two levels of acceptance: recorded in the log, or, while the store is away, queued on the bus.
How much may wait, in requests and in bytes, is bounded.

What cannot be looked up while the store is away is left to the ledger, which judges the request when the store is back;
one that it refuses then is kept among the dead letters with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from contracts.identity import job_id
from contracts.message import Request
from services.gateway import ids
from services.gateway.asking import SOURCE, VIEW_PATIENCE, cleaned
from services.gateway.deps import Deps
from services.gateway.positions import note
from services.gateway.problems import first_of
from shared.bus import Asker
from shared.errors import Refused, Unavailable
from shared.failpoints import failpoint

__all__ = [
    "MOST_QUEUED",
    "Begun",
    "begin",
    "known_job",
    "named_documents",
    "named_project",
    "room_for_bytes",
]

MOST_QUEUED = 1000
"""Requests of a tenant that wait on the bus for the store; more are refused."""
MOST_KNOWN = 10_000
WITHOUT_STORE = 0.5
"""Seconds that a request is waited for while the store is away."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A job that will be done."""

    job_id: UUID
    state: Literal["recorded", "queued"]

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return 200 if self.state == "recorded" else 202


async def begin(deps: Deps, request: Request, id: str, *, patience: float | None = None) -> Begun:
    """Say a request that begins a job. Raise ``Refused``, or ``Unavailable`` where not even the bus takes it.

    ``patience``: seconds until a request that was not recorded counts as queued; None: as many as are set.
    """
    try:
        clean = cleaned(request)
    except ValidationError as problem:  # What held nothing but NUL holds nothing now.
        field, message = first_of(problem.errors())
        raise Refused("invalid_parameter", f"{field}: {message}", field=field) from None
    if patience is None and not deps.follows:
        # The ledger cannot record it either.
        patience = min(WITHOUT_STORE, deps.settings.request_wait)
    asker = Asker(deps.bus_is_there(), deps.settings, patience)
    failpoint("gateway.asked")
    answer = await asker.queue(clean, tenant=deps.tenant, source=SOURCE, request_id=id)
    failpoint("gateway.accepted")
    own = job_id(deps.tenant, SOURCE, id)
    if answer is None:
        return Begun(own, "queued")
    if answer.code == "project_not_found":
        # It was known here, and is deleted.
        deps.aliases.clear()
    answer.or_refused()
    note(answer.position)
    await deps.seen(answer.position, VIEW_PATIENCE)
    failpoint("gateway.answered")
    return Begun(answer.job_id or own, "recorded")


async def named_project(deps: Deps, said: str, *, requests: int = 1, judged: bool = False) -> UUID:
    """The id of the project that so many requests name. While the store is away an id is taken as it is, and an alias
    where it was seen before. Raise ``Refused`` or ``Unavailable``.

    ``judged``: the ledger says at once whether it still exists, so one that was seen before is not looked up again
    while the store is there.
    """
    text = said.strip()[:64]
    if judged and deps.follows and (known := deps.aliases.get(text)) is not None:
        return known
    try:
        project, alias = await ids.named_project(deps.views, text, field="project_id")
    except Unavailable as away:
        await _room_on_the_bus(deps, requests)
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
    deps.aliases |= {str(alias): project, str(project): project}
    return project


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


async def known_job(deps: Deps, id: UUID) -> bool:
    """Whether there is such a job. While the store is away it is taken as it is."""
    try:
        return await deps.views.job(id) is not None
    except Unavailable:
        await _room_on_the_bus(deps, 1)
        return True


async def room_for_bytes(deps: Deps, sizes: Mapping[UUID, int]) -> None:
    """Raise ``Refused`` where too many bytes of the tenant would wait to be processed. While the store is away, they
    are those that were counted last and all that came since.

    ``sizes``: of the documents at hand; empty where they are not known before they are fetched. A document that is
    there already adds nothing.
    """
    try:
        known, deps.unprocessed = await deps.views.unprocessed(sizes)
        deps.arrived.clear()
    except Unavailable:
        deps.bus_is_there()
        known = set(deps.arrived)
    new = {id: size for id, size in sizes.items() if id not in known}
    before = deps.unprocessed + sum(deps.arrived.values())
    more = sum(new.values()) if sizes else 1
    most = deps.settings.most_queued_bytes
    if more and before + more > most:
        raise Refused(
            "too_many_bytes",
            f"{before} bytes of documents wait to be processed, and with these it would be more than {most}: process or"
            " delete some, or send fewer.",
            status=429,
        )
    deps.arrived.update(new)


async def _room_on_the_bus(deps: Deps, requests: int) -> None:
    """Raise ``Refused`` where too many requests of the tenant would wait for the store."""
    if await deps.asker.waiting(deps.tenant) + requests > MOST_QUEUED:
        raise Refused(
            "too_many_queued",
            f"At most {MOST_QUEUED} requests may wait for the event store: ask again when it is back.",
            status=429,
        )
