"""Stretches of stored texts, and lines of stored tables, read from the blobs in flat memory."""

import codecs
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from contracts.blob import BlobRef
from shared.blobs import Blobs

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")


def tokens(text: str) -> int:
    """Words, numbers and marks of punctuation: a count that needs no model's own vocabulary."""
    return sum(1 for _ in _TOKEN.finditer(text))


async def lines(blobs: Blobs, tenant: str, ref: BlobRef) -> AsyncGenerator[bytes]:
    """The lines of a table, each with its line feed. Raise ``BlobMissing`` where it is gone."""
    rest = b""
    pieces = blobs.stream(tenant, ref)
    try:
        async for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line + b"\n"
        if rest:
            yield rest + b"\n"
    finally:
        await _close(pieces)


async def passages(
    blobs: Blobs, tenant: str, ref: BlobRef, spans: Sequence[tuple[int, int]]
) -> AsyncIterator[tuple[int, str]]:
    """(place among ``spans``, text) of each span, in the order of their starts; the text is read once.

    Spans count code points. Memory: the longest span and a piece. Raise ``BlobMissing`` where the text is gone.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    held, base = "", 0
    pieces = blobs.stream(tenant, ref)
    try:
        for place in sorted(range(len(spans)), key=spans.__getitem__):
            start, end = spans[place]
            while base + len(held) < end and (piece := await anext(pieces, None)) is not None:
                passed = min(len(held), max(0, start - base))
                held, base = held[passed:] + decoder.decode(piece), base + passed
            yield place, held[max(0, start - base) : max(0, end - base)]
    finally:
        await _close(pieces)


async def line_count(blobs: Blobs, tenant: str, ref: BlobRef) -> int:
    """Lines of a text; one that ends in a line feed has none after it."""
    found, last = 0, b"\n"
    async for piece in blobs.stream(tenant, ref):
        found += piece.count(b"\n")
        last = piece[-1:] or last
    return found + (last != b"\n")


async def _close(pieces: AsyncIterator[bytes]) -> None:
    """A stream that is left before its end gives its file back at once."""
    if isinstance(pieces, AsyncGenerator):
        await pieces.aclose()
