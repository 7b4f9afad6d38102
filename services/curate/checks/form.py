"""Whether an entry is there at all, whole, and of a fitting length: ``malformed``, ``empty``,
``truncated``, ``length``.
"""

import re
from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.source import Parts, View, facts
from services.curate.sentences import sentences
from services.curate.words import content, count

_WORDLESS = re.compile(r"^[\W_]*$")
_LISTED = re.compile(r"(?m)^\s*(?:[-*•]|\d{1,2}[.)])\s+\S")
_STOPS = tuple(".!?…:。！？")
_FINAL = re.compile(r"[.!?…:。！？][\"'”’»«“)\]*_`」』）]*$|[\"”»“)\]`」』）]$|[^\s]%$")
_ELLIPSIS = re.compile(r"(?:\.\.\.|…)[\"'”’)]*$")
_HANGING = re.compile(
    r"(?i)(?:[,;–—-]|\b(?:and|or|the|a|an|of|to|in|with|for|by|that|which|und|oder|der|die|das|ein"
    r"|eine|mit|von|für|zu"
    r"|et|ou|le|la|les|un|une|de|des|du|à|avec|pour|que|y|o|el|los|con|para|e|il|di|per|os|em))$"
)
_LONGEST_HANGING = 8
"""Characters from which no word or mark of ``_HANGING`` is longer: only the end of a text is searched."""
_TERSE = frozenset({"extract", "list", "classify", "rewrite"})
"""Tasks whose output need not be prose."""
_PROSE = 6
"""Words from which an answer is a sentence, which ends with a stop."""

SHORTEST_QUESTION = 3
LONGEST_QUESTION = 60


def malformed(view: View) -> Iterator[Found]:
    """What could not be read, or lacks what its type demands."""
    entry = view.entry
    if entry.problem:
        yield Found(reason="malformed", detail=entry.problem)
    elif not entry.answerable and not (entry.context or "").strip():
        yield Found(reason="malformed", detail="unanswerable, but without the passage as context")


def empty(view: View) -> Iterator[Found]:
    """A part that its type demands holds no word."""
    for name, text in _demanded(view.entry):
        if _WORDLESS.match(text):
            yield Found(reason="empty", detail=f"{name}: {text!r}")


def truncated(view: View) -> Iterator[Found]:
    """Prose that stops before its end."""
    entry = view.entry
    answer = entry.answer.rstrip()
    if entry.type == "summarization" or (answer and not _loose(entry)):
        last = answer.rsplit("\n", 1)[-1].strip()
        cut = _trails_off(answer) and not _trails_off(view.quoted.text.rstrip())
        final = last.endswith(_STOPS) or _FINAL.search(last)
        open_end = not final and (count(last) >= _PROSE or _begun(view, last))
        if cut or open_end or _hangs(last):
            yield Found(reason="truncated", detail=last[-80:])
    question = entry.question.rstrip()
    if question and (_hangs(question) or _trails_off(question)):
        yield Found(reason="truncated", detail=question[-80:])


def _trails_off(text: str) -> bool:
    return ("..." in text or "…" in text) and _ELLIPSIS.search(text) is not None


def _hangs(text: str) -> bool:
    return _HANGING.search(text, max(0, len(text) - _LONGEST_HANGING)) is not None


def length(view: View) -> Iterator[Found]:
    """Too short or too long for what was asked.

    Three words are enough of a question: "What is osmosis?" is sound, whatever a rule of four says.
    """
    entry = view.entry
    if entry.asks and not SHORTEST_QUESTION <= view.asked.count <= LONGEST_QUESTION:
        yield Found(reason="length", detail=f"question of {view.asked.count} words")
    said = facts(entry.answer, view.language).count
    if entry.type == "summarization":
        written = len(_stops(entry.answer))
        if not 2 <= written <= 8:
            yield Found(reason="length", detail=f"summary of {written} sentences")
        if view.quoted.count and said / view.quoted.count < 0.05:
            yield Found(reason="length", detail=f"{said} words of {view.quoted.count}")
    elif entry.answer:
        shortest, longest = _bounds(view)
        if not shortest <= said <= longest:
            yield Found(reason="length", detail=f"answer of {said} words")
        style = view.settings.answer_style
        if style == "comprehensive" and entry.type == "question and answer" and said < 20:
            yield Found(reason="length", detail=f"{said} words are not comprehensive")


def listed(text: str) -> int:
    """Lines that are list items or steps."""
    return len(_LISTED.findall(text))


def _begun(view: View, last: str) -> bool:
    """Whether a short answer is a sentence begun: it starts to restate the question."""
    first = content(last, view.language)[:1]
    return bool(view.entry.asks and first and first[0] in view.asked.stems and count(last) >= 3)


def _bounds(view: View) -> tuple[int, int]:
    """Least and most words of an answer."""
    if view.entry.type == "instruction following":
        return 1, 600
    if view.settings.answer_style == "concise":
        return 3, 60
    return (4, 150) if view.entry.type == "answer" else (3, 400)


def _stops(text: str) -> tuple[tuple[int, int], ...]:
    """Sentences of an answer, the short ones counted too."""
    flat = " ".join(text.split())
    found = sentences(flat)
    return found or (((0, len(flat)),) if flat else ())


def _loose(entry: Parts) -> bool:
    """Whether the answer may end without a stop: code, lists, and the terse tasks."""
    answer = entry.answer.rstrip()
    return (
        not answer
        or entry.kind in _TERSE
        or (entry.type == "instruction following" and bool(entry.input))
        or answer.endswith("```")
        or listed(answer) >= 2
    )


def _demanded(entry: Parts) -> Iterator[tuple[str, str]]:
    if entry.type in ("question and answer", "question", "instruction following"):
        yield (
            ("instruction" if entry.type == "instruction following" else "question"),
            entry.question,
        )
    if entry.type in ("question and answer", "instruction following", "answer", "summarization"):
        yield "answer", entry.answer
