"""Windows of a fixed number of characters. Never looks at what the characters say."""

from collections.abc import Iterator


def windows(length: int, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of each window over a text of ``length`` code points.

    Each window is ``size`` long and starts ``size - overlap`` after the one before. The last one ends where the
    text ends, may be shorter, and always holds at least one character that the one before does not.
    """
    start, step = 0, size - overlap
    while length > 0:
        end = min(start + size, length)
        yield start, end
        if end == length:
            return
        start += step
