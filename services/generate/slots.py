"""Variety is assigned, not asked for: what each entry of each call is to be. Pure.

Quotas hold over all entries that a plan asks for, by largest remainder (Hamilton's method); which slot gets which
value is drawn by a hash of job seed, chunk, round and place, so no clock and no dice take part.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from contracts.generation import GenerationSettings, Slot

DIFFICULTIES = {"easy": 0.4, "intermediate": 0.4, "hard": 0.2}
"""What ``complexity: auto`` means."""
KINDS = {
    "fact": 0.2,
    "definition": 0.1,
    "explanation": 0.25,
    "procedure": 0.1,
    "comparison": 0.1,
    "consequence": 0.1,
    "application": 0.15,
}
STYLES: dict[str, dict[str, float]] = {
    "factual": {"fact": 0.7, "definition": 0.3},
    "analytical": {"explanation": 0.5, "comparison": 0.25, "consequence": 0.25},
    "case_based": {"application": 0.7, "consequence": 0.3},
}
TASKS = {
    "explain": 0.15,
    "list": 0.1,
    "procedure": 0.1,
    "extract": 0.15,
    "classify": 0.1,
    "rewrite": 0.15,
    "compare": 0.1,
    "summarize": 0.15,
}
ASKERS = {"novice": 0.25, "practitioner": 0.25, "sceptic": 0.25, "examiner": 0.25}
FORMS = {"direct": 0.6, "scenario": 0.2, "imperative": 0.2}
SUITS = {
    "easy": frozenset({"fact", "definition", "list", "extract", "rewrite"}),
    "intermediate": frozenset(
        {"explanation", "procedure", "consequence", "explain", "summarize", "rewrite"}
    ),
    "hard": frozenset({"comparison", "application", "consequence", "compare", "classify"}),
}
"""Kinds and tasks that a difficulty comes naturally to; a preference, never at the price of a quota."""
SUITED = 1.5
"""How many entries a value may be ahead of its quota for suiting the difficulty."""


def largest_remainder(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to ``weights`` that add up to ``total``."""
    whole = sum(weights.values())
    exact = {value: weight * total / whole for value, weight in weights.items()}
    counts = {value: int(share) for value, share in exact.items()}
    left = total - sum(counts.values())
    for value in sorted(exact, key=lambda value: counts[value] - exact[value])[:left]:
        counts[value] += 1
    return counts


def assign(
    asked: Iterable[tuple[str, int]], total: int, settings: GenerationSettings, number: int
) -> Iterator[tuple[Slot, ...]]:
    """The slots of each call, given (what tells its passage from others, entries) of the calls in plan order.

    Args:
        asked: the calls; their entries add up to ``total``.
        total: entries over the whole plan, over which the quotas hold exactly.
        settings: what the job asks for.
        number: the round.
    """
    quotas = {name: _Quota(weights, total) for name, weights in _wanted(settings).items()}
    for chunk, count in asked:
        taken: set[str] = set()
        yield tuple(
            _slot(quotas, taken, _dice(settings.seed, chunk, number, place))
            for place in range(count)
        )


def _wanted(settings: GenerationSettings) -> dict[str, dict[str, float]]:
    """The weights of every field that the mode's slots have."""
    mode = settings.mode
    if mode == "summarization":
        return {}
    auto = settings.complexity == "auto"
    wanted: dict[str, dict[str, float]] = {
        "difficulty": DIFFICULTIES if auto else {settings.complexity: 1}
    }
    kinds = STYLES[settings.question_style] if settings.question_style else KINDS
    wanted |= {"task": TASKS} if mode == "instruction following" else {"kind": kinds}
    if mode == "answer":
        return wanted
    case_based = settings.question_style == "case_based"
    wanted |= {"asker": ASKERS, "form": {"scenario": 1} if case_based else FORMS}
    ratio = settings.negativity_ratio
    return wanted | ({"answerable": {"yes": 1 - ratio, "no": ratio}} if ratio else {})


class _Quota:
    """Hands out the values of one field: any stretch of a plan comes near to the quota, the whole meets it."""

    def __init__(self, weights: Mapping[str, float], total: int) -> None:
        targets = largest_remainder(weights, total)
        self._values = tuple(targets)
        self._targets = tuple(targets.values())
        self._used = [0] * len(targets)
        self._total = total
        self._given = 0

    def take(self, dice: bytes, taken: set[str], suits: frozenset[str]) -> str:
        """The value furthest behind, loosened by ``dice`` so that the fields do not march in step."""
        self._given += 1
        part = self._given / self._total
        chosen, most = 0, -math.inf
        for place, value in enumerate(self._values):
            target, used = self._targets[place], self._used[place]
            if used >= target:
                continue
            behind = target * part - used + dice[place] / 256
            if value in suits:
                behind += SUITED
            if value in taken:
                behind -= self._total
            if behind > most:
                chosen, most = place, behind
        self._used[chosen] += 1
        return self._values[chosen]


def _dice(seed: int, chunk: str, number: int, place: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{chunk}/{number}/{place}".encode(), digest_size=64).digest()


def _slot(quotas: dict[str, _Quota], taken: set[str], dice: bytes) -> Slot:
    """One slot; kinds (or tasks) that the call has already are taken again only when nothing else is left."""
    none: frozenset[str] = frozenset()
    values: dict[str, str] = {}
    for place, (name, quota) in enumerate(quotas.items()):
        main = name in {"kind", "task"}
        suits = SUITS[values["difficulty"]] if main else none
        values[name] = quota.take(dice[place * 8 :], taken if main else set(), suits)
        taken.update((values[name],) if main else ())
    return _made(tuple(values.items()))


@lru_cache(maxsize=4096)
def _made(values: tuple[tuple[str, str], ...]) -> Slot:
    """There are few different slots, and a plan has one for each entry."""
    fields: dict[str, object] = dict(values)
    if "answerable" in fields:
        fields["answerable"] = fields["answerable"] == "yes"
    return Slot.model_validate(fields)
