"""Tags that keep a source's text apart from what is said about it. Pure, and lossless in both directions.

A block stands between ``<name-nonce>`` and ``</name-nonce>``. Whatever looks like one of our tags inside a block gets
a backslash after its ``<``, so no source can close its own block, and taking one backslash off gives the text back.
"""

import hashlib
import json
import re
from uuid import UUID

BLOCKS = ("document", "heading", "before", "after", "passage", "plan", "focus", "avoid")
_NAMES = "|".join(BLOCKS)
_TAG = re.compile(rf"<(?=\\*/?(?:{_NAMES})\b)", re.IGNORECASE)
_ESCAPED = re.compile(rf"<\\(?=\\*/?(?:{_NAMES})\b)", re.IGNORECASE)


def nonce(identity: UUID) -> str:
    """Twelve hex digits of a hash, which the author of a document could not know when writing it."""
    return hashlib.sha256(identity.bytes).hexdigest()[:12]


def escape(text: str) -> str:
    """Put a backslash into everything that looks like one of our tags, escaped ones included."""
    return _TAG.sub(r"<\\", text) if "<" in text else text


def unescape(text: str) -> str:
    """The inverse of ``escape``."""
    return _ESCAPED.sub("<", text) if "<\\" in text else text


def block(name: str, code: str, text: str) -> str:
    """``text`` must be escaped already; its own line breaks stay as they are."""
    return f"<{name}-{code}>\n{text}\n</{name}-{code}>"


def inside(name: str, message: str) -> str | None:
    """What the first block of that name holds, still escaped; None where the message has no such block."""
    opening = re.search(rf"<{name}-([0-9a-f]{{12}})>\n", message)
    if opening is None:
        return None
    # The line break before the closing tag is ours, and an empty block has one between its two.
    end = message.find(f"\n</{name}-{opening.group(1)}>", opening.end())
    return message[opening.end() : end] if end >= 0 else None


def quoted(text: str) -> str:
    """One line for any text, so that a list of texts can be read back item by item."""
    return escape(json.dumps(text, ensure_ascii=False))


def unquoted(line: str) -> str:
    """The inverse of ``quoted``; ValueError where the line is no JSON string."""
    value = json.loads(unescape(line))
    if not isinstance(value, str):
        raise ValueError(f"not a quoted text: {line[:80]}")  # noqa: TRY004 - one error for what cannot be read
    return value
