"""A quick look before a long pattern: does a text hold any of the pieces of which each match needs one?

A pattern of a hundred alternatives is tried at every character; to look for forty short pieces takes a thirtieth of
that. Whoever changes a pattern changes its needles, and tests draw matches of the patterns to see that they do.
"""

from collections.abc import Sequence


def holds(text: str, needles: Sequence[str]) -> bool:
    """Whether any of the needles stands in the text, inside of words too."""
    return any(map(text.__contains__, needles))


def needles(table: str) -> tuple[str, ...]:
    """The needles of a table, in which ``|`` parts them."""
    return tuple(table.split("|"))
