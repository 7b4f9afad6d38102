"""A name for each request, the caller's own where it brings one: in its answer, and in the log where it failed."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.limits import header
from shared.clock import fresh_id

HEADER = "X-Request-Id"
_USABLE = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
"""Nothing that a log or a header could take for something else."""


class RequestIds:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = header(scope, HEADER.lower().encode())
        id = said.decode() if _USABLE.fullmatch(said) else str(fresh_id())
        scope.setdefault("state", {})["request_id"] = id

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        await self._app(scope, receive, named)
