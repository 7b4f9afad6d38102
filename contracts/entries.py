"""Entries: what they hold, how they came to be, and why they were kept or dropped.

Texts live in bodies (``EntriesBody``, ``CallBody``), facts in events, so that a text can be erased and its history
stays readable. A verdict always names its reason.
"""

from collections.abc import Collection
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef, Sha256
from contracts.generation import Difficulty, GenerationSettings, Kind, Task
from contracts.message import Command, Event, Message

Reason = Literal[
    "malformed",
    "empty",
    "truncated",
    "meta_reference",
    "dangling_reference",
    "underspecified",
    "evidence_not_found",
    "ungrounded",
    "answer_in_question",
    "echo",
    "copy",
    "wrong_language",
    "trivia",
    "compound",
    "refusal",
    "chatter",
    "duplicate",
    "wrong_kind",
    "length",
    "low_quality",
    "content_erased",
]
"""Why an entry was dropped; the order is that in which the first of several is named."""


class Evidence(Message):
    """A verbatim quote of the parsed text. Offsets are set only where the alignment was verified."""

    quote: str
    start: int | None = None
    end: int | None = None


class QuestionAnswer(Message):
    type: Literal["question and answer"] = "question and answer"
    evidence: tuple[Evidence, ...]
    question: str
    answer: str
    kind: Kind
    difficulty: Difficulty
    answerable: bool = True
    short_answer: str | None = None
    """The bare answer ("1914"), where there is one."""
    context: str | None = None
    """The passage (with distractors, if asked for) that the entry is to be read with; None: closed-book."""


class Instruction(Message):
    type: Literal["instruction following"] = "instruction following"
    evidence: tuple[Evidence, ...]
    instruction: str
    input: str
    """Material that the task works on; "" where there is none."""
    output: str
    task: Task
    difficulty: Difficulty
    context: str | None = None


class Question(Message):
    type: Literal["question"] = "question"
    evidence: tuple[Evidence, ...]
    question: str
    kind: Kind
    difficulty: Difficulty


class Answer(Message):
    type: Literal["answer"] = "answer"
    evidence: tuple[Evidence, ...]
    answer: str
    topic: str


class Summary(Message):
    type: Literal["summarization"] = "summarization"
    summary: str
    key_points: tuple[str, ...]
    source: str
    """The passage that is summarised."""
    start: int
    end: int


class Malformed(Message):
    """What a model said where an entry was due and none could be read; kept so that nothing disappears."""

    type: Literal["malformed"] = "malformed"
    raw: str
    problem: str


Content = Annotated[
    QuestionAnswer | Instruction | Question | Answer | Summary | Malformed,
    Field(discriminator="type"),
]


class BodyEntry(Message):
    entry_id: UUID
    content: Content


class EntriesBody(Message):
    """The body of one unit's entries, in the order of ``EntriesGenerated.entries``."""

    entries: tuple[BodyEntry, ...]


class CallBody(Message):
    """What was sent and what came back, for each call of a unit, in order."""

    system: Sha256
    """Blob (kind ``prompt``) of the system message, one for a whole job."""
    user: str
    exchanges: tuple["Exchange", ...]


class Exchange(Message):
    """One answer of the model. ``feedback`` is what was added to the messages before it, None at first."""

    feedback: str | None
    response: str
    """The raw answer, reasoning text included."""
    finish_reason: str | None


class GeneratedEntry(Message):
    entry_id: UUID
    type: str
    difficulty: Difficulty | None


class PromptRef(Message):
    name: str
    version: int
    hash: Sha256
    """Of the rendered system and user messages."""


class Usage(Message):
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    recalled: int = 0
    """Answers taken from the journal: they were paid for before and cost nothing."""


