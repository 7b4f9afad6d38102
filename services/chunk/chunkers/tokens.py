"""Where tokens and words start: by a rule, or by a tokenizer that the user named. Never cuts by itself.

The rule is no model's vocabulary. It counts words, numbers and punctuation marks, and each character of a script
that has no spaces, so that its count is near to what a model pays, and the same on every machine.
"""

import re
from itertools import accumulate

from services.chunk.chunkers.refusal import ChunkingRefused

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese."""
_TOKEN = re.compile(
    rf"[{UNSPACED}]|\d{{1,64}}(?:[.,]\d{{1,64}}){{0,8}}|[^\W\d{UNSPACED}][^\W{UNSPACED}]{{0,63}}|[^\w\s]"
)
_WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]{{1,64}}")
LINE_SEARCH = 10_000
STRETCH = 100_000
"""Code points that a named tokenizer is given at a time, so that memory does not grow with the text."""


def token_borders(text: str, tokenizer: bytes | None) -> list[int]:
    """Where each token starts, and the text's end; the first border is 0.

    Raises:
        ChunkingRefused: ``tokenizer`` is no ``tokenizer.json``.
    """
    found = _by_rule(_TOKEN, text) if tokenizer is None else _by_tokenizer(text, tokenizer)
    return _bordered(found, text)


def word_borders(text: str) -> list[int]:
    """Where each word starts (words stand between white space), and the text's end; the first border is 0."""
    return _bordered(_by_rule(_WORD, text), text)


def last_words(text: str, start: int, end: int, words: int) -> int:
    """Where the last ``words`` words of ``[start, end)`` begin; ``end`` for none of them."""
    begin = max(start, end - 100 * words)
    found = _by_rule(_WORD, text[begin:end])
    if found and not found[0] and begin > start and not text[begin - 1].isspace():
        found = found[1:]  # the end of a word that begins further back
    return begin + found[-words:][0] if found and words else end


def _by_rule(rule: re.Pattern[str], text: str) -> list[int]:
    return [match.start() for match in rule.finditer(text)]


def _bordered(found: list[int], text: str) -> list[int]:
    if not found:
        return [0, len(text)]
    found[0] = 0
    return [*found, len(text)]


def _by_tokenizer(text: str, tokenizer: bytes) -> list[int]:
    try:
        found = _encoded(text, tokenizer)
    except Exception as problem:
        if type(problem) in (Exception, ValueError):  # the library raises nothing narrower
            raise ChunkingRefused(
                "invalid_tokenizer", f"The tokenizer file cannot be used: {str(problem)[:200]}"
            ) from problem
        raise
    # A tokenizer may look at its text in another order than it is written in; borders never go back.
    return list(accumulate(found, max))


def _encoded(text: str, tokenizer: bytes) -> list[int]:
    from tokenizers import Tokenizer

    known = Tokenizer.from_buffer(tokenizer)
    known.no_truncation()
    known.no_padding()
    found: list[int] = []
    start = 0
    while start < len(text):
        stop = _stretch(text, start)
        encoded = known.encode(text[start:stop], add_special_tokens=False)
        found.extend(start + first for first, _ in encoded.offsets)
        start = stop
    return found


def _stretch(text: str, start: int) -> int:
    """The end of a stretch: after a line end or a space near its limit, where there is one."""
    stop = start + STRETCH
    if stop >= len(text):
        return len(text)
    for mark in ("\n", " "):
        place = text.rfind(mark, stop - LINE_SEARCH, stop)
        if place >= 0:
            return place + 1
    return stop
