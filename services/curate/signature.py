"""What admission compares of an entry: hashes of what it asks and says, from which no text can be read again."""

import re
import sys
from array import array
from base64 import b64encode
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from struct import Struct
from typing import NamedTuple
from zlib import crc32

import numpy as np
from rensa import RMinHash

from contracts.entries import Signature
from services.curate.bands import PERMUTATIONS, Digest
from services.curate.words import stem_set, words

_SEED = 42
_TELLING = 6
"""How often a number or a name counts, so that two questions which differ in one of them are two questions."""
_MARKS = tuple(f"#{n}" for n in range(_TELLING - 1))
_NAME = re.compile(r"[A-ZÀ-Þ](?<=[^\s.?!:] [A-ZÀ-Þ])[^\W_]+")
_PACKED = Struct(f">{PERMUTATIONS}I")


class Asked(NamedTuple):
    """What an entry asks, split once for all that hashes it."""

    words: list[str]
    shingles: list[str]
    """Words and pairs of words; numbers and names several times over."""


def asked(text: str) -> Asked:
    tokens = words(text)
    pairs = map(" ".join, pairwise(tokens))
    telling = {token for token in tokens if not token.isalpha()}
    telling.update(name.casefold() for name in _NAME.findall(text))
    return Asked(tokens, [*tokens, *pairs, *[word + mark for word in telling for mark in _MARKS]])


def signature_of(
    question: str | Asked,
    answer: str,
    spans: tuple[str, ...],
    kind: str,
    language: str | None = None,
) -> Signature:
    """Hashes of an entry's words, never the words.

    ``question`` and ``answer`` are what plays their part; ``spans`` name evidence as ``document:start-end``.
    """
    told = asked(question) if isinstance(question, str) else question
    stems = stem_set(frozenset(words(answer)), language)
    answered = sorted([crc32(word.encode()) for word in stems])
    return Signature(
        question=blake2b(" ".join(told.words).encode(), digest_size=16).hexdigest(),
        minhash=b64encode(packed_digest(told, _SEED)).decode(),
        words=b64encode(_big_endian(answered)).decode(),
        spans=spans,
        kind=kind,
    )


def packed_digest(told: Asked, seed: int) -> bytes:
    """MinHash (128 permutations drawn by ``seed``) of a question's shingles, as 128 big-endian 32-bit numbers."""
    sketch = RMinHash(PERMUTATIONS, seed)
    sketch.update(told.shingles)
    return _PACKED.pack(*sketch.digest())


def digests(packed: Sequence[bytes]) -> Digest:
    """The same as rows of numbers: (n, 128)."""
    data = np.frombuffer(b"".join(packed), dtype=">u4")
    return data.astype(np.uint32).reshape(-1, PERMUTATIONS)


def _big_endian(numbers: list[int]) -> bytes:
    data = array("I", numbers)
    if sys.byteorder == "little":
        data.byteswap()
    return data.tobytes()
