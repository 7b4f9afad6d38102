"""From a seed to the messages of its call: stable part first, source text fenced. Pure; the same seed, document, text
and settings give the same bytes.

``read.py`` is its inverse. A custom prompt adds to what is asked; it never replaces rules, schema or language line.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache

from contracts.entries import PromptRef
from contracts.generation import GenerationSettings, Mode, PlannedDocument, Seed, Slot
from services.generate.prompts import fence
from services.generate.prompts.files import chosen, fill
from services.generate.prompts.length import head, tail

NEIGHBOUR = 120
"""Tokens of the text before and after a passage."""
_NEAR = 4 * NEIGHBOUR + 1
"""Characters that can matter for it: four a token, and one more to see whether a word was cut."""

FIELDS: dict[Mode, tuple[str, ...]] = {
    "default": ("kind", "difficulty", "asker", "form"),
    "question and answer": ("kind", "difficulty", "asker", "form"),
    "instruction following": ("task", "difficulty", "asker", "form"),
    "question": ("kind", "difficulty", "asker", "form"),
    "answer": ("kind", "difficulty"),
    "summarization": (),
}
"""What a plan's line says of a slot, by mode; the others stay at their defaults."""

NOT_ANSWERABLE = "not answerable"

QUESTION_STYLES = {
    "factual": "Question style: factual. Ask for facts and definitions that the evidence states.",
    "analytical": "Question style: analytical. Ask for reasons, comparisons and consequences.",
    "case_based": "Question style: case-based. Describe a short concrete case, then ask what follows"
    " for it from what the evidence states.",
}
ANSWER_STYLES = {
    "concise": "Answer style: concise. At most two sentences.",
    "comprehensive": "Answer style: comprehensive. Three to eight sentences, as far as the evidence"
    " carries them.",
    "step_by_step": "Answer style: step by step. Numbered steps, one on each line.",
}
COMPLEXITIES = {
    "auto": "",
    "easy": "Complexity: every entry is easy.",
    "intermediate": "Complexity: every entry is intermediate.",
    "hard": "Complexity: every entry is hard.",
}
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_CHUNK = re.compile(r"\{(?:chunk|chunk_text)\}")
_OF_A_CALL = re.compile(r"\{(?:chunk|chunk_text|datasets_per_chunk)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The two messages of a call. ``system`` is the same for all calls of a job."""

    system: str
    user: str
    ref: PromptRef


def render(
    seed: Seed, document: PlannedDocument, text: str, settings: GenerationSettings
) -> Prompt:
    """``text`` is the whole parsed text; the seed's offsets count its code points.

    Raises:
        PromptUnknown: the settings name a prompt that does not exist for their mode.
    """
    system, user = _system(settings), _user(seed, document, text, settings)
    digest = hashlib.sha256(json.dumps([system, user]).encode()).hexdigest()
    name = chosen(settings).name
    if settings.custom_prompt is not None:
        name = settings.prompt_name if settings.prompt_name != "default" else "custom"
    return Prompt(system, user, PromptRef(name=name, version=chosen(settings).version, hash=digest))


@lru_cache(maxsize=64)
def _system(settings: GenerationSettings) -> str:
    lines = [f"- {line}" for line in _requirements(settings)]
    custom = settings.custom_prompt
    if custom is not None and _OF_A_CALL.search(custom) is None:
        lines.append(_introduction("below") + "\n\n" + _custom(custom, settings, {}))
    elif custom is not None:
        lines.append(_introduction("in the user message"))
    values = {
        "language": _language(settings),
        "requirements": "\n".join(lines) or "Nothing beyond the rules.",
    }
    return fill(chosen(settings).text, values)


def _introduction(where: str) -> str:
    return (
        f"- The owner of the dataset adds instructions {where}. Follow them as to what the entries"
        " are about and how they read; where they differ from the rules or the output format, the"
        " rules and the output format hold."
    )


def _requirements(settings: GenerationSettings) -> list[str]:
    lines = (
        _context("Audience", settings.audience),
        _context("Purpose", settings.purpose),
        _context("Domain", settings.domain),
        COMPLEXITIES[settings.complexity],
        QUESTION_STYLES[settings.question_style] if settings.question_style else "",
        ANSWER_STYLES[settings.answer_style] if settings.answer_style else "",
    )
    return [line for line in lines if line]


def _context(what: str, value: str | None) -> str:
    return f"{what}: {' '.join(value.split())}" if value else ""


def _language(settings: GenerationSettings) -> str:
    if settings.language is None:
        return "Write in the language of the passage."
    code = settings.language
    name = LANGUAGES.get(code, "the language of that ISO 639-1 code")
    return (
        f"Write in {name} ({code}), whatever the language of the passage; quotes stay as they are"
        " in the passage."
    )


def _user(seed: Seed, document: PlannedDocument, text: str, settings: GenerationSettings) -> str:
    code = fence.nonce(seed.chunk_id)
    passage = fence.block("passage", code, fence.escape(text[seed.start : seed.end]))
    if settings.custom_prompt is not None and _OF_A_CALL.search(settings.custom_prompt):
        passage = _asked(settings, passage, len(seed.slots))
    if seed.context_start is None:
        before = tail(text[max(0, seed.start - _NEAR) : seed.start], NEIGHBOUR).strip()
    else:
        before = text[seed.context_start : seed.start].strip()
    after = head(text[seed.end : seed.end + _NEAR], NEIGHBOUR).strip()
    focus = [fence.quoted(text[span.start : span.end]) for span in seed.focus]
    parts = (
        _document(document),
        fence.block("heading", code, fence.escape(_json(list(seed.heading_path)))),
        fence.block("before", code, fence.escape(before)) if before else "",
        fence.block("after", code, fence.escape(after)) if after else "",
        passage,
        fence.block("plan", code, "\n".join(_plan(seed.slots, settings.mode))),
        fence.block("focus", code, "\n".join(focus)) if focus else "",
        fence.block("avoid", code, "\n".join(map(fence.quoted, seed.avoid))) if seed.avoid else "",
    )
    return "\n\n".join(part for part in parts if part)


def _asked(settings: GenerationSettings, passage: str, entries: int) -> str:
    """A custom prompt that says where the passage goes, or how many entries there are, speaks of one call.

    The passage stands once, at the first place that asks for it, so that there is one fence to read.
    """
    custom = settings.custom_prompt or ""
    again = "(the passage above)"
    values = {"datasets_per_chunk": str(entries), "chunk": again, "chunk_text": again}
    place = _CHUNK.search(custom)
    if place is None:
        return f"{_custom(custom, settings, values)}\n\n{passage}"
    first = _custom(custom[: place.start()], settings, values)
    return f"{first}\n{passage}\n{_custom(custom[place.end() :], settings, values)}"


def _custom(part: str, settings: GenerationSettings, of_the_call: dict[str, str]) -> str:
    """A part of the custom prompt, filled; what looks like one of our tags in it is escaped."""
    values = {
        "purpose": settings.purpose or "",
        "audience": settings.audience or "",
        "domain": settings.domain or "",
        "complexity_level": settings.complexity,
        "question_style": settings.question_style or "",
        "answer_style": settings.answer_style or "",
        "language": settings.language or "",
        "purpose_context": _context("Purpose", settings.purpose),
        "audience_context": _context("Audience", settings.audience),
        "domain_context": _context("Domain", settings.domain),
        "complexity_level_context": COMPLEXITIES[settings.complexity],
    }
    return fence.escape(fill(part, values | of_the_call))


@lru_cache(maxsize=256)
def _document(document: PlannedDocument) -> str:
    """Without anything of a chunk, so that its bytes are the same for all chunks of the document."""
    lines = [f"Title: {fence.quoted(document.title)}"]
    if document.outline:
        lines += ["Outline:", *(f"- {fence.quoted(item)}" for item in document.outline)]
    lines.append(f"Summary: {fence.quoted(document.summary)}")
    return fence.block("document", fence.nonce(document.document_id), "\n".join(lines))


def _plan(slots: tuple[Slot, ...], mode: Mode) -> list[str]:
    lines = [f"Entries to write, at most: {len(slots)}"]
    for number, slot in enumerate(slots, start=1):
        wishes = [f"{field}: {getattr(slot, field) or 'any'}" for field in FIELDS[mode]]
        wishes += [] if slot.answerable else [NOT_ANSWERABLE]
        lines.append(f"{number}. {'; '.join(wishes) or 'free'}")
    return lines


def _json(value: list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
