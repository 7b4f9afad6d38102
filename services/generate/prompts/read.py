"""A rendered prompt, read back into its parts: the exact inverse of ``render.py``.

The built-in model and the simulated model server stand behind the same messages as any other model, so a prompt that
lost its passage is noticed here. Never guesses at what is not there.
"""

import json
import re

from contracts.generation import Mode, Slot
from services.generate.extractive.passage import Passage
from services.generate.prompts import fence
from services.generate.prompts.files import MODES
from services.generate.prompts.render import NOT_ANSWERABLE

_MODE = re.compile(r"Mode: (.+)\n")
_LINE = re.compile(r"[0-9]+\. (.*)")


class PromptUnreadable(ValueError):
    """The messages are not a prompt that ``render`` made. ``code`` is stable."""

    code = "prompt_unreadable"


def read_prompt(system: str, user: str) -> Passage:
    """The parts of a call. Mode ``default`` reads as the mode whose prompt serves it.

    Raises:
        PromptUnreadable: there is no mode line, no passage between its tags, or no plan.
    """
    mode = _mode(system)
    text = fence.inside("passage", user)
    if text is None:
        raise PromptUnreadable("the user message holds no passage between <passage-...> tags")
    plan = fence.inside("plan", user)
    if plan is None:
        raise PromptUnreadable("the user message holds no plan between <plan-...> tags")
    title, outline = _document(fence.inside("document", user) or "")
    return Passage(
        mode=mode,
        title=title,
        outline=outline,
        heading_path=_heading(fence.inside("heading", user) or "[]"),
        before=fence.unescape(fence.inside("before", user) or ""),
        text=fence.unescape(text),
        after=fence.unescape(fence.inside("after", user) or ""),
        slots=tuple(_slot(line) for line in plan.split("\n")[1:]),
        avoid=_list(fence.inside("avoid", user)),
        focus=_list(fence.inside("focus", user)),
    )


def _mode(system: str) -> Mode:
    found = _MODE.match(system)
    if found is None or found.group(1) not in MODES:
        raise PromptUnreadable("the system message does not begin with the line 'Mode: <mode>'")
    return MODES[found.group(1)]


def _document(block: str) -> tuple[str, tuple[str, ...]]:
    title, outline = "", []
    for line in block.split("\n"):
        if line.startswith("Title: "):
            title = _text(line.removeprefix("Title: "))
        elif line.startswith("- "):
            outline.append(_text(line.removeprefix("- ")))
    return title, tuple(outline)


def _heading(block: str) -> tuple[str, ...]:
    try:
        path = json.loads(fence.unescape(block))
    except ValueError as error:
        raise PromptUnreadable(f"the heading path is no list of texts: {error}") from error
    if not isinstance(path, list) or not all(isinstance(item, str) for item in path):
        raise PromptUnreadable("the heading path is no list of texts")
    return tuple(path)


def _list(block: str | None) -> tuple[str, ...]:
    return tuple(_text(line) for line in block.split("\n")) if block else ()


def _text(line: str) -> str:
    try:
        return fence.unquoted(line)
    except ValueError as error:
        raise PromptUnreadable(f"a line of the prompt is no quoted text: {error}") from error


def _slot(line: str) -> Slot:
    found = _LINE.fullmatch(line)
    if found is None:
        raise PromptUnreadable(f"a line of the plan cannot be read: {line[:80]!r}")
    values: dict[str, object] = {}
    for wish in found.group(1).split("; "):
        name, separator, value = wish.partition(": ")
        if separator and value != "any":
            values[name] = value
        elif wish == NOT_ANSWERABLE:
            values["answerable"] = False
    try:
        return Slot.model_validate(values)
    except ValueError as error:
        raise PromptUnreadable(f"a line of the plan names no known slot: {line[:80]!r}") from error
