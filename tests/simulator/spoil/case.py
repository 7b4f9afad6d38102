"""An entry taken apart for spoiling: which field asks, which says, and what the entry is about. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - handed in, seeded

from services.generate.extractive.passage import Passage

Entry = dict[str, object]


_DETERMINERS = frozenset({"the", "a", "an", "its", "in", "on"})


@dataclass(frozen=True, slots=True)
class Spoilt:
    entry: Entry
    variant: str


Makers = list[Callable[[], Spoilt]]
"""Every way in which one entry can be given one defect; each is made only when it is drawn."""


@dataclass(frozen=True, slots=True)
class Case:
    """An entry taken apart: ``asked`` and ``said`` name its fields for question and answer, "" where it has none."""

    entry: Entry
    passage: Passage
    rng: Random
    earlier: tuple[Entry, ...]
    asked: str
    said: str

    @property
    def question(self) -> str:
        return str(self.entry.get(self.asked, ""))

    @property
    def answer(self) -> str:
        return str(self.entry.get(self.said, ""))

    @property
    def quotes(self) -> list[str]:
        found = self.entry.get("evidence")
        return [str(quote) for quote in found] if isinstance(found, list) else []

    def change(self, variant: str, **fields: object) -> Spoilt:
        """Fields by role: ``asked`` and ``said``, or by name."""
        named = {self.asked if name == "asked" else self.said if name == "said" else name: value
                 for name, value in fields.items()}  # fmt: skip
        return Spoilt(self.entry | named, variant)

    @property
    def asks(self) -> bool:
        """Whether it asks a question proper, which wordings can be put around."""
        return self.question.endswith("?")

    @property
    def one_line(self) -> bool:
        """Whether it says prose rather than steps or a list."""
        return bool(self.said) and "\n" not in self.answer

    def subject(self) -> tuple[str, str]:
        """What the entry is about, as the question and as the answer write it: the longest run of words that the
        answer starts with and the question holds; empty where there is none.
        """
        words = self.answer.split(" ")
        for length in range(min(8, len(words) - 1), 0, -1):
            run = " ".join(words[:length])
            if run.lower() in _DETERMINERS:
                break
            for form in (run, run[:1].lower() + run[1:]):
                if re.search(rf"(?<!\w){re.escape(form)}(?!\w)", self.question):
                    return form, run
        return "", ""


def lowered(text: str) -> str:
    """Without its capital, where that is only the sentence's (an article or a question word)."""
    first, space, rest = text.partition(" ")
    if first.lower() in {"the", "a", "an", "when", "what", "which", "how", "why", "who", "where"}:
        return first.lower() + space + rest
    return text
