"""The one HTTP session of the model client; the only place in ``shared.llm`` that imports aiohttp.

Knows no provider: it posts bytes and returns bytes, and says what kept it from doing so. Connections are kept alive
and unlimited in number, because how many calls run at once is decided before they get here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

CONNECT_TIMEOUT = 10.0
USER_AGENT = "gristmill"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: bytes


class PostFailed(Exception):
    """No reply came: ``kind`` is timeout, network, or malformed_response."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Http:
    """A session that opens at its first use, inside the running loop."""

    def __init__(self, timeout: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
                timeout=self._timeout,
            )
        return self._session

    async def post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post ``body`` once, following no redirect: a key goes to the host that it was given for."""
        try:
            async with self._open().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        except TimeoutError:
            raise PostFailed("timeout", f"no answer within {self._timeout.total:g} s") from None
        except aiohttp.ClientResponseError as error:
            raise PostFailed("malformed_response", f"not HTTP ({error.message})") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PostFailed("network", str(error) or type(error).__name__) from None

    async def close(self) -> None:
        """Close all connections; those in use are cut."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
