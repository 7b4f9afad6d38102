"""Verdicts that depend on other entries: duplicates, and how many are enough. Decided in the order given.

Three rules make a duplicate: the same normalised question; a question whose MinHash estimate is at the threshold
or above; the same evidence sentence, kind, and nearly the same answer. Same log, same verdicts: nothing here depends
on time, on hash seeds, or on who was killed.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np

from contracts.entries import Duplicate, Signature, Verdict
from contracts.generation import GenerationSettings, Thresholds
from services.curate.bands import Digest, Near, band_keys
from services.curate.signature import digests

Sketch = tuple[Digest, list[int]]
"""A MinHash digest with its band keys."""
Rule = Literal["question", "near_question", "same_fact"]

_TOGETHER = 512


class Index:
    """The near-duplicate index: accepted and surplus entries, in the order in which they were admitted.

    Keeps about 2.4 kB for an entry (measured at 60,000). Adding an entry that it holds already changes nothing.
    """

    def __init__(self) -> None:
        self._ids: list[UUID] = []
        self._numbers: dict[UUID, int] = {}
        self._questions: dict[str, int] = {}
        self._facts: dict[str, list[int]] = {}
        self._answers: list[bytes] = []
        self._near = Near()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, entry_id: UUID) -> bool:
        return entry_id in self._numbers

    def has_question(self, signature: Signature) -> bool:
        """Whether the same normalised question was added before."""
        return signature.question in self._questions

    def add(self, entry_id: UUID, signature: Signature, sketch: Sketch | None = None) -> None:
        """Hold an entry against which later ones are compared."""
        if entry_id in self._numbers:
            return
        number = len(self._ids)
        self._ids.append(entry_id)
        self._numbers[entry_id] = number
        self._questions.setdefault(signature.question, number)
        self._answers.append(b64decode(signature.words))
        for span in signature.spans:
            self._facts.setdefault(f"{span} {signature.kind}", []).append(number)
        self._near.add(*(sketch or sketches([signature])[0]))

    def find(
        self,
        entry_id: UUID,
        signature: Signature,
        thresholds: Thresholds,
        sketch: Sketch | None = None,
    ) -> Duplicate | None:
        """Of what the entry is a duplicate: by the first rule that says so, the earliest entry it says so of."""
        same = self._questions.get(signature.question)
        if same is not None:
            return self._duplicate(entry_id, same, "question", 1.0)
        return self._near_question(
            entry_id, sketch or sketches([signature])[0], thresholds.near_duplicate
        ) or self._same_fact(entry_id, signature, thresholds.same_fact)

    def _near_question(self, entry_id: UUID, sketch: Sketch, least: float) -> Duplicate | None:
        found = self._near.first(*sketch, least)
        return self._duplicate(entry_id, found[0], "near_question", found[1]) if found else None

    def _same_fact(self, entry_id: UUID, signature: Signature, least: float) -> Duplicate | None:
        numbers = {
            number
            for span in signature.spans
            for number in self._facts.get(f"{span} {signature.kind}", ())
        }
        if not numbers:
            return None
        answer = _hashes(b64decode(signature.words))
        for number in sorted(numbers):
            other = _hashes(self._answers[number])
            shared = len(answer & other)
            of = len(answer) + len(other) - shared
            if of and shared / of >= least:
                return self._duplicate(entry_id, number, "same_fact", shared / of)
        return None

    def _duplicate(
        self, entry_id: UUID, of: int, rule: Rule, similarity: float
    ) -> Duplicate | None:
        """None for the entry itself: it is no duplicate of what it is."""
        if self._ids[of] == entry_id:
            return None
        return Duplicate(
            entry_id=entry_id, of=self._ids[of], rule=rule, similarity=round(similarity, 4)
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of the candidates that had passed; those that had not are in none of the three."""

    accepted: tuple[UUID, ...]
    duplicates: tuple[Duplicate, ...]
    surplus: tuple[UUID, ...]


def admit(
    index: Index,
    candidates: Sequence[Verdict],
    wanted: int | None,
    accepted: int,
    settings: GenerationSettings,
) -> Admission:
    """Accept in the order given until ``wanted`` (None: without end), ``accepted`` of which were so before.

    Adds to the index what is accepted, and the surplus too, so that raising the number later admits no duplicate.
    """
    taken: list[UUID] = []
    surplus: list[UUID] = []
    duplicates: list[Duplicate] = []
    for entry_id, signature, sketch in _sketched(index, candidates):
        found = (
            None
            if entry_id in index
            else index.find(entry_id, signature, settings.thresholds, sketch)
        )
        if found is not None:
            duplicates.append(found)
            continue
        index.add(entry_id, signature, sketch)
        if wanted is None or accepted + len(taken) < wanted:
            taken.append(entry_id)
        else:
            surplus.append(entry_id)
    return Admission(tuple(taken), tuple(duplicates), tuple(surplus))


def sketches(signatures: Sequence[Signature]) -> list[Sketch]:
    """MinHash digests read back from signatures, each with its band keys; many at a time, for that is quicker."""
    read = digests([b64decode(signature.minhash) for signature in signatures])
    return list(zip(read, band_keys(read).tolist(), strict=True))


def _sketched(
    index: Index, candidates: Sequence[Verdict]
) -> Iterator[tuple[UUID, Signature, Sketch | None]]:
    """The candidates that had passed, in order; a sketch only for those whose question is new."""
    passed = [(v.entry_id, v.signature) for v in candidates if v.passed and v.signature]
    for at in range(0, len(passed), _TOGETHER):
        part = passed[at : at + _TOGETHER]
        new = [signature for _, signature in part if not index.has_question(signature)]
        made = dict(zip((signature.minhash for signature in new), sketches(new), strict=True))
        for entry_id, signature in part:
            yield entry_id, signature, made.get(signature.minhash)


def _hashes(data: bytes) -> frozenset[int]:
    return frozenset(np.frombuffer(data, dtype=">u4").tolist())
