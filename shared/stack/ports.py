"""Free ports on loopback for servers that must come back on the port they had."""

import secrets
import socket

LOWEST, HIGHEST = 15_000, 31_999
"""Below the range from which systems draw the ports of outgoing connections (32768 and up): a client that
knocks at a server's port while the server restarts could otherwise be given that very port and hold it."""
TRIES = 200


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody held a moment ago; the caller tries again with another where somebody was faster."""
    for _ in range(TRIES):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        if is_free(host, port):
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
