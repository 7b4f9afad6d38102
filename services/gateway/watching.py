"""What the gateway tells of each request: a span, counts by route and status, a line for what failed.

An outer layer of the application, just inside `request_ids`. Changes nothing of a request or an answer.
"""

import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.limits import header
from services.gateway.showing import BASE
from shared.clock import monotonic
from shared.telemetry import scope as said
from shared.telemetry import traces
from shared.telemetry.metrics import LISTENERS, REQUEST_SECONDS, REQUESTS, REQUESTS_OPEN

log = logging.getLogger(__name__)

UNWATCHED = frozenset({"/health", "/metrics"})
"""Asked every few seconds by machines: counted, but neither traced nor logged."""
_TRACE = traces.HEADER.encode()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Watched:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = _Answered(str(scope["state"]["request_id"]), send)
        began = monotonic()
        REQUESTS_OPEN.add()
        try:
            with said.bound(request=answered.request):
                if scope["path"] in UNWATCHED:
                    await self._app(scope, receive, answered.send)
                else:
                    await self._traced(scope, receive, answered)
        finally:
            REQUESTS_OPEN.add(by=-1)
            answered.end()
            route = route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.add(route, method, str(answered.status))
            if not answered.streams:
                REQUEST_SECONDS.observe(monotonic() - began, route)

    async def _traced(self, scope: Scope, receive: Receive, answered: "_Answered") -> None:
        parent = traces.context_from(header(scope, _TRACE).decode("latin-1"))
        with traces.Span("request", "server", parent) as span:
            try:
                await self._app(scope, receive, answered.send)
            finally:
                route, status = route_of(scope), answered.status
                span.name = f"{scope['method']} {route}"
                named: dict[str, str | int] = {
                    "request": answered.request,
                    "http.request.method": scope["method"],
                    "http.route": route,
                    "http.response.status_code": status,
                }
                span.set(**named)
                span.code = str(status) if status >= 500 else None
                level = logging.WARNING if status >= 500 else logging.DEBUG
                if log.isEnabledFor(level):
                    log.log(level, "%s %s: %d", scope["method"], route, status)


class _Answered:
    """What is known of an answer while it is sent."""

    def __init__(self, request: str, send: Send) -> None:
        self.request = request
        self.status = 500
        self.streams = False
        """It is an event stream, which lasts as long as somebody listens."""
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = Headers(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/event-stream"):
                self.streams = True
                LISTENERS.add()
        await self._send(message)

    def end(self) -> None:
        if self.streams:
            LISTENERS.add(by=-1)


def route_of(scope: Scope) -> str:
    """The template of the route that answered, so that there are as many as routes and not as many as paths."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "unmatched"
    return f"{BASE}{path}" if scope["path"].startswith(f"{BASE}/") else str(path)
