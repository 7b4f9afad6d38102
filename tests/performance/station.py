"""Prose for load: sections of sound, distinct sentences, so that most of what is asked of them is accepted."""

import hashlib

_ONSETS = [
    "b",
    "br",
    "c",
    "cr",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gl",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_ENDS = ["ck", "d", "ft", "g", "ld", "lm", "m", "nd", "ng", "p", "r", "rn", "sh", "st", "t", "th"]
_THINGS = [
    "engine",
    "lantern",
    "turbine",
    "compass",
    "beacon",
    "furnace",
    "viaduct",
    "pendulum",
    "windmill",
    "telescope",
    "ferry",
    "dynamo",
]
_ACTS = [
    "built",
    "designed",
    "surveyed",
    "restored",
    "financed",
    "measured",
    "founded",
    "described",
    "painted",
    "repaired",
]
SENTENCES = 14
"""Of a section: some 1,500 characters, one chunk."""


def section(number: int) -> str:
    """A heading and a paragraph about things that no other section names."""
    title = _name(number, 0)
    sentences = [_sentence(number, n) for n in range(SENTENCES)]
    return f"## The works of {title}\n\n{' '.join(sentences)}\n"


def _sentence(number: int, n: int) -> str:
    thing, act = _pick(_THINGS, number, n), _pick(_ACTS, number, n + 50)
    return (
        f"The {_name(number, n + 1)} {thing} was {act} by {_name(number, n + 100)} {_name(number, n + 200)}"
        f" in the town of {_name(number, n + 300)} in {1700 + _draw(number, n) % 300}."
    )


def _name(number: int, n: int) -> str:
    drawn = _draw(number, n)
    syllables = []
    for place in range(2):
        part = drawn >> (12 * place)
        syllables.append(
            _ONSETS[part % len(_ONSETS)]
            + _VOWELS[(part >> 4) % len(_VOWELS)]
            + _ENDS[(part >> 7) % len(_ENDS)]
        )
    return "".join(syllables).capitalize()


def _pick(words: list[str], number: int, n: int) -> str:
    return words[_draw(number, n + 1000) % len(words)]


def _draw(number: int, n: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{number}.{n}".encode(), digest_size=4).digest())
