r"""Splits a text at the places that a user's rules name, in time linear in the text whatever the patterns.

Patterns are matched by RE2 (as pyarrow brings it), which has no backtracking and hence no look-around and no back
references; ``\w``, ``\d`` and ``\s`` mean ASCII. Pieces lie end to end and leave out blank stretches only.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise

from contracts.document import Chunking, SplitRule, Structure
from services.chunk.chunkers.delimiter import fitting
from services.chunk.chunkers.refusal import ChunkingRefused

MARK = "\0"


def pieces(text: str, structure: Structure, chunking: Chunking) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of each piece, none longer than ``chunking.size`` and none blank.

    Raises:
        ChunkingRefused: a pattern is none that RE2 can match.
    """
    found = [set(_places(text, structure, rule, chunking)) for rule in chunking.rules]
    together = set.union if chunking.combine == "any" else set.intersection
    places = sorted(reduce(together, found) | {0, len(text)})
    for start, end in pairwise(places):
        yield from fitting(text, start, end, chunking.size, structure.language)


def _places(text: str, structure: Structure, rule: SplitRule, chunking: Chunking) -> Iterator[int]:
    if rule.type == "structure":
        yield from (each.start for each in structure.headings if 0 <= each.start < len(text))
    elif rule.type == "delimiter":
        at = text.find(rule.value)
        while at >= 0:
            yield at + len(rule.value)
            at = text.find(rule.value, at + len(rule.value))
    else:
        for start, end in matches(text, rule.value):
            yield start if chunking.include_pattern else end


def matches(text: str, pattern: str) -> Sequence[tuple[int, int]]:
    """``[start, end)`` of each match, in order and none inside another; ``^`` and ``$`` mean lines.

    RE2 is asked to put a mark on either side of each match, and the offsets are read off the marked text: so they
    count code points. Raises ``ChunkingRefused``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array([text.replace(MARK, " ")], pa.large_string())
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
        marked = pc.replace_substring_regex(
            texts, pattern=f"(?m:{pattern})", replacement=f"{MARK}\\0{MARK}"
        )
    except pa.ArrowInvalid as problem:
        why = str(problem).removeprefix("Invalid regular expression: ")[:200]
        raise ChunkingRefused("invalid_pattern", f"Pattern {pattern!r}: {why}") from None
    found: list[tuple[int, int]] = []
    at = 0
    for number, part in enumerate(str(marked[0].as_py()).split(MARK)):
        if number % 2:
            found.append((at, at + len(part)))
        at += len(part)
    return found
