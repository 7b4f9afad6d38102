"""The prompts that ship with Gristmill, one Markdown file each: front matter with name, mode and version, then text.

Also fills placeholders: only known ones, in one pass, so braces in a text are never mistaken for more of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from contracts.generation import GenerationSettings, Mode

NAMES: dict[Mode, str] = {
    "default": "question_and_answer",
    "question and answer": "question_and_answer",
    "instruction following": "instruction_following",
    "question": "question",
    "answer": "answer",
    "summarization": "summarization",
}
"""Which file serves a mode; ``default`` is the main mode of dataset makers."""

MODES: dict[str, Mode] = {mode: mode for mode in NAMES}


class PromptUnknown(ValueError):
    """The settings name a prompt that does not ship for their mode, and bring no text of their own."""


@dataclass(frozen=True, slots=True)
class PromptFile:
    name: str
    mode: Mode
    version: int
    text: str


@cache
def load(name: str) -> PromptFile:
    """Read a prompt file; ValueError where its front matter lacks name, mode or version."""
    source = files(__package__).joinpath(f"{name}.md").read_text("utf-8")
    start, front, text = source.split("---\n", 2)
    values = dict(line.split(": ", 1) for line in front.splitlines())
    if start or values.get("name") != name or values.get("mode") not in MODES:
        raise ValueError(f"prompts/{name}.md: front matter needs its name, a known mode, a version")
    return PromptFile(name, MODES[values["mode"]], int(values["version"]), text.strip())


def chosen(settings: GenerationSettings) -> PromptFile:
    """The file that frames a job's calls. A custom prompt is framed by the file of its mode."""
    name = NAMES[settings.mode]
    if settings.custom_prompt is None and settings.prompt_name not in {"default", name}:
        raise PromptUnknown(
            f"prompt {settings.prompt_name!r} does not exist for mode {settings.mode!r};"
            f" use 'default' or {name!r}, or send its text as custom_prompt"
        )
    return load(name)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put ``values`` in place of their ``{name}``; what is put in is not looked at again."""
    known = re.compile(r"\{(" + "|".join(map(re.escape, values)) + r")\}")
    return known.sub(lambda found: values[found.group(1)], template)
