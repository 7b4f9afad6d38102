"""Requests that speak of dead letters: what is recorded of them, and what is done on the bus once it is.

What is done on the bus comes between the commit and the acknowledgement, so a ledger that dies there is asked again and
does it then; a letter that is gone has had its effect.
"""

import re
from uuid import UUID, uuid5

from nats.aio.client import Client

from contracts.identity import GRISTMILL
from contracts.letter import (
    LetterDropped,
    LetterDropRequested,
    LetterRetried,
    LetterRetryRequested,
)
from contracts.message import Event
from services.ledger import reconciler
from services.ledger.asked import Asked, say
from services.ledger.turn import Turn
from shared import letters
from shared.burying import CODE, REASON, SIZE, SUBJECT
from shared.bus import REPLY_TO
from shared.errors import Refused
from shared.letters import RETRY_OF, Letter

COMMANDS = "gristmill.commands."
SAID = re.compile(r"gristmill\.(?:requests\.[a-z0-9-]+|results)\.[a-z_]+")
"""Where a letter may be said again: what it says of itself is its writer's word, and the ledger may speak anywhere."""
OURS = (SUBJECT, REASON, CODE, SIZE, RETRY_OF, REPLY_TO)
"""Headers that are not said again: why it lay here, and where somebody waited for an answer long ago."""


async def retry(turn: Turn, asked: Asked, request: LetterRetryRequested) -> UUID:
    """Record that a letter is said again. Raise ``Refused``."""
    letter = _letter(asked, request.letter)
    units: tuple[UUID, ...] = ()
    if letter.subject.startswith(COMMANDS):
        units = await _open_units(turn, letter)
        await turn.connection.execute(
            "update ledger.work set lost = 0, crashes = 0, deferred = 0 where unit_id = any($1::uuid[])",
            list(units),
        )
        await reconciler.reissue(turn, units)
    elif not letter.is_whole:
        raise _not_retryable(letter, "was too large to be kept whole: have its sender repeat it")
    elif not SAID.fullmatch(letter.subject):
        raise _not_retryable(letter, "does not say where it came from")
    retried = LetterRetried(
        letter=letter.name, subject=letter.subject, type=letter.type, message_id=letter.message_id,
        code=letter.code, reason=letter.reason, units=units,
    )  # fmt: skip
    return await _say(turn, asked, letter, request, retried)


async def drop(turn: Turn, asked: Asked, request: LetterDropRequested) -> UUID:
    """Record that a letter is taken away. Raise ``Refused``."""
    letter = _letter(asked, request.letter)
    dropped = LetterDropped(
        letter=letter.name, subject=letter.subject, type=letter.type, message_id=letter.message_id,
        code=letter.code, reason=letter.reason,
    )  # fmt: skip
    return await _say(turn, asked, letter, request, dropped)


async def carry_out(
    client: Client, request: LetterRetryRequested | LetterDropRequested, letter: Letter | None
) -> None:
    """Say a letter again, unless its units were issued again, and take it from the dead. Raise what the bus raises."""
    if letter is None:
        return
    if isinstance(request, LetterRetryRequested) and not letter.subject.startswith(COMMANDS):
        headers = {
            key: value
            for key, value in letter.headers.items()
            if key not in OURS and not key.startswith("nats-")
        } | {RETRY_OF: letter.name, "Nats-Msg-Id": f"retry:{letter.name}"}
        await client.jetstream().publish(letter.subject, letter.body, timeout=5, headers=headers)
    await letters.drop(client, letter.seq)


def _letter(asked: Asked, name: str) -> Letter:
    if asked.letter is None or asked.letter.tenant != asked.tenant:
        raise Refused(
            "letter_not_found",
            f"Dead letter {name} not found; they are kept 30 days, and gone when the bus was made anew.",
            status=404,
        )
    return asked.letter


def _not_retryable(letter: Letter, why: str) -> Refused:
    return Refused(
        "not_retryable", f"Dead letter {letter.name} {why}; it can only be dropped.", status=409
    )


async def _open_units(turn: Turn, letter: Letter) -> tuple[UUID, ...]:
    named = letter.named().units
    await turn.load_work(named)
    units = tuple(unit for unit in named if not turn.is_done(unit))
    if not units:
        raise Refused(
            "not_retryable",
            "The units of this command have their outcomes already. What failed is asked again by restarting its job"
            " (POST /api/v1/jobs/restart/{id}) or by processing its document once more.",
            status=409,
        )
    return units


async def _say(turn: Turn, asked: Asked, letter: Letter, *events: Event) -> UUID:
    stream = uuid5(GRISTMILL, f"letter/{asked.tenant}/{letter.name}")
    row = await turn.row(stream) or turn.new_row(stream, asked.tenant, "letter")
    await say(turn, asked, row, letter.named().job_id or stream, *events)
    return stream
