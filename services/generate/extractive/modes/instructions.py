"""Tasks whose output is right by construction: explain, list, steps, dates, titles, abbreviations, table rows, summaries.

At least half of a passage's tasks carry material or are no question in disguise. Wordings are chosen by hash, never by chance.
"""

import re
from dataclasses import dataclass

from contracts.generation import Difficulty, Slot, Task
from services.generate.extractive import dates, words
from services.generate.extractive.candidate import Candidate, Span
from services.generate.extractive.modes import wordings
from services.generate.extractive.modes.questions import fit, on_focus, quotes
from services.generate.extractive.modes.summaries import chosen, leans, lexrank, material
from services.generate.extractive.nouns import is_plural
from services.generate.extractive.page import Page, Paragraph
from services.generate.extractive.rules.acronyms import pairs
from services.generate.extractive.sentences import Sentence

_DULL_HEADINGS = re.compile(
    r"^(?:introduction|overview|summary|background|history|conclusions?|contents|notes|references|see also|details|general|usage"
    r"|examples?|description|features|name|names|etymology|other|miscellaneous|appendix|faq)\b|[?:.]$|^\W*\d",
    re.IGNORECASE,
)


_NUMBERED = re.compile(
    rf"\b(?!{dates.MONTH}\b|In\b|By\b|On\b|Since\b|From\b|The\b|Between\b|During\b|Around\b|Late\b|Early\b)[A-Z][\w.]* (?:1\d{{3}}|20\d{{2}})\b"
)
"""A figure that looks like a year and is the number of something ("Resolution 1401")."""


_MISSED = re.compile(rf"\b(?:\d{{4}}s?|{dates.MONTH}|century|centuries|decades?)\b")
"""What is left of dates that the patterns read only in part; "every date" would be a lie."""


@dataclass(frozen=True, slots=True)
class _Made:
    task: Task
    difficulty: Difficulty
    instruction: str
    material: str
    output: str
    spans: tuple[Span, ...]
    form: str
    """Which construction it is; a passage does not repeat one while others are left."""


def entries(page: Page) -> list[dict[str, object]]:
    """Instructions for the page's slots."""
    known = set(map(words.normal, page.passage.avoid))
    made = [m for m in _all(page) if m.material or words.normal(m.instruction) not in known]
    if page.passage.focus:
        made = [m for m in made if on_focus(page, m.spans)] or made
    return [
        {
            "evidence": quotes(page, m.spans),
            "instruction": m.instruction,
            "input": m.material,
            "output": m.output,
            "task": m.task,
            "difficulty": m.difficulty,
        }
        for m in _for_slots(made, page.passage.slots)
    ]


def _for_slots(made: list[_Made], slots: tuple[Slot, ...]) -> list[_Made]:
    left, out = list(made), list[_Made]()
    for slot in slots:
        if not slot.answerable or not left:
            continue
        forms = [m.form for m in out]
        bare = sum(not m.material and m.form == "explain" for m in out)
        best = max(
            left,
            key=lambda m: (
                1.0 * (slot.task == m.task)
                + 0.3 * (slot.difficulty == m.difficulty)
                - 1.5 * forms.count(m.form)
                - (2.0 if m.form == "explain" and bare * 2 >= len(out) + 1 else 0.0)
                - 0.01 * made.index(m)
            ),
        )
        out.append(best)
        left.remove(best)
    return out


def _all(page: Page) -> list[_Made]:
    found = fit(page)
    made: list[_Made] = []
    for candidate in found:
        made.extend(_from_candidate(candidate))
    for paragraph in page.paragraphs:
        if not paragraph.item:
            made.extend(
                filter(None, (_dates(paragraph), _title(paragraph, page), _expand(paragraph, page)))
            )
    if two := _two_sentences(page):
        made.append(two)
    return made


def _from_candidate(candidate: Candidate) -> list[_Made]:
    if candidate.rule == "definition" and _explainable(candidate):
        return [_explain(candidate)]
    if candidate.rule == "procedure":
        said = wordings.pick("procedure", candidate.subject).format(goal=candidate.material["goal"])
        return [
            _Made(
                "procedure",
                "intermediate",
                said,
                "",
                candidate.answer,
                candidate.spans,
                "procedure",
            )
        ]
    if candidate.rule == "list":
        said = wordings.pick("list", candidate.subject).format(what=candidate.material["what"])
        return [
            _Made(
                "list",
                candidate.difficulty,
                said,
                "",
                candidate.material["items"],
                candidate.spans,
                "list",
            )
        ]
    if candidate.rule == "table":
        said = wordings.pick("row", candidate.question)
        return [
            _Made(
                "rewrite",
                "easy",
                said,
                candidate.material["row"],
                candidate.answer,
                candidate.spans,
                "row",
            )
        ]
    return []


def _explainable(candidate: Candidate) -> bool:
    return bool(candidate.subject) and len(candidate.answer.split()) >= 8


def _explain(candidate: Candidate) -> _Made:
    """The definition, with what its paragraph goes on to say of the same thing."""
    who, verb = candidate.question.split()[:2]
    asked = f"{who.lower()} {candidate.subject} {verb}"
    said = wordings.pick("explain", candidate.subject).format(
        clause=asked, subject=candidate.subject
    )
    if candidate.extension is None:
        return _Made("explain", "easy", said, "", candidate.answer, candidate.spans, "explain")
    return _Made(
        "explain",
        "intermediate",
        said,
        "",
        candidate.extension.answer,
        candidate.extension.spans,
        "explain",
    )


