"""Prose for load: sections of sound, distinct sentences, so that most of what is asked of them is accepted."""

import hashlib

_FIRST = """
amber copper silver northern western hidden quiet broken golden crimson frosty narrow ancient marble
wooden painted sunken lonely gentle rapid crooked hollow misty stormy velvet ivory scarlet emerald
"""
_SECOND = """
falcon heron otter badger willow cedar maple harbour valley meadow river mountain island bridge
garden castle chapel orchard forest desert canyon glacier lagoon prairie summit tunnel market library
"""
_PEOPLE = """
Clara Martin Edith Walter Agnes Oscar Helen Victor Rose Arthur Grace Hugo Alice Felix Nora Simon Ruth
Thornton Whitfield Barlow Harding Langley Prescott Winslow Carver Aldridge Fairfax Holloway Kingsley
"""
_THINGS = "engine lantern turbine compass beacon furnace viaduct pendulum windmill telescope ferry"
_ACTS = "built designed surveyed restored financed measured founded described painted repaired"
_ONSETS = "b br c d dr f g gr h k l m n p r s st t tr v w"
_VOWELS = "a e i o u ai ea ou"
_ENDS = "ck d ld m nd ng p r rn sh st t"
SENTENCES = 14
"""Of a section: some 1,700 characters, one chunk."""


def section(number: int) -> str:
    """A heading and a paragraph about a town that no other section names."""
    town = _town(number)
    sentences = " ".join(_sentence(number, n, town) for n in range(SENTENCES))
    return f"## The works of {town}\n\n{sentences}\n"


def _sentence(number: int, n: int, town: str) -> str:
    name = f"{_pick(_FIRST, number, n)} {_pick(_SECOND, number, n + 20)}".title()
    person = f"{_pick(_PEOPLE, number, n + 40)} {_pick(_PEOPLE, number, n + 60)}"
    return (
        f"The {name} {_pick(_THINGS, number, n + 80)} of {town} was {_pick(_ACTS, number, n + 100)} by {person}"
        f" after the great flood in {1700 + _draw(number, n) % 300}."
    )


def _town(number: int) -> str:
    drawn = _draw(number, 0)
    parts = []
    for place in range(2):
        part = drawn >> (14 * place)
        parts.append(
            _ONSETS.split()[part % 21]
            + _VOWELS.split()[part // 21 % 8]
            + _ENDS.split()[part // 168 % 12]
        )
    return "".join(parts).capitalize()


def _pick(words: str, number: int, n: int) -> str:
    listed = words.split()
    return listed[_draw(number, n) % len(listed)]


def _draw(number: int, n: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{number}.{n}".encode(), digest_size=4).digest())
