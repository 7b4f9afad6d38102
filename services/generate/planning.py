"""The plan of a job's first round: which passages are asked about, in what order, and what of each. Pure.

Documents are taken one at a time (``candidates``), so that their texts need not be held together; ``arrange`` then
spreads what they offer over the plan, whose pages are made as they are read. So a million chunks cost what each of
them must say to become a seed. Every chunk is used once, and the same input gives the same plan.
"""

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from contracts.document import Chunk, Heading, Structure
from contracts.generation import (
    PLAN_PAGE,
    GenerationSettings,
    PlanDocument,
    PlannedDocument,
    PlanPage,
    Seed,
    Span,
)
from services.generate.distractors import distractors
from services.generate.prompts.length import head, tokens
from services.generate.skipping import content, is_english, reason_to_skip, repeated_lines
from services.generate.slots import assign

OUTLINE = 120
"""Tokens of a document's outline."""
SUMMARY = 80
"""Tokens of its summary."""
WORDS_PER_ENTRY = 40
"""Asking three questions of two lines makes paraphrases (Nemotron-CC, 2024: pairs in proportion to length)."""
FIRST_ROUND = 1
FIRST_PAGES = 20_000
"""Characters by which a text as a whole is judged."""

_NOT_PROSE = re.compile(r"[#>|<=]|!\[|```|~~~|---|[-*+]\s|\d+[.)]\s|\t| {4}")
_LINK_TARGET = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"[*_`]{1,3}")
_SENTENCE = re.compile(r".+?(?:[.!?…][\"”’)]*(?=\s|$)|[。！？])\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DocumentForPlan:
    """A chunked document with what its blobs hold."""

    document: PlanDocument
    text: str
    structure: Structure
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage worth asking about, and how many entries it can bear: what a seed says of it, and no more."""

    chunk_id: UUID
    index: int
    start: int
    end: int
    heading_path: tuple[str, ...]
    page: int | None
    context_start: int | None
    asked: int
    distractors: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class DocumentCandidates:
    """What a document offers, in the order in which its chunks are to be used."""

    document: PlannedDocument
    candidates: tuple[Candidate, ...]
    chunks: int
    skipped: dict[str, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """The pages to store, made one by one and once, and the figures that the event says of them."""

    pages: Iterable[PlanPage]
    seeds: int
    asked: int
    chunks: int
    skipped: dict[str, int]


def candidates(document: DocumentForPlan, settings: GenerationSettings) -> DocumentCandidates:
    """The chunks of a document that are worth a call, spread over it, and why the others are not."""
    planned, skipped = document_context(document), Counter[str]()
    kept: list[tuple[Chunk, int]] = []
    if _is_foreign(document.text, planned, settings):
        skipped["language_not_supported"] = len(document.chunks)
    else:
        repeated = repeated_lines(document.text, document.structure.pages)
        for chunk in document.chunks:
            passage = document.text[chunk.start : chunk.end]
            found = content(passage)
            reason = reason_to_skip(passage, found, chunk.heading_path, repeated, settings.mode)
            if reason is None:
                kept.append((chunk, _entries(found.words, settings)))
            else:
                skipped[reason] += 1
    near: Sequence[tuple[Span, ...]] = [()] * len(kept)
    if settings.context == "distractors":
        near = distractors([chunk for chunk, _ in kept], document.text)
    offset = _draw(settings.seed, "order", planned.text.sha256)
    order = spread(len(kept), offset % max(1, len(kept)))
    paths: dict[tuple[str, ...], tuple[str, ...]] = {}
    return DocumentCandidates(
        document=planned,
        candidates=tuple(_candidate(*kept[place], near[place], paths) for place in order),
        chunks=len(document.chunks),
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _candidate(
    chunk: Chunk,
    asked: int,
    near: tuple[Span, ...],
    paths: dict[tuple[str, ...], tuple[str, ...]],
) -> Candidate:
    """``paths`` are those seen before: the chunks of a section share theirs."""
    return Candidate(
        chunk_id=chunk.chunk_id,
        index=chunk.index,
        start=chunk.start,
        end=chunk.end,
        heading_path=paths.setdefault(chunk.heading_path, chunk.heading_path),
        page=chunk.page,
        context_start=chunk.context_start,
        asked=asked,
        distractors=near,
    )


def arrange(parts: Sequence[DocumentCandidates], settings: GenerationSettings) -> Plan:
    """Interleave the documents in proportion to their candidates, number the seeds from 0 and page them.

    With ``settings.preview``, only so many of them from the first on.
    """
    count = sum(len(part.candidates) for part in parts)
    asked = sum(candidate.asked for part in parts for candidate in part.candidates)
    seeds = count if settings.preview is None else min(count, settings.preview)
    skipped = sum((Counter(part.skipped) for part in parts), Counter[str]())
    return Plan(
        # What is previewed is asked exactly as the whole plan would ask it.
        pages=_pages(islice(_seeds(parts, asked, settings), seeds), parts),
        seeds=seeds,
        asked=sum(candidate.asked for _, candidate in islice(_chosen(parts, settings.seed), seeds)),
        chunks=sum(part.chunks for part in parts),
        skipped=dict(sorted(skipped.items())),
    )


def _chosen(
    parts: Sequence[DocumentCandidates], seed: int
) -> Iterator[tuple[DocumentCandidates, Candidate]]:
    """Every candidate in the order of the plan. Each document's places come in order, so they need only be merged."""
    for _, number, place in heapq.merge(*(_places(n, part, seed) for n, part in enumerate(parts))):
        yield parts[number], parts[number].candidates[place]


def _seeds(
    parts: Sequence[DocumentCandidates], asked: int, settings: GenerationSettings
) -> Iterator[Seed]:
    calls = (
        (f"{part.document.text.sha256}/{candidate.start}", candidate.asked)
        for part, candidate in _chosen(parts, settings.seed)
    )
    slots = assign(calls, asked, settings, FIRST_ROUND)
    chosen = _chosen(parts, settings.seed)
    for index, ((part, candidate), of_the_call) in enumerate(zip(chosen, slots, strict=True)):
        yield Seed(
            index=index,
            round=FIRST_ROUND,
            sample=0,
            document_id=part.document.document_id,
            chunk_id=candidate.chunk_id,
            chunk_index=candidate.index,
            start=candidate.start,
            end=candidate.end,
            heading_path=candidate.heading_path,
            page=candidate.page,
            slots=of_the_call,
            distractors=candidate.distractors,
            context_start=candidate.context_start,
        )


def spread(count: int, offset: int) -> list[int]:
    """0 to ``count - 1`` in bit-reversed order (van der Corput, 1935), begun at ``offset``.

    Any first part of it lies spread over the whole, so a job that needs few seeds still reads the tail.
    """
    bits = max(1, (count - 1).bit_length())
    turned = (int(f"{place:0{bits}b}"[::-1], 2) for place in range(1 << bits))
    return [(place + offset) % count for place in turned if place < count]


def document_context(document: DocumentForPlan) -> PlannedDocument:
    """What prompts say of a document: title, outline, and its first sentences of prose for a summary."""
    title = " ".join(document.structure.title.split()) or document.document.name
    outline = _outline(title, document.structure.headings)
    return PlannedDocument(
        document_id=document.document.document_id,
        name=document.document.name,
        title=title,
        language=document.structure.language or document.document.language,
        outline=outline,
        summary=_lead(document.text) or "; ".join((title, *outline[:8])),
        text=document.document.text,
    )


def _is_foreign(text: str, planned: PlannedDocument, settings: GenerationSettings) -> bool:
    """The built-in model reads English only; a language that nobody could tell is judged by common words."""
    if not settings.model.startswith("builtin/"):
        return False
    if planned.language is None:
        return not is_english(text[:FIRST_PAGES])
    return planned.language != "en"


def _entries(words: int, settings: GenerationSettings) -> int:
    """One summary of a passage; else as many entries as its length bears, up to what is allowed."""
    if settings.mode == "summarization":
        return 1
    return min(settings.per_chunk, max(1, words // WORDS_PER_ENTRY))


def _places(number: int, part: DocumentCandidates, seed: int) -> Iterator[tuple[float, int, int]]:
    """(when, document, candidate): a document with twice the candidates comes up twice as often."""
    start = _draw(seed, "turn", part.document.text.sha256) / 2**64
    for place in range(len(part.candidates)):
        yield (place + start) / len(part.candidates), number, place


def _pages(seeds: Iterator[Seed], parts: Sequence[DocumentCandidates]) -> Iterator[PlanPage]:
    documents = {part.document.document_id: part.document for part in parts}
    first = 0
    while page := tuple(islice(seeds, PLAN_PAGE)):
        needed = dict.fromkeys(seed.document_id for seed in page)
        yield PlanPage(
            first=first, documents=tuple(documents[identity] for identity in needed), seeds=page
        )
        first += len(page)


def _draw(seed: int, what: str, identity: str) -> int:
    """A number below 2**64 that only its arguments decide; a text is named by its hash, alike in every project."""
    digest = hashlib.blake2b(f"{seed}/{what}/{identity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _outline(title: str, headings: Sequence[Heading]) -> tuple[str, ...]:
    """As many levels of headings as fit, else the first headings of the highest level."""
    named = [(heading.level, " ".join(heading.text.split())) for heading in headings]
    named = [(level, text) for level, text in named if text and text != title]
    for deepest in sorted({level for level, _ in named}, reverse=True):
        kept = [text for level, text in named if level <= deepest]
        if sum(tokens(text) + 2 for text in kept) <= OUTLINE:
            return tuple(kept)
    top = min((level for level, _ in named), default=0)
    first, used = [], 0.0
    for text in (text for level, text in named if level == top):
        used += tokens(text) + 2
        if used > OUTLINE:
            break
        first.append(text)
    return tuple(first)


def _lead(text: str) -> str:
    """The first sentences of the first paragraph that is prose, from the first pages of a text."""
    for paragraph in re.split(r"\n\s*\n", text[:FIRST_PAGES]):
        if _NOT_PROSE.match(paragraph) or len(paragraph) < 60:
            continue
        plain = _EMPHASIS.sub("", _LINK_TARGET.sub(r"\1", paragraph))
        sentences = _SENTENCE.findall(" ".join(plain.split()))
        lead = "".join(sentences[:3]).strip()
        if len(lead) >= 60:
            return lead if tokens(lead) <= SUMMARY else head(lead, SUMMARY) + " …"
    return ""
