"""What the simulated model says to a prompt: canned entries, or the built-in model's with labelled defects.

The labels never travel in an answer; whoever tests a filter reads them from the side.
"""

import hashlib
import json
from collections import deque
from dataclasses import dataclass

import orjson

from contracts.entries import Reason
from services.generate.extractive.passage import Passage
from services.generate.prompts.read import PromptUnreadable, read_prompt
from tests.simulator import canned
from tests.simulator.behaviour import Behaviour, dice
from tests.simulator.defects import applicable, inject
from tests.simulator.spoil.case import Entry

_EARLIER = 8
_PASSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Label:
    """What is wrong with entry ``n`` of the answer to ``request``; every other entry has no defect on purpose."""

    request: str
    """blake2b-128 of the request's body, hex."""
    prompt: str
    """sha256 of the JSON list of system and user message, as in an entry's provenance."""
    n: int
    code: Reason
    variant: str
    entry: Entry
    """As it was said."""


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    entries: int
    labels: list[Label]
    cached_tokens: int


class Writer:
    """Remembers what a real server would: prefixes it has seen, and what it said of a passage before."""

    def __init__(self) -> None:
        self._systems: set[int] = set()
        self._earlier: dict[str, deque[Entry]] = {}

    def write(self, messages: list[dict[str, str]], behaviour: Behaviour, request: str) -> Said:
        """The answer to a prompt; ``PromptUnreadable`` where it is none of ours and the mode is ``grounded``."""
        system = next((one["content"] for one in messages if one["role"] == "system"), "")
        user = next((one["content"] for one in messages if one["role"] == "user"), "")
        cached = self._cached(system)
        try:
            passage = read_prompt(system, user)
        except PromptUnreadable:
            # Measurements of bare clients send plain texts; what tests prompts must not be so kind.
            if behaviour.mode == "grounded":
                raise
            return Said(_plain(user), 0, [], cached)
        if behaviour.mode == "canned":
            ready = canned.entries(passage)
            return Said(_text(ready), len(ready), [], cached)
        # Loading the built-in model takes longer than a canned run may need to start.
        from services.generate.extractive.respond import respond

        answer = orjson.loads(respond(passage))
        prompt = hashlib.sha256(json.dumps([system, user]).encode()).hexdigest()
        made, labels = self._spoil(answer["entries"], passage, behaviour, request, prompt)
        answer["entries"] = made
        return Said(orjson.dumps(answer).decode(), len(made), labels, cached)

    def _cached(self, system: str) -> int:
        known = hash(system) in self._systems
        self._systems.add(hash(system))
        return len(system) // 4 if known else 0

    def _spoil(
        self, made: list[Entry], passage: Passage, behaviour: Behaviour, request: str, prompt: str
    ) -> tuple[list[Entry], list[Label]]:
        """Give each entry at most one defect, rolled for the request and its number."""
        labels: list[Label] = []
        entries: list[Entry] = []
        earlier = self._of(passage)
        for n, entry in enumerate(made):
            rng = dice(behaviour.seed, "defect", request, n)
            code = _rolled(behaviour.defects, rng.random())
            if code is not None and applicable(entry, code, passage, tuple(earlier)):
                spoilt = inject(entry, code, passage, rng, tuple(earlier))
                labels.append(Label(request, prompt, n, code, spoilt.variant, spoilt.entry))
                entries.append(spoilt.entry)
            else:
                entries.append(entry)
                earlier.append(entry)
        return entries, labels

    def _of(self, passage: Passage) -> deque[Entry]:
        """Sound entries said of this passage before, newest last."""
        key = hashlib.blake2b(passage.text.encode(), digest_size=16).hexdigest()
        if len(self._earlier) >= _PASSAGES:
            self._earlier.pop(next(iter(self._earlier)))
        return self._earlier.setdefault(key, deque(maxlen=_EARLIER))


def _rolled(rates: dict[Reason, float], roll: float) -> Reason | None:
    for code, rate in rates.items():
        if roll < rate:
            return code
        roll -= rate
    return None


def _text(made: list[Entry]) -> str:
    reason = None if made else "no sentence of the passage stands on its own"
    return orjson.dumps({"entries": made, "nothing_because": reason}).decode()


def _plain(user: str) -> str:
    return orjson.dumps({"entries": [], "nothing_because": f"read {len(user)} characters"}).decode()
