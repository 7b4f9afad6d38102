"""Sliding windows of sentences. Cuts nowhere but where a sentence starts (or where one is monstrous)."""

import re
from collections.abc import Iterator

from services.chunk.chunkers import counted
from services.chunk.chunkers.sentences import boundaries

LONGEST = 5_000
"""Characters of a sentence; a longer one is cut, at a space where its second half has one."""

_LAST_SPACE = re.compile(r"(?s).*\s")


def windows(
    text: str, size: int, overlap: int, language: str | None = None
) -> Iterator[tuple[int, int]]:
    """``[start, end)`` of windows of ``size`` sentences, each sharing ``overlap`` with the one before.

    A window runs from the start of its first sentence to the start of the sentence after its last, so the windows
    leave no gap; the first starts at 0, the last ends with the text and holds a sentence that the one before does
    not. A blank text has no window.
    """
    return counted.windows([*starts(text, language), len(text)], size, overlap)


def starts(text: str, language: str | None = None) -> list[int]:
    """Where the sentences of a text start; the first start is 0, and a blank text has none."""
    begin = len(text) - len(text.lstrip())
    if begin == len(text):
        return []
    found: list[int] = []
    start = begin
    for border in (*boundaries(text, begin, len(text), language), len(text)):
        found.extend(_cut(text, start, border))
        start = border
    found[0] = 0
    return found


def _cut(text: str, start: int, end: int) -> Iterator[int]:
    """The starts of the pieces of one sentence; the space after it does not count as its length."""
    yield start
    if end - start <= LONGEST:
        return
    end = start + len(text[start:end].rstrip())
    while end - start > LONGEST:
        space = _LAST_SPACE.match(text, start + LONGEST // 2, start + LONGEST)
        start = space.end() if space else start + LONGEST
        yield start
