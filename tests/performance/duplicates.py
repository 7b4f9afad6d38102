"""Near-duplicate admission beside rensa alone: entries per second, and how many planted duplicates each finds.

Both get the same questions and compare their words and pairs of words, rensa by its quickest calls. Gristmill's
admission also knows equal questions, equal facts and the order of the log, and can be rebuilt without any text.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from rensa import RMinHash, RMinHashLSH

from contracts.entries import Signature, Verdict
from contracts.generation import GenerationSettings
from services.curate.admission import Index, admit
from services.curate.signature import signature_of
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.station import section

PERMUTATIONS, BANDS, THRESHOLD = 128, 16, 0.8
EVERY = 10
"""One of so many questions is an exact copy of one before it, and one is nearly so."""


def measure(tell: Tell, entries: int, times: int) -> list[Figure]:
    tell(f"making {entries:,} questions")
    questions, answers = _texts(entries)
    settings = GenerationSettings(model="openai/simulated")
    admitting: list[float] = []
    whole: list[float] = []
    alone: list[float] = []
    alone_whole: list[float] = []
    found = copies = 0
    for n in range(times):
        tell(f"{entries:,} entries, {n + 1} of {times}")
        began = time.perf_counter()
        signatures = [
            signature_of(question, answer, (f"{UUID(int=1)}:{at * 100}-{at * 100 + 80}",), "fact")
            for at, (question, answer) in enumerate(zip(questions, answers, strict=True))
        ]
        signed = time.perf_counter() - began
        verdicts = _verdicts(signatures)
        began = time.perf_counter()
        result = admit(Index(), verdicts, None, 0, settings)
        spent = time.perf_counter() - began
        found = len(result.duplicates)
        admitting.append(entries / spent)
        whole.append(entries / (signed + spent))
        began = time.perf_counter()
        sketches = _sketches(questions)
        sketched = time.perf_counter() - began
        began = time.perf_counter()
        copies = _deduplicated(sketches)
        spent = time.perf_counter() - began
        alone.append(entries / spent)
        alone_whole.append(entries / (sketched + spent))
    planted = (entries - 1) // EVERY + (entries + 4) // EVERY
    note = f"planted {planted:,}; found {found:,} by Gristmill, {copies:,} by rensa"
    return [
        Figure(
            "admission, from signatures", "entries/s", tuple(admitting),
            "rensa LSH, from sketches", tuple(alone), "more", note,
        ),
        Figure(
            "admission, from texts", "entries/s", tuple(whole),
            "rensa, from texts", tuple(alone_whole), "more",
        ),
    ]  # fmt: skip


def _texts(count: int) -> tuple[list[str], list[str]]:
    """Questions that differ, but for the planted copies; and answers that all differ."""
    questions: list[str] = []
    answers: list[str] = []
    at = 0
    while len(questions) < count:
        for sentence in section(at).splitlines()[2].split(". "):
            n = len(questions)
            what, _, told = sentence.partition(" was ")
            asked = f"Why was the {what[4:]} {told.partition(' after ')[0]}?"
            if n % EVERY == 0 and n:
                asked = questions[n - 7]
            elif n % EVERY == 5:
                asked = questions[n - 3].replace("?", " then?")
            questions.append(asked)
            answers.append(f"Number {n}: {sentence}")
        at += 1
    return questions[:count], answers[:count]


def _verdicts(signatures: Sequence[Signature]) -> list[Verdict]:
    return [
        Verdict(
            entry_id=UUID(int=n + 1), unit_id=UUID(int=1), seed=n, passed=True, found=(), quality=1.0,
            quality_parts={}, category="", kind="fact", difficulty="easy", signature=signature,
        )
        for n, signature in enumerate(signatures)
    ]  # fmt: skip


def _sketches(questions: Sequence[str]) -> list[RMinHash]:
    tokens = [_tokens(question) for question in questions]
    found: list[RMinHash] = RMinHash.from_token_sets(tokens, PERMUTATIONS, 42)
    return found


def _tokens(question: str) -> list[str]:
    tokens = question.casefold().rstrip("?").split()
    return [*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))]


def _deduplicated(sketches: Sequence[RMinHash]) -> int:
    """How many are near to one before them that was kept."""
    index, copies = RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS), 0
    for n, sketch in enumerate(sketches):
        if any(sketches[other].jaccard(sketch) >= THRESHOLD for other in index.query(sketch)):
            copies += 1
        else:
            index.insert(n, sketch)
    return copies
