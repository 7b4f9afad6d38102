"""Question-and-answer pairs, and questions alone: the same candidates with and without their answers."""

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate, Span
from services.generate.extractive.clean import flat
from services.generate.extractive.page import Page
from services.generate.extractive.rank import chosen, near, ranked
from services.generate.extractive.rules import candidates


def pairs(page: Page) -> list[dict[str, object]]:
    """Closed-book pairs for the page's slots."""
    out: list[dict[str, object]] = []
    for candidate, slot in chosen(fit(page), page.passage.slots):
        answer, spans, difficulty = candidate.answer, candidate.spans, candidate.difficulty
        if candidate.extension is not None and slot.difficulty != "easy":
            answer, spans, difficulty = (
                candidate.extension.answer,
                candidate.extension.spans,
                "intermediate",
            )
        out.append(
            {
                "evidence": quotes(page, spans),
                "question": candidate.question,
                "answer": answer,
                "short_answer": candidate.short,
                "kind": candidate.kind,
                "difficulty": difficulty,
                "answerable": True,
            }
        )
    return out


def alone(page: Page) -> list[dict[str, object]]:
    """Questions that the page answers, without the answers."""
    return [
        {
            "evidence": quotes(page, candidate.spans),
            "question": candidate.question,
            "kind": candidate.kind,
            "difficulty": candidate.difficulty,
        }
        for candidate, _ in chosen(fit(page), page.passage.slots)
    ]


def fit(page: Page) -> list[Candidate]:
    """Ranked candidates that are not to be avoided; only those on the focus where it has any."""
    passage = page.passage
    found = [c for c in ranked(list(candidates(page)), page) if not near(c.question, passage.avoid)]
    focused = [c for c in found if on_focus(page, c.spans)] if passage.focus else []
    return focused or found


def on_focus(page: Page, spans: tuple[Span, ...]) -> bool:
    """Whether the evidence touches one of the sentences that the call asks about."""
    for wanted in page.passage.focus:
        start = page.passage.text.find(wanted.strip())
        if not words.normal(wanted):
            continue
        if start < 0:
            texts = [words.normal(flat(page.passage.text[low:high])) for low, high in spans]
            if any(
                words.normal(wanted) in text or text in words.normal(wanted)
                for text in texts
                if text
            ):
                return True
            continue
        end = start + len(wanted.strip())
        if any(low < end and start < high for low, high in spans):
            return True
    return False


def quotes(page: Page, spans: tuple[Span, ...]) -> list[str]:
    """The raw text of one to three spans."""
    return [page.passage.text[start:end] for start, end in spans[:3]]