def _dates(paragraph: Paragraph) -> _Made | None:
    """Every date of a paragraph with the sentence that states it."""
    if not _as_material(paragraph):
        return None
    lines = [
        f"{words.capitalise(found[0].strip())}: {sentence.text}"
        for sentence in paragraph.sentences
        for found in dates.ANY.finditer(sentence.text)
    ]
    stated = len({line.split(":")[0] for line in lines})
    if not 2 <= stated <= 6 or len(lines) != stated or " et al" in paragraph.clean.text:
        return None
    if len({line.partition(": ")[2] for line in lines}) < 2:
        return None
    if _NUMBERED.search(paragraph.clean.text) or _MISSED.search(
        dates.ANY.sub("", paragraph.clean.text)
    ):
        return None
    return _Made(
        "extract", "easy", wordings.pick("dates", paragraph.clean.text), paragraph.clean.text, "\n".join(lines),
        (_span(paragraph),), "dates",
    )  # fmt: skip


def _title(paragraph: Paragraph, page: Page) -> _Made | None:
    """The heading of a paragraph that stands first and alone enough under it to be its title."""
    if (
        not _as_material(paragraph)
        or not paragraph.headings
        or len(paragraph.clean.text.split()) < 40
    ):
        return None
    heading = paragraph.headings[-1].strip()
    first = next((p for p in page.paragraphs if p.headings == paragraph.headings), None)
    if (
        first is not paragraph
        or _DULL_HEADINGS.search(heading)
        or not 2 <= len(heading.split()) <= 9
    ):
        return None
    shared = set(words.content_words(heading)) & set(words.content_words(paragraph.clean.text))
    if heading.split()[0].lower() in words.STOP or len(shared) < len(
        set(words.content_words(heading))
    ):
        return None
    said = wordings.pick("title", heading)
    return _Made(
        "summarize", "easy", said, paragraph.clean.text, heading, (_span(paragraph),), "title"
    )


def _expand(paragraph: Paragraph, page: Page) -> _Made | None:
    """A sentence that uses an abbreviation which the page spells out elsewhere, with it written in full."""
    known = {short: (long, s) for s in page.sentences for short, long in pairs(s.text)}
    for sentence in paragraph.sentences:
        for short, (long, where) in known.items():
            used = re.search(rf"(?<![\w(/-]){short}(?![\w)/'’-])", sentence.text)
            if (
                where is sentence
                or used is None
                or sentence.text.count(short) != 1
                or not _stands(sentence)
            ):
                continue
            if re.search(r"\b[Aa]n? $", sentence.text[: used.start()]) or long in sentence.text:
                continue
            after = sentence.text[used.end() :].lstrip().split(" ", 1)[0]
            if is_plural(long.split()[-1]) and after[:1].islower() and after not in words.STOP:
                # "GMO crops" is no "genetically modified organisms crops".
                continue
            before = sentence.text[: used.start()]
            output = before + _fitted(long, before, where.text) + sentence.text[used.end() :]
            spans = ((where.start, where.end), (sentence.start, sentence.end))
            said = wordings.pick("expand", sentence.text)
            return _Made(
                "rewrite",
                "intermediate",
                said,
                sentence.text,
                words.capitalise(output),
                spans,
                "expand",
            )
    return None


def _fitted(long: str, before: str, source: str) -> str:
    """A long form as it stands in mid-sentence: with the article that its own sentence gives it, small if no name."""
    first, _, rest = long.partition(" ")
    if rest.islower() and first.istitle():
        long = words.lower_first(long)
    article = re.search(rf"\b[Tt]he {re.escape(first)}", source, re.IGNORECASE)
    placed = re.search(r"\b(?:[Tt]he|[Aa]n?|[Ii]ts|[Tt]heir|\w+['’]s) (?:\w+ )?$", before)
    return f"the {long}" if article and not placed else long


def _two_sentences(page: Page) -> _Made | None:
    """Two central sentences of the page's prose as its summary."""
    prose = material(page)
    if len({s.headings for s in prose}) != 1:
        return None
    total = sum(len(s.text.split()) for s in prose)
    if not 60 <= total <= 220 or any(words.PERSONAL.search(s.text) for s in prose):
        return None
    best = chosen(prose, lexrank(prose), limit=2, share=0.45)
    if len(best) != 2 or leans(prose[0].text):
        return None
    lines = [
        " ".join(s.text for s in prose if s.paragraph == number)
        for number in dict.fromkeys(s.paragraph for s in prose)
    ]
    text = "\n\n".join(lines)
    said = wordings.pick("summary", text)
    spans = tuple((s.start, s.end) for s in best)
    return _Made(
        "summarize", "intermediate", said, text, " ".join(s.text for s in best), spans, "summary"
    )


def _stands(sentence: Sentence) -> bool:
    return (
        not leans(sentence.text)
        and not words.POINTING.search(sentence.text)
        and sentence.text.endswith(".")
    )


def _as_material(paragraph: Paragraph) -> bool:
    """Whether a paragraph can be handed over as the text to work on: whole, clean, and leaning on nothing before it."""
    text = paragraph.clean.text
    if (
        not paragraph.sentences
        or not text.endswith((".", ".”"))
        or not 20 <= len(text.split()) <= 250
    ):
        return False
    if (
        leans(text)
        or words.SYMBOLS.search(text)
        or words.META.search(text)
        or words.PERSONAL.search(text)
    ):
        return False
    return text[0].isupper()


def _span(paragraph: Paragraph) -> Span:
    return paragraph.sentences[0].start, paragraph.sentences[-1].end
