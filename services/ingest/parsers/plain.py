"""Bytes of plain text to characters: Unicode with or without a mark, or a one-byte Western encoding. Refuses binary."""

import codecs
import re

from services.ingest.parsers.outcome import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ODD = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 64 * 1024
_LATIN_SHARE = 0.25
_WESTERN = ("cp1252", "latin_1")


def _unmarked_utf16(data: bytes) -> str | None:
    """Tell UTF-16 without a mark by its zero bytes, which lie on one side only in Western text."""
    sample = data[: _SAMPLE & ~1]
    if len(data) % 2 or len(sample) < 4:
        return None
    half = len(sample) // 2
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high > half * 0.4 and low < half * 0.05:
        return "utf-16-le"
    if low > half * 0.4 and high < half * 0.05:
        return "utf-16-be"
    return None


def _guessed(data: bytes) -> str:
    """Windows-1252, as browsers do, unless so many bytes are beyond ASCII that the script cannot be Latin.

    For other scripts charset-normalizer is asked. It takes short Western text for a rarer code page too often to be
    asked about that.
    """
    sample = data[:_SAMPLE]
    if sum(byte > 0x7F for byte in sample) < len(sample) * _LATIN_SHARE:
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_exclusion=["utf_7"], enable_fallback=False).best()
    return best.encoding if best is not None else "cp1252"


def decode(data: bytes, declared: str = "") -> str:
    """Decode ``data``; ``declared`` is the encoding that the document itself names, tried before guessing.

    Raise ``Unreadable`` with ``binary_file`` where the bytes are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    unmarked = _unmarked_utf16(data)
    if unmarked:
        return _strictly(data, unmarked)
    # A stray control character is cleaned away; more than one in two hundred bytes is no text.
    if len(_ODD.findall(data[:_SAMPLE])) > max(4, len(data[:_SAMPLE]) // 200):
        raise _binary()
    for encoding in ("utf-8", declared):
        try:
            if encoding:
                return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    for encoding in (_guessed(data), *_WESTERN):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _binary()


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _binary() from error


def _binary() -> Unreadable:
    return Unreadable(
        "binary_file",
        "The file holds binary data, not text. If it is a document, give it the name ending of its format.",
    )
