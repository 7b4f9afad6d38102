"""The built-in model's one entrance: a passage in, the JSON text of one answer out, as any model must give it.

It takes only what the rules can prove, gives fewer entries than asked for rather than weak ones, and says why it gives none.
"""

import json
from collections.abc import Callable

from contracts.generation import Mode
from services.generate.extractive.modes import answers, instructions, questions, summaries
from services.generate.extractive.page import Page, english, read
from services.generate.extractive.passage import Passage

MODEL = "builtin/extractive"
VERSION = "1"
"""Raised when the same passage may give other entries."""

_MODES: dict[Mode, Callable[[Page], list[dict[str, object]]]] = {
    "default": questions.pairs,
    "question and answer": questions.pairs,
    "question": questions.alone,
    "instruction following": instructions.entries,
    "answer": answers.entries,
    "summarization": summaries.entries,
}


def supports(language: str | None) -> bool:
    """Whether the rules can read a language (ISO 639-1); None is let through and decided from the passage's words."""
    return language is None or language.lower().split("-")[0] == "en"


def respond(passage: Passage) -> str:
    """The answer to one call: a JSON object ``{"entries": [...], "nothing_because": null | text}``.

    The same passage gives the same bytes. At most ``len(passage.slots)`` entries; every evidence quote is a substring
    of ``passage.text``. Any text is accepted; one that is not English, or that states nothing the rules can prove,
    yields no entries and a reason.
    """
    page = read(passage)
    if not english(page):
        return _said(
            [], "the passage does not read as English, the only language of the built-in model"
        )
    entries = _MODES[passage.mode](page)[: len(passage.slots)]
    if entries:
        return _said(entries, None)
    return _said([], "the passage states nothing that the built-in model's rules can prove")


def _said(entries: list[dict[str, object]], because: str | None) -> str:
    return json.dumps({"entries": entries, "nothing_because": because}, ensure_ascii=False)
