"""Saying a request to the ledger and waiting until the views show what came of it."""

from typing import Annotated
from uuid import UUID

from fastapi import Header
from starlette.datastructures import Headers

from contracts.identity import job_id
from contracts.message import Request
from services.gateway.deps import Deps
from services.gateway.positions import note
from shared.bus import Answer, dump, without_nul
from shared.clock import fresh_id
from shared.errors import Refused
from shared.failpoints import failpoint

SOURCE = "gateway"
VIEW_PATIENCE = 2.0
"""Seconds that an answer waits for the views, so that the next GET sees what it says."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body has one effect, however often it is sent.",
    ),
]


def request_id(key: str | None) -> str:
    """The caller's key, or a fresh one where the caller did not care."""
    return key or str(fresh_id())


def key_of(headers: Headers) -> str | None:
    """The idempotency key of a request whose body is read by hand."""
    key = headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise Refused(
            "invalid_parameter",
            "Idempotency-Key: 1 to 200 printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def cleaned(request: Request) -> Request:
    """The request without what no column takes."""
    said = dump(request)
    kept = without_nul(said)
    return request if kept == said else type(request).model_validate_json(kept)


async def ask(deps: Deps, request: Request, id: str) -> UUID:
    """Say ``request`` and return the id of what it began. Raise ``Refused`` or ``Unavailable``."""
    answer = await answered(deps, request, id)
    return answer.job_id or job_id(deps.tenant, SOURCE, id)


async def answered(deps: Deps, request: Request, id: str) -> Answer:
    """Say ``request`` and return what the ledger answered, as soon as the views show what came of it."""
    failpoint("gateway.asked")
    answer = await deps.asker.ask(
        cleaned(request), tenant=deps.tenant, source=SOURCE, request_id=id
    )
    failpoint("gateway.accepted")
    answer.or_refused()
    note(answer.position)
    await deps.seen(answer.position, VIEW_PATIENCE)
    failpoint("gateway.answered")
    return answer
