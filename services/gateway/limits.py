"""What a request may be before anything reads it: its path without a trailing slash, its body of a bounded size."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import answer

MOST_JSON = 2 * 1024 * 1024
"""Bytes of a body that is no upload."""


class OneSlash:
    """Every route answers with and without a trailing slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            # In place: the outer layers want to know which route answered.
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses larger bodies with 413, by their announced size or as soon as they have come so far.

    Uploads (multipart) are counted file by file where they are read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or header(scope, b"content-type").lower().startswith(
            b"multipart/"
        ):
            await self._app(scope, receive, send)
            return
        length = header(scope, b"content-length")
        refusal = f"The body is larger than {MOST_JSON} bytes."
        if length.isdigit() and int(length) > MOST_JSON:
            await answer(413, "body_too_large", refusal)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MOST_JSON:
                raise HTTPException(413, refusal)
            return message

        await self._app(scope, counted, send)


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of this name, which is in lower case; empty where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
