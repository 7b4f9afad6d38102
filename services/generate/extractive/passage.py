"""What the built-in model is given: the parts of a prompt, read back. Knows nothing of messages or files."""

from dataclasses import dataclass

from contracts.generation import Mode, Slot


@dataclass(frozen=True, slots=True)
class Passage:
    """One call to the built-in model.

    ``text`` is the passage exactly as it stands in the parsed text (Markdown or plain), so that a quote of it can be
    found there again; ``before`` and ``after`` orient and never supply facts.
    """

    mode: Mode
    title: str
    outline: tuple[str, ...]
    heading_path: tuple[str, ...]
    before: str
    text: str
    after: str
    slots: tuple[Slot, ...]
    """As many entries as are asked for, at most."""
    avoid: tuple[str, ...] = ()
    """Questions that must not be asked again."""
    focus: tuple[str, ...] = ()
    """Sentences to ask about first; empty: any."""
