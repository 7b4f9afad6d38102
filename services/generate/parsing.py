"""A model's raw answer, read as draft entries; what cannot be read is kept with its problem. Pure.

Tolerant of form (reasoning text, code fences, broken JSON, synonyms of a closed vocabulary), strict about content: a
field that the model did not write is never made up.
"""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Self

import json_repair
import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from contracts.generation import Difficulty, Kind, Mode, Task

SYNONYMS: dict[str, dict[str, str]] = {
    "kind": {
        "factual": "fact",
        "facts": "fact",
        "detail": "fact",
        "define": "definition",
        "why": "explanation",
        "how": "explanation",
        "explain": "explanation",
        "reason": "explanation",
        "cause": "explanation",
        "how-to": "procedure",
        "steps": "procedure",
        "process": "procedure",
        "compare": "comparison",
        "contrast": "comparison",
        "effect": "consequence",
        "implication": "consequence",
        "scenario": "application",
        "case": "application",
    },
    "task": {
        "explanation": "explain",
        "describe": "explain",
        "listing": "list",
        "enumerate": "list",
        "steps": "procedure",
        "how-to": "procedure",
        "extraction": "extract",
        "information extraction": "extract",
        "classification": "classify",
        "categorize": "classify",
        "rewriting": "rewrite",
        "paraphrase": "rewrite",
        "comparison": "compare",
        "summary": "summarize",
        "summarise": "summarize",
        "summarization": "summarize",
    },
    "difficulty": {
        "basic": "easy",
        "beginner": "easy",
        "simple": "easy",
        "medium": "intermediate",
        "moderate": "intermediate",
        "advanced": "hard",
        "expert": "hard",
        "difficult": "hard",
    },
}
"""Words that models use for a word of ours; any other word makes the entry malformed."""

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
RAW_LIMIT = 4_000
"""Characters of an unreadable item that are kept; the whole answer is in the call's body anyway."""


def _ours(vocabulary: str) -> BeforeValidator:
    table = SYNONYMS[vocabulary]

    def translate(value: object) -> object:
        if not isinstance(value, str):
            return value
        word = " ".join(value.lower().split())
        return table.get(word, word)

    return BeforeValidator(translate)


def _clean(value: object) -> object:
    """Text enters here: no NUL, no lone surrogate (an escape can smuggle one into JSON), no blank edges."""
    return UNSTORABLE.sub("\ufffd", value).strip() if isinstance(value, str) else value


def _quotes(value: object) -> object:
    """One quote may come bare instead of in a list, or as an object that holds it under ``quote``."""
    items = value if isinstance(value, list) else [value]
    bare = [item.get("quote", item) if isinstance(item, dict) else item for item in items]
    return [item for item in bare if not isinstance(item, str) or item.strip()]


def _spelled(value: object) -> object:
    """A bare value may come as a JSON number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_clean)]
BareValue = Annotated[Text | None, BeforeValidator(_spelled)]
Quotes = Annotated[tuple[Text, ...], BeforeValidator(_quotes), Field(strict=False)]
EvidenceQuotes = Annotated[Quotes, Field(min_length=1)]
OurKind = Annotated[Kind, _ours("kind")]
OurTask = Annotated[Task, _ours("task")]
OurDifficulty = Annotated[Difficulty, _ours("difficulty")]


class _Draft(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class QuestionAnswerDraft(_Draft):
    evidence: Quotes
    question: Text
    answer: Text
    short_answer: BareValue = None
    kind: OurKind
    difficulty: OurDifficulty
    answerable: bool = True

    @model_validator(mode="after")
    def _has_evidence(self) -> Self:
        if self.answerable and not self.evidence:
            raise ValueError("evidence needs at least one quote")
        return self


class InstructionDraft(_Draft):
    evidence: EvidenceQuotes
    instruction: Text
    input: Text
    output: Text
    task: OurTask
    difficulty: OurDifficulty


class QuestionDraft(_Draft):
    evidence: EvidenceQuotes
    question: Text
    kind: OurKind
    difficulty: OurDifficulty


class AnswerDraft(_Draft):
    evidence: EvidenceQuotes
    answer: Text
    topic: Text


class SummaryDraft(_Draft):
    summary: Text
    key_points: Annotated[tuple[Text, ...], Field(strict=False)]


Draft = QuestionAnswerDraft | InstructionDraft | QuestionDraft | AnswerDraft | SummaryDraft

DRAFTS: dict[Mode, type[Draft]] = {
    "default": QuestionAnswerDraft,
    "question and answer": QuestionAnswerDraft,
    "instruction following": InstructionDraft,
    "question": QuestionDraft,
    "answer": AnswerDraft,
    "summarization": SummaryDraft,
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that is no entry: what the model wrote there, and what is wrong with it."""

    raw: str
    problem: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """``items`` are in the order of the answer. ``problem`` is what to tell the model before it tries again."""

    items: tuple[Draft | Unreadable, ...]
    nothing_because: str | None
    """Why the model declined the passage: a valid result without items."""
    problem: str | None
    """None where the answer is of use: it has a readable entry, or a reason for none."""


