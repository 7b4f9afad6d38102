"""What follows from an answer: typed entries with verified evidence, their ids, and the content address of the call.

Pure. A label that can be checked is checked here (difficulty against the number of quotes); whether an entry is good
is for curation to say.
"""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from pydantic import JsonValue

from contracts.entries import (
    Answer,
    BodyEntry,
    Content,
    EntriesBody,
    Evidence,
    GeneratedEntry,
    Instruction,
    Malformed,
    Question,
    QuestionAnswer,
    Summary,
)
from contracts.generation import Difficulty, GenerationSettings, PlannedDocument, Seed, Span
from contracts.identity import entry_id
from services.generate.alignment import align
from services.generate.parsing import (
    AnswerDraft,
    Draft,
    InstructionDraft,
    Parsed,
    QuestionAnswerDraft,
    QuestionDraft,
    Unreadable,
)
from services.generate.prompts.fence import unescape
from services.generate.prompts.files import PromptUnknown, chosen

BETWEEN_PASSAGES = "\n\n---\n\n"


class SettingsRefused(ValueError):
    """Settings that cannot be honoured, found before a job is planned. ``code`` is stable."""

    code = "not_available"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def check_settings(settings: GenerationSettings) -> None:
    """Refuse what mode, model or prompt cannot honour.

    Raises:
        SettingsRefused: names the field and the reason.
    """
    if found := settings.not_available():
        raise SettingsRefused(*found)
    try:
        chosen(settings)
    except PromptUnknown as error:
        raise SettingsRefused("prompt_name", str(error)) from error


def response_key(
    tenant: str,
    model: str,
    parameters: Mapping[str, float | int | str | bool | None],
    messages: Sequence[tuple[str, str]],
    schema: Mapping[str, JsonValue] | None,
    sample: int,
) -> str:
    """The journal's key of a model call: the SHA-256 of its canonical JSON, in hex.

    ``model`` is ``provider/model``; ``messages`` are (role, text). Keys of objects are sorted and nothing is spaced,
    so equal calls have equal keys whoever builds them; the tenant is part of it, so none reads another's.
    """
    said = [tenant, model, dict(parameters), list(messages), schema, sample]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def entries_from(
    seed: Seed,
    document: PlannedDocument,
    text: str,
    settings: GenerationSettings,
    parsed: Parsed,
    unit_id: UUID,
) -> tuple[tuple[GeneratedEntry, ...], EntriesBody]:
    """The entries of one answer: their facts, and their texts for a body, in the same order.

    Args:
        seed: what was asked.
        document: the document of the seed; ValueError where it is another one.
        text: its whole parsed text.
        settings: of the job.
        parsed: the answer.
        unit_id: with the seed's sample and an entry's place in the answer it makes the entry's id.
    """
    if document.document_id != seed.document_id:
        raise ValueError(f"seed {seed.index} is of another document than {document.document_id}")
    facts: list[GeneratedEntry] = []
    bodies: list[BodyEntry] = []
    for n, item in enumerate(parsed.items):
        content = _content(seed, text, settings, item)
        identity = entry_id(unit_id, seed.sample, n)
        difficulty: Difficulty | None = getattr(content, "difficulty", None)
        facts.append(GeneratedEntry(entry_id=identity, type=content.type, difficulty=difficulty))
        bodies.append(BodyEntry(entry_id=identity, content=content))
    return tuple(facts), EntriesBody(entries=tuple(bodies))


def _content(
    seed: Seed, text: str, settings: GenerationSettings, item: Draft | Unreadable
) -> Content:
    if isinstance(item, Unreadable):
        return Malformed(raw=item.raw, problem=item.problem)
    if isinstance(item, QuestionAnswerDraft):
        return _question_answer(seed, text, settings, item)
    if isinstance(item, InstructionDraft):
        return _instruction(seed, text, settings, item)
    if isinstance(item, QuestionDraft):
        evidence = _evidence(item.evidence, seed, text, settings)
        return Question(
            evidence=evidence,
            question=item.question,
            kind=item.kind,
            difficulty=_difficulty(item.difficulty, evidence),
        )
    if isinstance(item, AnswerDraft):
        evidence = _evidence(item.evidence, seed, text, settings)
        return Answer(evidence=evidence, answer=item.answer, topic=item.topic)
    return Summary(
        summary=item.summary,
        key_points=item.key_points,
        source=text[seed.start : seed.end],
        start=seed.start,
        end=seed.end,
    )


def _question_answer(
    seed: Seed, text: str, settings: GenerationSettings, item: QuestionAnswerDraft
) -> QuestionAnswer:
    evidence = _evidence(item.evidence, seed, text, settings)
    context = _context(seed, text, settings)
    if context is None and not item.answerable:
        # Without its passage such an entry would teach a model to refuse what it knows.
        context = text[seed.start : seed.end]
    return QuestionAnswer(
        evidence=evidence,
        question=item.question,
        answer=item.answer,
        kind=item.kind,
        difficulty=_difficulty(item.difficulty, evidence),
        answerable=item.answerable,
        short_answer=item.short_answer or None,
        context=context,
    )


def _instruction(
    seed: Seed, text: str, settings: GenerationSettings, item: InstructionDraft
) -> Instruction:
    evidence = _evidence(item.evidence, seed, text, settings)
    return Instruction(
        evidence=evidence,
        instruction=item.instruction,
        input=item.input,
        output=item.output,
        task=item.task,
        difficulty=_difficulty(item.difficulty, evidence),
        context=_context(seed, text, settings),
    )


def _evidence(
    quotes: Sequence[str], seed: Seed, text: str, settings: GenerationSettings
) -> tuple[Evidence, ...]:
    """Each quote where it stands, once. The prompt's escapes are taken off, in case a model copied one."""
    minimum = settings.thresholds.evidence_match
    found = (align(unescape(quote), text, seed.start, seed.end, minimum) for quote in quotes)
    return tuple(dict.fromkeys(found))


def _difficulty(said: Difficulty, evidence: tuple[Evidence, ...]) -> Difficulty:
    """Hard means separated parts combined; with one quote there is nothing to combine."""
    return "easy" if said == "hard" and len(evidence) <= 1 else said


def _context(seed: Seed, text: str, settings: GenerationSettings) -> str | None:
    """What the entry is to be read with: the passage, alone or among near ones in an order drawn by hash."""
    if settings.context == "none":
        return None
    passage = Span(start=seed.start, end=seed.end)
    spans = [passage]
    if settings.context == "distractors":
        spans += seed.distractors

        def drawn(span: Span) -> bytes:
            return hashlib.sha256(f"{settings.seed}/{seed.start}/{span.start}".encode()).digest()

        spans.sort(key=drawn)
    return BETWEEN_PASSAGES.join(text[span.start : span.end].strip() for span in spans)
