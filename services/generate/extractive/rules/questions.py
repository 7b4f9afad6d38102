"""Questions that the text itself asks: a heading or bold line ending in "?" with the paragraph or list below it."""

import re
from collections.abc import Iterator

from contracts.generation import Kind
from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate, Span
from services.generate.extractive.page import Page
from services.generate.extractive.sentences import balanced, split
from services.generate.extractive.subject import settle, unsettled

_ASKS = re.compile(
    r"^(?:what|when|where|which|who|whom|whose|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have)\b",
    re.IGNORECASE,
)
_NUMBERING = re.compile(
    r"^(?:Q(?:uestion)?\s*)?(?:\d+(?:\.\d+)*)?[.):]*\s*(?:Q:\s*)?", re.IGNORECASE
)
_UNCLEAR = re.compile(
    r"\b(?:this|that|these|those|it|they|them|its|their|here|he|she|his|her|above|below|the (?:following|author|next|previous))\b|/",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"^(?:It|They|He|She|This|That|These|Those|Its|Their|His|Her|Here|Such|As mentioned|See)\b"
)
_PRONOUNS = frozenset("it it's it’s they he she they're they’re".split())
_ANSWER_LABEL = re.compile(r"^(?:A|Answer)\s*[:.]\s+", re.IGNORECASE)


def candidates(page: Page) -> Iterator[Candidate]:
    """One candidate for each question heading whose answer stands right below it."""
    for index, block in enumerate(page.blocks[:-1]):
        text = page.texts[index]
        alone = block.kind == "heading" or (block.kind == "paragraph" and "\n" not in text)
        if not alone or not text.endswith("?") or text.count("?") > 1:
            continue
        asked = words.capitalise(_NUMBERING.sub("", text, count=1).strip())
        if asked_well(asked):
            found = _answered(asked, index, page)
            if found is not None:
                yield found


def asked_well(asked: str) -> bool:
    """Whether a question found in the text can be asked of someone who never saw it."""
    if not 4 <= len(asked.split()) <= 25 or not _ASKS.match(asked) or words.META.search(asked):
        return False
    return len(words.content_words(asked)) >= 2 and not _UNCLEAR.search(asked)


def _answered(asked: str, index: int, page: Page) -> Candidate | None:
    block = page.blocks[index + 1]
    if block.kind != "paragraph":
        return None
    cleaned = _ANSWER_LABEL.sub("", page.texts[index + 1])
    spans = split(cleaned)
    kept: list[str] = []
    for start, end in spans:
        if sum(map(len, kept)) + end - start > 600:
            break
        kept.append(cleaned[start:end])
    answer = " ".join(kept)
    asked = settle(asked.rstrip("?"), page.scene)
    if unsettled(asked, page.scene):
        return None
    asked += "?"
    if not _fits(answer, kept):
        return None
    head = page.blocks[index]
    low = asked.lower()
    proof: tuple[Span, ...] = ((head.start, head.end), _span(page, index + 1, answer))
    return Candidate(
        rule="faq",
        kind=_kind(low),
        difficulty="intermediate"
        if low.startswith(("why", "how do", "how does", "how can"))
        else "easy",
        question=asked,
        answer=answer,
        spans=proof,
        key=f"faq:{words.normal(asked)}",
        weight=4.0,
        subject=asked.rstrip("?"),
    )


def _fits(answer: str, kept: list[str]) -> bool:
    if not kept or not kept[0].endswith((".", "!")) or not 4 <= len(answer.split()) <= 120:
        return False
    if (
        _DANGLING.match(answer)
        or set(words.words(answer.lower())[:7]) & _PRONOUNS
        or words.META.search(answer)
        or not answer.endswith((".", "!"))
    ):
        return False
    return balanced(answer) and not re.search(
        r"https?:|\b(?:[Ww]e|[Oo]ur|I|[Mm]y)\b|[{}|<>]", answer
    )


def _span(page: Page, index: int, answer: str) -> Span:
    """The raw span of the answer, which ends where the last kept sentence of the paragraph ends."""
    for paragraph in page.paragraphs:
        if paragraph.clean.text != page.texts[index]:
            continue
        for sentence in paragraph.sentences:
            if answer.endswith(sentence.text):
                return page.blocks[index].start, sentence.end
    return page.blocks[index].start, page.blocks[index].end


def _kind(low: str) -> Kind:
    if low.startswith(("why", "how does", "how do ", "how is", "how are")):
        return "explanation"
    if re.match(r"^what (?:is|are) (?:an? |the )?\w+(?: \w+)?\?", low):
        return "definition"
    return "fact"
