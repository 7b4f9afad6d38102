"""Which way of cutting suits a text, by rules over its measures, with reasons in sentences. Pure; asks no model.

A score says how well the rules think a strategy fits, 0 to 1; it is no probability. What is recommended can be sent to
``POST /documents/process`` as it stands.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from services.gateway.measuring import FEW, MOST, Measures

SIZE = 2000
TOKEN = 4
"""Characters of a token, about."""
ALTERNATIVES = 3
LEAST = 0.2

GOALS: dict[str, tuple[str, ...]] = {
    "pairs": ("question", "q&a", "qa", "instruction", "train", "fine-tun", "finetun", "dataset"),
    "summaries": ("summar", "abstract"),
    "retrieval": ("retriev", "search", "rag", "embed"),
    "tokens": ("token",),
    "sections": ("section", "chapter", "heading", "structure"),
    "topics": ("topic", "semantic", "meaning", "theme"),
    "records": ("record", "faq", "row", "log", "separator", "delimiter"),
    "context": ("context", "continuity", "overlap"),
    "sentences": ("sentence",),
}
"""What a goal can ask for, and the words (or their beginnings) by which it is understood."""
SIZES = {"summaries": 6000, "retrieval": 800}
FAVOURS: dict[str, tuple[str, ...]] = {
    "tokens": ("token",),
    "sections": ("markdown",),
    "topics": ("semantic",),
    "records": ("schema", "delimiter"),
    "context": ("contextual",),
    "sentences": ("sentence",),
}
_TOKENS = re.compile(r"(\d{2,5})[ -]*tokens?")


@dataclass(slots=True)
class Advice:
    """A strategy with the fields of ``POST /documents/process`` that go with it."""

    strategy: str
    score: float
    parameters: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def more(self, score: float, reason: str) -> None:
        self.score += score
        self.reasons.append(reason)


@dataclass(frozen=True, slots=True)
class Examples:
    """Chunks as the user wants them, found in the text. ``given`` counts all, ``found`` those that stand in it."""

    given: int
    found: tuple[tuple[int, int], ...]
    shape: str | None
    """How the first lines of all that were found begin alike; None: they do not."""

    @property
    def length(self) -> int:
        return round(median(end - start for start, end in self.found)) if self.found else 0


def goals_of(goal: str) -> list[str]:
    """What a goal asks for, as far as it is understood."""
    said = goal.lower()
    return [
        name
        for name, words in GOALS.items()
        if any(re.search(rf"(?<!\w){re.escape(word)}", said) for word in words)
    ]


def examples_in(text: str, examples: Sequence[str]) -> Examples:
    """Look for each example in the text, its white space apart."""
    text, found = text[:MOST], list[tuple[int, int]]()
    for example in examples:
        words = example.split()
        if not words:
            continue
        head = re.search(r"\s+".join(map(re.escape, words[:12])), text)
        if head is None:
            continue
        tail = re.compile(r"\s+".join(map(re.escape, words[-12:]))).search(text, head.start())
        found.append((head.start(), tail.end() if tail else head.end()))
    shapes = {_shape(text[start : start + 40]) for start, _ in found}
    shape = shapes.pop() if len(found) > 1 and len(shapes) == 1 else None
    return Examples(len(examples), tuple(found), shape)


def _shape(beginning: str) -> str | None:
    """The mark, the label or the numbered word that a line begins with."""
    found = re.match(
        r"#{1,6} |[A-Za-zÀ-ž§]{1,20}:|[A-Za-zÀ-ž§]{0,20} ?\d{1,6}[.:)]?(?=\s)", beginning
    )
    if found is None:
        return None
    return found.group() if "#" in found.group() else re.sub(r"\d+", "#", found.group())


def advise(measures: Measures, goal: str, examples: Examples) -> list[Advice]:
    """Every strategy that can be used, best first, with the figures that speak for it."""
    asked = goals_of(goal)
    size = next((SIZES[name] for name in asked if name in SIZES), SIZE)
    if examples.found:
        size = max(200, min(20_000, 2 * examples.length))
    found = list(_by_measures(measures, size))
    for advice in found:
        for name in asked:
            if advice.strategy in FAVOURS.get(name, ()):
                advice.more(0.35, f"The goal speaks of {name}.")
    _by_examples({each.strategy: each for each in found}, examples, measures)
    _sized_tokens(found, goal)
    for advice in found:
        advice.score = round(min(0.98, advice.score), 2)
    return sorted(found, key=lambda each: -each.score)


def _by_measures(m: Measures, size: int) -> Iterator[Advice]:
    yield _markdown(m, size)
    if m.records is not None:
        yield _schema(m, size)
    yield _delimiter(m, size)
    prose = m.sentences >= 10 and m.table < 0.3 and m.items < 0.5
    yield _semantic(m, size, prose=prose)
    many = max(2, round(size / max(1, m.sentence))) if m.sentences else 10
    sentence = Advice("sentence", 0.25, {"chunk_size": min(many, 200), "overlap": min(2, many - 1)})
    if prose:
        sentence.more(
            0.1, f"There are {m.sentences:,} sentences, of {m.sentence} characters mostly."
        )
    yield sentence
    contextual = Advice("contextual", 0.2, {"chunk_size": max(50, size // 6), "context_words": 20})
    contextual.reasons.append("Each chunk is read after the last words before it.")
    yield contextual
    share = min(64, size // TOKEN // 8)
    token = Advice("token", 0.25, {"chunk_size": size // TOKEN, "overlap": share})
    if m.long_lines > 0.5:
        token.more(0.3, f"{m.long_lines:.0%} of the text stands in lines of over 1,000 characters.")
    else:
        token.reasons.append("Windows of equal cost, whatever the text says.")
    yield token
    character = Advice("character", 0.15, {"chunk_size": size, "overlap": size // 10})
    if m.long_lines > 0.5 and m.sentences < FEW:
        character.more(0.5, "There are neither sentences nor lines to go by.")
    else:
        character.reasons.append("Windows of equal length, whatever the text says.")
    yield character


def _markdown(m: Measures, size: int) -> Advice:
    advice = Advice("markdown", 0.3, {"chunk_size": size})
    if m.headings >= FEW:
        advice.more(
            0.4 * m.under_headings,
            f"There are {m.headings:,} headings; {m.under_headings:.0%} of the text stands under one.",
        )
        fits = m.section <= 2 * size
        advice.more(0.1 if fits else 0.0, f"A section has {m.section:,} characters mostly.")
    else:
        advice.reasons.append(f"There are {m.headings} headings, so paragraphs must do.")
    if m.table > 0.1 or m.items > 0.2:
        advice.more(
            0.1,
            f"{m.table:.0%} of the text are table rows and {m.items:.0%} list items, which are cut between rows.",
        )
    return advice


def _schema(m: Measures, size: int) -> Advice:
    records = m.records
    if records is None:
        raise ValueError("no line begins as others do")
    definition = {
        "rules": [{"type": "pattern", "value": records.pattern}],
        "include_pattern": True,
    }
    advice = Advice("schema", 0.3)
    advice.parameters = {
        "chunk_size": max(size, 2 * records.length),
        "schema_definition": json.dumps(definition),
    }
    advice.parameters["chunk_size"] = min(100_000, advice.parameters["chunk_size"])
    advice.more(
        0.3 + min(0.3, records.count / 50),
        f"{records.count:,} lines begin with {records.shape!r} ({records.length:,} characters apart mostly).",
    )
    return advice


def _delimiter(m: Measures, size: int) -> Advice:
    if m.separator is not None:
        advice = Advice(
            "delimiter", 0.3, {"chunk_size": size, "delimiters": [f"\n{m.separator}\n"]}
        )
        advice.more(
            min(0.5, 0.3 + m.separators / 50),
            f"The line {m.separator[:20]!r} stands {m.separators:,} times between parts.",
        )
        return advice
    advice = Advice("delimiter", 0.2, {"chunk_size": size, "delimiters": ["\n\n"], "merge": True})
    if m.paragraphs >= 5:
        fits = m.paragraph <= size
        advice.more(
            0.2 if fits else 0.0,
            f"There are {m.paragraphs:,} paragraphs, of {m.paragraph:,} characters mostly.",
        )
    else:
        advice.reasons.append(f"There are {m.paragraphs} paragraphs.")
    return advice


def _semantic(m: Measures, size: int, *, prose: bool) -> Advice:
    advice = Advice("semantic", 0.2, {"chunk_size": size, "similarity_drop": 0.3})
    if prose:
        advice.more(0.1, f"It is prose: {m.sentences:,} sentences.")
    if prose and m.headings < FEW:
        advice.more(0.3, f"{m.headings} headings say where a subject ends, so its words must.")
    if not advice.reasons:
        advice.reasons.append("Little of it is prose, whose words could be compared.")
    return advice


def _by_examples(found: dict[str, Advice], examples: Examples, m: Measures) -> None:
    if not examples.given:
        return
    said = (
        f"{len(examples.found)} of {examples.given} examples stand in the text, of {examples.length:,}"
        " characters mostly; sizes follow them."
    )
    for advice in found.values():
        advice.reasons.append(said if examples.found else "No example stands in the text.")
    if examples.shape is None:
        return
    if examples.shape.startswith("#"):
        found["markdown"].more(0.35, f"The examples begin with {examples.shape!r}, as headings do.")
        return
    schema = found.get("schema")
    if schema is not None and m.records is not None and m.records.shape.startswith(examples.shape):
        schema.more(0.35, f"The examples begin with {examples.shape!r}, as these lines do.")


def _sized_tokens(found: Sequence[Advice], goal: str) -> None:
    """A number of tokens that the goal names is the size of the strategy that counts them."""
    if said := _TOKENS.search(goal.lower()):
        for advice in found:
            if advice.strategy == "token":
                size = max(10, int(said[1]))
                advice.parameters = {"chunk_size": size, "overlap": size // 8}
                advice.more(0.1, f"The goal names {size} tokens.")
