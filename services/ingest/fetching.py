"""Gets what lies at an address of the web, and connects to no address that was not checked. Parses nothing.

Every name is resolved here, every address that it has is checked, and the connection is made to what was checked;
a redirect is a new address. No proxy of the environment is used, and nothing but the request itself is sent.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.ingest.addresses import Allowed, FetchRefused, check_address, check_url
from shared.errors import GristmillError, Unavailable

MOST_REDIRECTS = 5
MOST_BYTES = 100 * 1024 * 1024
PIECE = 64 * 1024
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_NO_SUCH_NAME = frozenset((socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)))
_LONGEST_PAUSE = 60.0
AGENT = "gristmill/0.1 (fetches documents that its users name)"


@dataclass(frozen=True, slots=True)
class Found:
    """The head of an answer, with its body still to come."""

    url: str
    media: str
    charset: str
    file_name: str
    pieces: AsyncIterator[bytes]


class _Checked(AbstractResolver):
    """Resolves a name and refuses it as soon as one of its addresses is not allowed."""

    def __init__(self, allow: Allowed) -> None:
        self._allow = allow
        self._passed = set[str]()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        for *_, address in found:
            check_address(host, str(address[0]), self._allow)
            self._passed.add(str(address[0]))
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    def socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to: of a literal one, nobody was asked before."""
        family, kind, protocol, _, address = info
        if str(address[0]) not in self._passed:
            check_address(str(address[0]), str(address[0]), self._allow)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is kept open."""


@asynccontextmanager
async def opened(url: str, allow: Allowed, seconds: float) -> AsyncIterator[Found]:
    """The answer at an address, after at most five redirects.

    Raise ``FetchRefused``, ``Unavailable`` (worth another try) or ``GristmillError`` (``fetch_failed``,
    ``fetch_too_large``), the two latter also while the body is read.
    """
    checked = _Checked(allow)
    connector = aiohttp.TCPConnector(
        resolver=checked, socket_factory=checked.socket, use_dns_cache=False, force_close=True
    )
    timeout = aiohttp.ClientTimeout(total=seconds, connect=min(15.0, seconds), sock_read=30.0)
    headers = {"User-Agent": AGENT, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        try:
            answer = await _followed(session, url, allow)
            async with answer:
                _check_status(answer)
                if (answer.content_length or 0) > MOST_BYTES:
                    raise _too_large()
                named = answer.content_disposition
                yield Found(
                    url=str(answer.url),
                    media=answer.content_type if "Content-Type" in answer.headers else "",
                    charset=answer.charset or "",
                    file_name=(named.filename if named else None) or "",
                    pieces=_limited(answer),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise failure(url, problem) from problem


async def _followed(
    session: aiohttp.ClientSession, url: str, allow: Allowed
) -> aiohttp.ClientResponse:
    for _ in range(MOST_REDIRECTS + 1):
        # What is checked is what the client reads out of it: to it, 127。0。0。1 is 127.0.0.1.
        asked = _read(url)
        check_url(str(asked), allow)
        answer = await session.get(asked, allow_redirects=False)
        target = answer.headers.get("Location")
        if answer.status not in (301, 302, 303, 307, 308) or target is None:
            return answer
        answer.close()
        try:
            url = str(answer.url.join(URL(target)))
        except ValueError:
            raise GristmillError("fetch_failed", "It redirects to what is no address.") from None
    raise GristmillError("fetch_failed", f"It redirects more than {MOST_REDIRECTS} times.")


def _read(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise FetchRefused("That is not an address of the web.") from None


def _check_status(answer: aiohttp.ClientResponse) -> None:
    if answer.status in _AGAIN:
        said = answer.headers.get("Retry-After", "")
        pause = min(float(said), _LONGEST_PAUSE) if said.isdecimal() else 0.0
        raise away(answer.url.host or "", f"it answers {answer.status}", pause)
    if answer.status != 200:
        raise GristmillError(
            "fetch_failed",
            f"{answer.url.host} answers {answer.status} {answer.reason or ''}".strip() + ".",
        )


async def _limited(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body in pieces, unpacked; what it unpacks to counts."""
    size = 0
    async for piece in answer.content.iter_chunked(PIECE):
        size += len(piece)
        if size > MOST_BYTES:
            raise _too_large()
        yield piece


def _too_large() -> GristmillError:
    return GristmillError(
        "fetch_too_large", f"What lies there is larger than {MOST_BYTES // 1024**2} MB."
    )


def away(host: str, reason: str, pause: float = 0.0) -> Unavailable:
    return Unavailable(
        "fetch_failed", f"{host}: {reason}", waiting_for=host or "the web", retry_after=pause
    )


def failure(url: str, problem: Exception) -> GristmillError:
    """A failure of the connection as one of ours; what may pass by itself is worth another try."""
    host = URL(url).host or ""
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        cause = problem.os_error
        if isinstance(cause, socket.gaierror) and cause.errno in _NO_SUCH_NAME:
            return GristmillError("fetch_failed", f"There is no host named {host}.")
        return away(host, "its name cannot be resolved now")
    if isinstance(problem, aiohttp.ClientSSLError):
        return GristmillError("fetch_failed", f"{host} shows no certificate that can be trusted.")
    if isinstance(problem, aiohttp.InvalidURL):
        return GristmillError("fetch_failed", "It redirects to what is no address.")
    if isinstance(problem, TimeoutError):
        return away(host, "it takes too long")
    refused = isinstance(problem, OSError) and problem.errno == errno.ECONNREFUSED
    return away(host, "it refuses the connection" if refused else "the connection fails")
