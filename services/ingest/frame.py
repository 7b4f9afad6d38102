"""How parent and child talk: frames of a JSON header and raw bytes over pipes.

Never pickles, so that a child which a file has taken over cannot make its parent run code.
"""

import json
import struct
from typing import Any, BinaryIO

LENGTH = struct.Struct("!I")


def encode(header: dict[str, Any], body: bytes = b"") -> bytes:
    """A frame: four bytes of the header's length, the header (with the body's ``size`` in bytes), the body."""
    head = json.dumps({**header, "size": len(body)}).encode()
    return LENGTH.pack(len(head)) + head + body


def header_of(head: bytes) -> dict[str, Any]:
    """Raise ``ValueError`` where the bytes are no header."""
    header = json.loads(head)
    if not isinstance(header, dict) or not isinstance(header.get("size"), int):
        raise ValueError("a frame's header is an object with a size")  # noqa: TRY004 - what came, not who called
    return header


def read(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame, waiting for it; None at the end of the pipe."""
    length = source.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    header = header_of(source.read(LENGTH.unpack(length)[0]))
    return header, source.read(header["size"])
