"""How much of a text fits a number of tokens, by estimate: no tokenizer, and never in the middle of a word."""

LATIN = 0x250
"""Code points below this are letters and marks of Latin scripts, of which a token holds several."""


def tokens(text: str) -> float:
    """Estimated tokens: a quarter for an ASCII character, half for another Latin one, one for any other."""
    if text.isascii():
        return len(text) / 4
    return sum(_weight(character) for character in text)


def head(text: str, limit: int) -> str:
    """The words at the start of ``text`` that fit ``limit`` tokens."""
    part = text[: _fitting(text[: 4 * limit], limit)]
    if len(part) == len(text) or text[len(part)].isspace():
        return part.rstrip()
    return _without_last_word(part).rstrip()


def tail(text: str, limit: int) -> str:
    """The words at the end of ``text`` that fit ``limit`` tokens."""
    part = text[len(text) - _fitting(text[-4 * limit :][::-1], limit) :]
    if len(part) == len(text) or text[len(text) - len(part) - 1].isspace():
        return part.lstrip()
    return _without_last_word(part[::-1])[::-1].lstrip()


def _weight(character: str) -> float:
    code = ord(character)
    if code < 128:
        return 0.25
    return 0.5 if code < LATIN else 1.0


def _fitting(characters: str, limit: int) -> int:
    """How many of the characters, of which there are four for each token at the most, fit."""
    if characters.isascii():
        return len(characters)
    total, count = 0.0, 0
    for character in characters:
        total += _weight(character)
        if total > limit:
            break
        count += 1
    return count


def _without_last_word(part: str) -> str:
    """Scripts without spaces have no word to drop: there the cut stays where it is."""
    words = part.rsplit(maxsplit=1)
    return words[0] if len(words) == 2 else part
