"""Places in the log as the API takes and says them: opaque to its users, ``"<era>.<n>"`` in here.

Every answer under the API's base says how far the views had come, or where its write stands. A read may name a position
that it must see, and waits for it a little.
"""

import re
from contextvars import ContextVar
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.message import Position as Said
from services.gateway.problems import answer
from services.gateway.showing import BASE
from services.gateway.views.projector import Reached
from shared.errors import Refused
from shared.store import Eras, Position

__all__ = ["HEADER", "MIN_HEADER", "Positions", "Said", "note", "parse", "parse_or_none"]

HEADER = "Gristmill-Position"
MIN_HEADER = "Gristmill-Min-Position"
PATIENCE = 2.0
"""Seconds that a read waits for a position."""
_FORM = re.compile(r"[0-9]{1,9}\.[0-9]{1,18}")
_written: ContextVar[list[Position] | None] = ContextVar("written", default=None)


def parse(text: str, field: str) -> Position:
    """Raise ``Refused`` for what is no position."""
    if not _FORM.fullmatch(text):
        raise Refused(
            "invalid_position",
            f"{field}: this is no position; take one from {HEADER} or from an answer, as it is.",
            field=field,
        )
    return Position.parse(text)


def still_held(position: Position, known: Eras, field: str) -> Position:
    """The position, where the log still holds what stood there. Raise ``Refused`` where a restore lost it."""
    if not known.holds(position):
        raise Refused(
            "position_outdated",
            f"{field}: the log was restored to an older point, and what stood at {position} is lost. Ask again without "
            "a position; events that you know keep their ids. What you asked for since may have to be asked for again.",
            status=409,
            field=field,
        )
    return position


def parse_or_none(text: str | None, field: str) -> Position | None:
    return None if text is None else parse(text, field)


def note(position: str | None) -> None:
    """Remember where the request that is being answered has written."""
    written = _written.get()
    if written is not None and position is not None:
        written.append(Position.parse(position))


class Positions:
    """Says the position on every answer, and has reads wait for the one that they must see."""

    def __init__(self, app: ASGIApp, reached: Reached) -> None:
        self._app = app
        self._reached = reached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(BASE):
            await self._app(scope, receive, send)
            return
        written: list[Position] = []

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                position = max((self._reached.position, *written), key=_order)
                headers = [*message["headers"], (HEADER.lower().encode(), str(position).encode())]
                message = {**message, "headers": headers}
            await send(message)

        if scope["method"] in ("GET", "HEAD"):
            try:
                wanted = _wanted(scope, self._reached.eras)
            except Refused as problem:
                refusal = answer(problem.status, problem.code, problem.message, problem.field)
                await refusal(scope, receive, say)
                return
            if wanted is not None and not await self._reached.wait(wanted, PATIENCE):
                behind = answer(503, "view_behind", f"The views have not come to {wanted} yet.")
                behind.headers["Retry-After"] = "1"
                await behind(scope, receive, say)
                return
        token = _written.set(written)
        try:
            await self._app(scope, receive, say)
        finally:
            _written.reset(token)


def _order(position: Position) -> tuple[int, int]:
    return position.era, position.n


def _wanted(scope: Scope, known: Eras) -> Position | None:
    """The position that a read must see, if it names one. Raise ``Refused`` for what is none, or is lost."""
    query = scope["query_string"]
    if b"min_position" in query and (
        found := parse_qs(query.decode("latin-1"), keep_blank_values=True).get("min_position")
    ):
        return still_held(parse(found[-1], "min_position"), known, "min_position")
    for name, value in scope["headers"]:
        if name == b"gristmill-min-position":
            return still_held(parse(value.decode("latin-1"), MIN_HEADER), known, MIN_HEADER)
    return None
