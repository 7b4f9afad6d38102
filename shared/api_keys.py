"""API keys of the gateway: made, hashed and compared. Keeps no key, only its SHA-256, and puts none into a message.

A key is 256 random bits, so a fast hash of it gives nothing away.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection
from functools import lru_cache

from shared.errors import GristmillError, Refused

MARK = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[\x21-\x7e]{8,200}")


def fresh_key() -> str:
    """A key that nobody can guess."""
    return f"gm_{secrets.token_urlsafe(32)}"


def hash_of(key: str) -> str:
    """The SHA-256 of a key, as 64 hexadecimal digits."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def hashes_of(said: str) -> tuple[str, ...]:
    """The hashes of keys that are separated by commas; one may be said as ``sha256:<hex>``, by its hash.

    Raise ``GristmillError``, which does not repeat the key, where one cannot be used.
    """
    found: list[str] = []
    for n, key in enumerate((each.strip() for each in said.split(",")), 1):
        if not key:
            continue
        hashed = key.removeprefix(MARK)
        if hashed != key and not _HASH.fullmatch(hashed):
            raise _unusable(n, f"after {MARK} come 64 hexadecimal digits")
        if hashed == key and not _KEY.fullmatch(key):
            raise _unusable(n, "a key is 8 to 200 visible ASCII characters")
        found.append(hash_of(key) if hashed == key else hashed)
    return tuple(dict.fromkeys(found))


def _unusable(n: int, why: str) -> GristmillError:
    return GristmillError("invalid_api_key", f"API key {n} cannot be used: {why}.")


def is_known(key: str, hashes: Collection[str]) -> bool:
    """Whether one of the hashes is of this key; takes the same time whichever it is, and where none is."""
    mine = hash_of(key)
    found = False
    for each in hashes:
        found |= hmac.compare_digest(mine, each)
    return found


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_open(host: str, hashes: Collection[str]) -> None:
    """Raise ``Refused`` where others than this machine could reach a gateway that asks nobody for a key."""
    if hashes or is_loopback(host):
        return
    raise Refused(
        "api_key_required",
        f"{host} can be reached by others, and no API key is set: make one with `gristmill key` and set"
        " GRISTMILL_API_KEYS, or listen on 127.0.0.1.",
        status=403,
        field="host",
    )
