"""Dead letters as an operator sees them: masked, bounded, readable whatever they hold. Changes nothing."""

import orjson
from pydantic import JsonValue

from services.gateway.dead_letter_shapes import DeadLetter, DeadLetterWhole
from services.gateway.deps import Deps
from shared import letters
from shared.errors import Refused
from shared.letters import Letter, Listed
from shared.telemetry.masking import Mask, secrets_of

MOST_BODY = 64 * 1024
"""Characters of a body that are shown."""


async def newest(deps: Deps) -> tuple[list[Listed], bool]:
    """Those of the tenant. Raise ``Unavailable`` where the bus is away."""
    return await deps.letters.newest(deps.bus_is_there(), deps.tenant)


async def whole(deps: Deps, name: str) -> DeadLetterWhole:
    """Raise ``Refused`` (404) where the tenant has none of that name."""
    letter = await letters.letter(deps.bus_is_there(), name)
    if letter is None or letter.tenant != deps.tenant:
        raise Refused("letter_not_found", f"Dead letter {name[:64]} not found", status=404)
    mask = Mask(secrets_of(deps.settings))
    encoding, body, is_cut = _body(letter, mask)
    return DeadLetterWhole(
        **shown(Listed.of(letter), mask).model_dump(),
        headers={name: str(mask.value(name, said)) for name, said in letter.headers.items()},
        encoding=encoding,
        body=body,
        truncated=is_cut or not letter.is_whole,
    )


def shown(letter: Listed, mask: Mask) -> DeadLetter:
    return DeadLetter(
        id=letter.name,
        service=letter.service,
        subject=letter.subject,
        type=letter.type,
        message_id=letter.message_id,
        code=letter.code,
        reason=mask.text(letter.reason),
        buried_at=letter.at,
        size=letter.size,
        job_id=str(letter.job_id) if letter.job_id else None,
        retry_of=letter.retry_of,
    )


def _body(letter: Letter, mask: Mask) -> tuple[str, JsonValue, bool]:
    """How a body is shown, what of it, and whether it was cut."""
    try:
        text = letter.body.decode()
    except UnicodeDecodeError:
        return "hex", letter.body[: MOST_BODY // 2].hex(), len(letter.body) > MOST_BODY // 2
    if len(text) > MOST_BODY:
        return "text", mask.text(text[:MOST_BODY]), True
    try:
        value = orjson.loads(text)
        # What was taken in may lie deeper than what can be said again.
        orjson.dumps(value)
    except (orjson.JSONDecodeError, TypeError):
        return "text", mask.text(text), False
    return "json", _masked(value, mask), False


def _masked(value: JsonValue, mask: Mask) -> JsonValue:
    """The value itself where nothing in it is secret, so that numbers stay numbers."""
    match value:
        case dict():
            return {
                key: _masked(each, mask)
                if isinstance(each, dict | list)
                else each
                if not isinstance(each, str)
                else str(mask.value(key, each))
                for key, each in value.items()
            }
        case list():
            return [_masked(each, mask) for each in value]
        case str():
            return mask.text(value)
        case _:
            return value
