"""Messages that nobody could use: looking at them, having them said again, taking them away."""

from fastapi import APIRouter

from contracts.letter import LetterDropRequested, LetterRetryRequested
from services.gateway import dead_letters
from services.gateway.asking import IdempotencyKey, ask, request_id
from services.gateway.dead_letter_shapes import DeadLetterDone, DeadLetters, DeadLetterWhole
from services.gateway.deps import Here
from services.gateway.routes.parameters import Page, PerPage, offset
from shared.telemetry.masking import Mask, secrets_of

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


@router.get("")
async def list_dead_letters(deps: Here, page: Page = 1, per_page: PerPage = 20) -> DeadLetters:
    """Newest first. They are kept 30 days."""
    found, older = await dead_letters.newest(deps)
    mask = Mask(secrets_of(deps.settings))
    start = offset(page, per_page)
    return DeadLetters(
        dead_letters=[dead_letters.shown(each, mask) for each in found[start : start + per_page]],
        total=len(found),
        older=older,
        page=page,
        per_page=per_page,
    )


@router.get("/{id}")
async def show_dead_letter(deps: Here, id: str) -> DeadLetterWhole:
    """One of them with its headers, secrets masked, and its body, of which 64 K characters are shown at most."""
    return await dead_letters.whole(deps, id)


@router.post("/{id}/retry")
async def retry_dead_letter(
    deps: Here, id: str, idempotency_key: IdempotencyKey = None
) -> DeadLetterDone:
    """Say it again where it had been said, a request under its old key; of a command the units that have no outcome are
    issued again. The log says so (``LetterRetried``), and the letter is gone; what is buried again is a new one.
    """
    letter = await dead_letters.whole(deps, id)
    await ask(deps, LetterRetryRequested(letter=letter.id), request_id(idempotency_key))
    return DeadLetterDone(id=letter.id, message=f"Dead letter {letter.id} was said again")


@router.delete("/{id}")
async def drop_dead_letter(
    deps: Here, id: str, idempotency_key: IdempotencyKey = None
) -> DeadLetterDone:
    """Take it away. The log keeps where it came from and why it was there (``LetterDropped``)."""
    letter = await dead_letters.whole(deps, id)
    await ask(deps, LetterDropRequested(letter=letter.id), request_id(idempotency_key))
    return DeadLetterDone(id=letter.id, message=f"Dead letter {letter.id} was dropped")
