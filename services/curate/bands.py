"""Locality-sensitive hashing over MinHash digests: which of many texts are near to one.

Bands give candidates, the estimate of the Jaccard index decides. Keys of the entries added last are in a dictionary,
those of all others in one sorted array, so that a million entries take some 220 MB and not gigabytes of objects.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 128
_BANDS = 18
_ROWS = 7
"""18 x 7 finds 98.6 % of pairs at a Jaccard of 0.8, 99.9 % at 0.85, and 3 % of those at 0.4."""
_BANDED_FROM = 0.7
_RECENT = 8192

Digest = NDArray[np.uint32]
Keys = NDArray[np.uint64]


def _odd_constants(count: int, start: int) -> Keys:
    """Fixed odd 64-bit multipliers (splitmix64, Steele et al. 2014)."""
    mask = (1 << 64) - 1
    values = []
    for n in range(1, count + 1):
        z = (start + n * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        values.append((z ^ (z >> 31)) | 1)
    return np.array(values, dtype=np.uint64)


_MULTIPLIERS = _odd_constants(_ROWS, 1)
_SALTS = _odd_constants(_BANDS, 2)


def band_keys(digests: NDArray[np.uint32]) -> Keys:
    """Keys of one digest (128,) or of many (n, 128): a 64-bit number for each of its 18 bands."""
    rows = digests[..., : _BANDS * _ROWS].reshape(*digests.shape[:-1], _BANDS, _ROWS)
    mixed: Keys = (rows.astype(np.uint64) * _MULTIPLIERS).sum(axis=-1, dtype=np.uint64) * _SALTS
    return mixed


class Near:
    """MinHash digests, numbered from 0 in the order in which they are added, with the bands that find them.

    Keeps about 730 bytes for a digest. Below ``_BANDED_FROM`` the bands would miss too much, and all are compared.
    """

    def __init__(self) -> None:
        self._digests: Digest = np.empty((1024, PERMUTATIONS), dtype=np.uint32)
        self._bands = Bands()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: Digest, keys: list[int]) -> None:
        """Hold a digest (128,); ``keys`` are its ``band_keys``."""
        if self._count == len(self._digests):
            room = self._count + max(1024, self._count // 4)
            grown = np.empty((room, PERMUTATIONS), dtype=np.uint32)
            grown[: self._count] = self._digests
            self._digests = grown
        self._digests[self._count] = digest
        self._count += 1
        self._bands.add(keys)

    def first(self, digest: Digest, keys: list[int], least: float) -> tuple[int, float] | None:
        """The earliest digest whose estimate is at least ``least``, with the estimate; None when none is."""
        if least >= _BANDED_FROM:
            numbers = self._bands.candidates(keys)
            if not numbers:
                return None
            digests = self._digests[numbers]
        else:
            numbers = list(range(self._count))
            digests = self._digests[: self._count]
        equal = np.count_nonzero(digests == digest, axis=1)
        near = np.nonzero(equal >= least * PERMUTATIONS)[0]
        if not len(near):
            return None
        return numbers[int(near[0])], int(equal[near[0]]) / PERMUTATIONS


class Bands:
    """Entries by the keys of their bands. Entries are numbered from 0 in the order in which they are added."""

    def __init__(self) -> None:
        self._count = 0
        self._recent: dict[int, int] = {}
        self._more: dict[int, list[int]] = {}
        """Further entries of a recent key; few keys have any."""
        self._keys: Keys = np.empty(0, dtype=np.uint64)
        self._owners: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._merged = 0

    def add(self, keys: list[int]) -> None:
        """The next entry's keys."""
        number, setdefault = self._count, self._recent.setdefault
        for key in keys:
            if setdefault(key, number) != number:
                self._more.setdefault(key, []).append(number)
        self._count += 1
        # A merge sorts everything, so it waits until the recent part has grown by a fourth of the rest.
        if self._count - self._merged >= max(_RECENT, self._merged // 4):
            self._merge()

    def candidates(self, keys: list[int]) -> list[int]:
        """Numbers of the entries that share a band, ascending."""
        found: set[int] = set()
        for key in self._recent.keys() & keys:
            found.add(self._recent[key])
            found.update(self._more.get(key, ()))
        if self._merged:
            wanted = np.array(keys, dtype=np.uint64)
            first: NDArray[Any] = np.searchsorted(self._keys, wanted, side="left")
            # Most keys are unknown: one look at the place tells, and only hits pay for the second search.
            at = np.minimum(first, len(self._keys) - 1)
            for place in np.flatnonzero(self._keys[at] == wanted).tolist():
                stop = int(np.searchsorted(self._keys, wanted[place], side="right"))
                found.update(self._owners[int(first[place]) : stop].tolist())
        return sorted(found)

    def _merge(self) -> None:
        pairs = [*self._recent.items()]
        pairs += [(key, number) for key, numbers in self._more.items() for number in numbers]
        keys = np.fromiter((key for key, _ in pairs), np.uint64, len(pairs))
        owners = np.fromiter((number for _, number in pairs), np.int32, len(pairs))
        keys = np.concatenate((self._keys, keys))
        owners = np.concatenate((self._owners, owners))
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]
        self._recent, self._more = {}, {}
        self._merged = self._count
