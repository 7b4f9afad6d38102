"""How many requests a client address may make: windows that are counted, and the middleware that asks them.

A window begins with the client's first request and lasts a fixed time. The memory is bounded: of very many clients,
those whose windows began first are forgotten.
"""

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import answer
from shared.api_keys import is_loopback
from shared.clock import monotonic, now
from shared.settings import Settings

DEFAULT = 200
"""Requests in a window where nobody set a number."""
MOST_CLIENTS = 20_000
REFUSAL = "Too many requests. Please try again later."
UNCOUNTED = ("/health", "/api/v1/health")
"""Asked again and again by whoever keeps the gateway running."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What one request did to its client's window."""

    allowed: bool
    remaining: int
    left: float
    """Seconds until the window ends."""


class Windows:
    """The windows of all clients. Time is an input."""

    def __init__(self, limit: int, seconds: float, most: int = MOST_CLIENTS) -> None:
        self.limit = limit
        self._seconds = seconds
        self._most = most
        self._began: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """When each window began, and what was counted in it; the oldest first."""

    def hit(self, client: str, at: float) -> Hit:
        began, count = self._began.get(client, (at, 0))
        if at - began >= self._seconds:
            began, count = at, 0
        if not count:
            self._began.pop(client, None)
        self._began[client] = (began, min(count + 1, self.limit + 1))
        while len(self._began) > self._most:
            self._began.popitem(last=False)
        left = max(0.0, began + self._seconds - at)
        return Hit(count < self.limit, max(0, self.limit - count - 1), left)

    def __len__(self) -> int:
        return len(self._began)


class RateLimit:
    """Answers 429 where a client asks too often, and tells every counted client how much is left.

    ``X-RateLimit-Reset`` is in seconds since 1970, as clients of such headers expect.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        limit = DEFAULT if settings.rate_limit is None else settings.rate_limit
        self._app = app
        self._windows = Windows(limit, settings.rate_window) if limit else None
        self._all = settings.rate_limit is not None or bool(settings.key_hashes)
        """Also those on loopback."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._windows is None or scope["path"] in UNCOUNTED:
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope["client"] else ""
        if not self._all and is_loopback(address):
            await self._app(scope, receive, send)
            return
        hit = self._windows.hit(_client(address), monotonic())
        told = {
            "X-RateLimit-Limit": str(self._windows.limit),
            "X-RateLimit-Remaining": str(hit.remaining),
            "X-RateLimit-Reset": str(math.ceil(now().timestamp() + hit.left)),
        }

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        if hit.allowed:
            await self._app(scope, receive, telling)
            return
        refusal = answer(429, "too_many_requests", REFUSAL)
        refusal.headers["Retry-After"] = str(max(1, math.ceil(hit.left)))
        await refusal(scope, receive, telling)


def _client(address: str) -> str:
    """Whom a request counts for: an IPv6 client owns a whole /64, and could take another address each time."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((int(found), 64), strict=False))