def parse(raw: str, mode: Mode, finish_reason: str | None) -> Parsed:
    """Read one answer. ``finish_reason`` is the provider's; ``length`` makes a broken last item truncated."""
    text = _without_reasoning(raw)
    if not text:
        return Parsed(
            (),
            None,
            "the answer is empty" if not raw.strip() else "no answer followed the reasoning",
        )
    value, repaired = _value(text)
    found = _items(value, mode)
    if found is None:
        return Parsed((), None, "the answer is no JSON object with a list 'entries'")
    items = [_item(item, mode) for item in found]
    if repaired and items and (finish_reason == "length" or not text.endswith(("}", "]", "```"))):
        # The repair closed what was cut off, so the last item may be half of what was meant.
        items[-1] = Unreadable(_raw(found[-1]), "truncated: the answer ends before the entry does")
    reason = _reason(value) if not items else None
    return Parsed(tuple(items), reason, _problem(items, reason))


def feedback(problem: str) -> str:
    """What is added to the messages of a call whose answer was of no use."""
    return (
        f"Your answer could not be used: {problem}.\n"
        "Answer again with one JSON object in the output format described above, and nothing else."
    )


def _without_reasoning(raw: str) -> str:
    """The answer after ``<think>...</think>``; a thought that never ends is no answer."""
    text = raw.strip()
    if text.startswith(("{", "[")):
        return text
    if "</think>" in text:
        return text.rpartition("</think>")[2].strip()
    return "" if text.startswith("<think>") else text


def _value(text: str) -> tuple[object, bool]:
    """The JSON in a text, and whether it had to be repaired. None where there is none."""
    try:
        return orjson.loads(text), False
    except orjson.JSONDecodeError:
        start = text.find("{")
    if start < 0:
        return None, False
    opening = len(text[:start].rstrip()) - 1
    if opening >= 0 and text[opening] == "[":
        start = opening
    try:
        return _sequence(text, start), False
    except (ValueError, RecursionError):
        pass
    try:
        return json_repair.loads(text[start:].removesuffix("```")), True
    except (ValueError, RecursionError):
        return None, True


def _sequence(text: str, start: int) -> object:
    """The JSON value at ``start``; where more objects follow it, one to a line, a list of them all."""
    decoder, values = json.JSONDecoder(), []
    while start >= 0:
        value, end = decoder.raw_decode(text, start)
        values.append(value)
        rest = text[end:].lstrip(" \t\r\n,")
        start = len(text) - len(rest) if rest.startswith("{") else -1
    return values[0] if len(values) == 1 else values


def _items(value: object, mode: Mode) -> list[object] | None:
    """The list of entries, also where it comes bare, alone, or under another single name."""
    if isinstance(value, list):
        answers = [item for item in value if isinstance(item, dict) and "entries" in item]
        return _items(answers[-1], mode) if answers else value
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("entries"), list):
        return list(value["entries"])
    if len(value.keys() & DRAFTS[mode].model_fields.keys()) > 1:
        return [value]
    lists = [item for item in value.values() if isinstance(item, list)]
    if len(lists) == 1 and all(isinstance(item, dict) for item in lists[0]):
        return list(lists[0])
    return [] if _reason(value) else None


def _item(item: object, mode: Mode) -> Draft | Unreadable:
    try:
        return DRAFTS[mode].model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[:3]
        return Unreadable(_raw(item), "; ".join(_said(e["loc"], e["msg"]) for e in first))


def _said(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}: {message}" if where else message


def _raw(item: object) -> str:
    text = json.dumps(item, ensure_ascii=False)
    return UNSTORABLE.sub("\ufffd", text)[:RAW_LIMIT]


def _reason(value: object) -> str | None:
    reason = value.get("nothing_because") if isinstance(value, dict) else None
    return str(_clean(reason)) or None if isinstance(reason, str) else None


def _problem(items: list[Draft | Unreadable], reason: str | None) -> str | None:
    if not items:
        return None if reason else "'entries' is empty and 'nothing_because' gives no reason"
    bad = [(n, item) for n, item in enumerate(items) if isinstance(item, Unreadable)]
    if len(bad) < len(items):
        return None
    return "; ".join(f"entries[{n}]: {item.problem}" for n, item in bad[:3])
