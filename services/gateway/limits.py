"""What a request may be before anything reads it: its path without a trailing slash, its body of a bounded size that
comes in a bounded time.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import answer
from services.gateway.showing import BASE
from shared.clock import monotonic

MOST_JSON = 2 * 1024 * 1024
"""Bytes of a body that is no upload."""
UPLOADS = f"{BASE}/documents/upload"
"""Takes multipart bodies, which are counted file by file and timed piece by piece where they are read."""


class OneSlash:
    """Every route answers with and without a trailing slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            # In place: the outer layers want to know which route answered.
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self._app(scope, receive, send)


class Cors(CORSMiddleware):
    """Spares requests of no web page the search for what only web pages say: most of them come from programs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not header(scope, b"origin"):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class BodyLimit:
    """Refuses larger bodies with 413, by their announced size or as soon as they have come so far, and with 408 those
    that have not come whole after ``within`` seconds. Leaves uploads alone.
    """

    def __init__(self, app: ASGIApp, within: float) -> None:
        self._app = app
        self._within = within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_upload(scope):
            await self._app(scope, receive, send)
            return
        length = header(scope, b"content-length")
        refusal = f"The body is larger than {MOST_JSON} bytes."
        if length.isdigit() and int(length) > MOST_JSON:
            await answer(413, "body_too_large", refusal)(scope, receive, send)
            return
        seen, whole, until = 0, False, monotonic() + self._within

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:
                # What comes now is that the client has gone, which may take as long as the answer.
                return await receive()
            try:
                async with asyncio.timeout(until - monotonic()):
                    message = await receive()
            except TimeoutError:
                late = f"The body had not come whole after {self._within:g} s. Send it again."
                raise HTTPException(408, late) from None
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > MOST_JSON:
                raise HTTPException(413, refusal)
            return message

        await self._app(scope, counted, send)


def _is_upload(scope: Scope) -> bool:
    kind = header(scope, b"content-type").lower()
    return scope["path"] == UPLOADS and kind.startswith(b"multipart/")


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of this name, which is in lower case; empty where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
