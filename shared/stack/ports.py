"""Free ports on loopback for servers that must come back on the port they had."""

import secrets
import socket
from collections.abc import Awaitable, Callable
from functools import partial

from shared.stack.child import Child, ChildEnded

LOWEST, HIGHEST = 15_000, 31_999
"""Below the range from which systems draw the ports of outgoing connections (32768 and up): a client that
knocks at a server's port while the server restarts could otherwise be given that very port and hold it."""
TRIES = 200
STARTS = 5


def free_port(host: str = "127.0.0.1", *, distance: int = 0) -> int:
    """A port that nobody held a moment ago; the caller tries again with another where somebody was faster.

    With a ``distance`` the port so far above it is free as well, and drawn from the same range.
    """
    for _ in range(TRIES):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST - distance + 1)
        if is_free(host, port) and is_free(host, port + distance):
            return port
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False


async def listening(
    make: Callable[[int], Child],
    answers: Callable[[int], Awaitable[bool]],
    within: float,
    first: int | None = None,
) -> tuple[Child, int]:
    """Start a server on port ``first``, or else on a free one, and wait until it answers there.

    Raise ``ChildEnded`` where it does not, with its last words.
    """
    for attempt in range(1, STARTS + 1):
        port = first if first is not None and attempt == 1 else free_port()
        child = make(port)
        await child.spawn()
        try:
            await child.ready(partial(answers, port), within)
        except ChildEnded as ended:
            await child.stop()
            # A server that ended most likely lost the race for its port; one that hangs would hang again.
            if ended.hung or attempt == STARTS:
                raise
        except BaseException:
            await child.stop()
            raise
        else:
            return child, port
    raise AssertionError("unreachable: the last attempt returns or raises")
