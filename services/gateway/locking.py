"""The lock of the API: with any key configured, every request must bring one, but for the pages that say what this is.

Never: keeps a key, or says which part of one was wrong.
"""

from collections.abc import Collection

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.limits import header
from shared.api_keys import is_known

HEADER = b"x-api-key"
OPEN = ("/", "/health", "/api/v1/health", "/docs", "/redoc", "/openapi.json")


class Lock:
    """Answers 401 where the key is missing or wrong; open where no key is configured."""

    def __init__(self, app: ASGIApp, hashes: Collection[str]) -> None:
        self._app = app
        self._hashes = tuple(hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._hashes and scope["path"] not in OPEN:
            key = header(scope, HEADER)
            if not key:
                await _unauthorized("Missing X-API-Key header")(scope, receive, send)
                return
            if not is_known(key.decode(errors="surrogateescape"), self._hashes):
                await _unauthorized("Invalid API key")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _unauthorized(message: str) -> JSONResponse:
    return JSONResponse({"error": "Unauthorized", "message": message}, status_code=401)