class GenerateEntries(Command):
    """Ask a model for the entries of these seeds. ``units[i]`` is the unit of seed ``seeds[i]`` of the plan."""

    dataset_id: UUID
    plan: BlobRef
    seeds: tuple[int, ...]
    settings: GenerationSettings
    share: int = Field(ge=1)
    """Calls of this job that one worker may have in flight."""
    restart: int = 0
    """How often the job had been restarted; a cancellation stops only what was issued before the next."""
    allowance: int | None = None
    """Worst-case cost of the pack in micro-units of currency; None: no budget applies."""

    def only(self, units: Collection[UUID]) -> "GenerateEntries":
        kept = [pair for pair in zip(self.units, self.seeds, strict=True) if pair[0] in units]
        return self.model_copy(
            update={"units": tuple(u for u, _ in kept), "seeds": tuple(s for _, s in kept)}
        )


class EntriesGenerated(Event):
    """A model answered for one passage, and these entries were read from its answer."""

    dataset_id: UUID
    unit_id: UUID
    seed: int
    round: int
    sample: int
    document_id: UUID
    chunk_id: UUID
    entries: tuple[GeneratedEntry, ...]
    nothing_because: str | None
    """Why the model declined the passage; a valid result of 0 entries."""
    body: UUID
    """An ``EntriesBody``."""
    call: UUID
    """A ``CallBody``."""
    model: str
    """As it says of itself: provider/model."""
    prompt: PromptRef
    parameters: dict[str, float | int | str | bool | None]
    """As used; a parameter that the model ignores is said so under ``<name>_note``."""
    response_key: Sha256
    """Content address of the call: provider, model, parameters, messages, schema, sample."""
    usage: Usage


class CurateEntries(Command):
    """Judge what a stretch of the job's stream generated."""

    dataset_id: UUID
    project_id: UUID
    plan: tuple[BlobRef, ...]
    after: int
    """Versions of the job's stream: later than this,"""
    through: int
    """up to and including this one."""
    settings: GenerationSettings


class Found(Message):
    """A check that an entry failed, with the text or figure that shows it."""

    reason: Reason
    detail: str


class Signature(Message):
    """What admission compares; holds no readable text."""

    question: str
    """blake2b-128 of the normalised question, hex."""
    minhash: str
    """MinHash of the question's shingles, 128 x uint32 big-endian, base64."""
    words: str
    """Sorted 32-bit hashes of the answer's content words, big-endian, base64."""
    spans: tuple[str, ...]
    """Evidence as ``document:start-end``."""
    kind: str


class Verdict(Message):
    entry_id: UUID
    unit_id: UUID
    seed: int
    passed: bool
    found: tuple[Found, ...]
    """Every check it failed, first the one that names its rejection; empty when it passed."""
    quality: float
    quality_parts: dict[str, float]
    category: str
    kind: str
    difficulty: Difficulty | None
    signature: Signature | None
    """Of an entry that passed."""


class EntriesCurated(Event):
    """A stretch of entries was judged, each for itself."""

    dataset_id: UUID
    after: int
    through: int
    verdicts: tuple[Verdict, ...]


class AdmitEntries(Command):
    """Give the verdicts that depend on other entries, in log order; one in flight per dataset."""

    dataset_id: UUID
    after: int
    """Versions of the dataset's stream whose curated entries are admitted: later than this,"""
    through: int
    """up to and including this one, which is the expected head of what the index must have seen."""
    wanted: int | None
    accepted: int
    """Accepted before this admission."""
    settings: GenerationSettings


class Duplicate(Message):
    entry_id: UUID
    of: UUID
    rule: Literal["question", "near_question", "same_fact"]
    similarity: float


class EntriesAdmitted(Event):
    """Entries that passed were compared with all before them and admitted in log order."""

    dataset_id: UUID
    after: int
    through: int
    accepted: tuple[UUID, ...]
    duplicates: tuple[Duplicate, ...]
    surplus: tuple[UUID, ...]
    """Good entries beyond what was wanted; kept, so that raising the number later costs no call."""
