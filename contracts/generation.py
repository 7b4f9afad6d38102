"""The main job: what is asked for, how it is planned, what one call must yield.

Everything that shapes a call travels in the request's settings, in the seed, or in the command, so that doing a
unit again builds the same prompt byte for byte.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contracts.blob import BlobRef, Sha256
from contracts.document import Chunking
from contracts.message import Command, Event, Message, Request

Mode = Literal[
    "default", "instruction following", "question and answer", "question", "answer", "summarization"
]
Context = Literal["none", "passage", "distractors"]
Kind = Literal[
    "fact", "definition", "explanation", "procedure", "comparison", "consequence", "application"
]
Task = Literal[
    "explain", "list", "procedure", "extract", "classify", "rewrite", "compare", "summarize"
]
Difficulty = Literal["easy", "intermediate", "hard"]
Asker = Literal["novice", "practitioner", "sceptic", "examiner"]
Form = Literal["direct", "scenario", "imperative"]
ModelName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,40}/[^\s]{1,200}$", max_length=241)
]
"""``provider/model``."""
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
OutputDir = Annotated[
    str, StringConstraints(pattern=rf"^{_PART}(/{_PART}){{0,2}}$", max_length=302)
]
"""A folder below ``exports`` of the data folder: up to three names, none of which begins with a dot."""


MOST_PREVIEWED = 20


class Thresholds(Message):
    """Where curation draws its lines; all of them travel in the request, so that verdicts can be repeated."""

    groundedness: float = Field(default=0.6, ge=0, le=1)
    """Least share of an answer's content words found in evidence, passage and title (builtin: 1.0)."""
    evidence_match: float = Field(default=90.0, ge=0, le=100)
    """Least fuzzy score at which a quote counts as found in the parsed text."""
    near_duplicate: float = Field(default=0.8, ge=0, le=1)
    """Estimated Jaccard of questions at which the later one is a duplicate."""
    same_fact: float = Field(default=0.7, ge=0, le=1)
    """Jaccard of answers at which equal evidence and kind make a duplicate."""
    retrieval_rank: int = Field(default=10, ge=1)
    """Worst rank of the source chunk for the question (projects of 50 chunks or more)."""
    quality: float = Field(default=0.0, ge=0, le=1)
    """Least quality score; 0: no entry is dropped for its score alone."""


class GenerationSettings(Message):
    """All that shapes the entries of one dataset."""

    mode: Mode = "question and answer"
    model: ModelName = "builtin/extractive"
    entries: int | None = Field(default=None, ge=1, le=10_000_000)
    """Accepted entries wanted; None: what one round over the chunks yields."""
    per_chunk: int = Field(default=3, ge=1, le=50)
    """Ceiling of entries asked of one passage in one call."""
    context: Context = "none"
    concurrency: int = Field(default=8, ge=1, le=1024)
    """Model calls in flight for the job, over all workers."""
    prompt_name: str = Field(default="default", max_length=100)
    custom_prompt: str | None = Field(default=None, max_length=100_000)
    audience: str | None = Field(default=None, max_length=1000)
    purpose: str | None = Field(default=None, max_length=1000)
    domain: str | None = Field(default=None, max_length=1000)
    language: str | None = Field(default=None, pattern="^[a-z]{2}$")
    """Language to write in, ISO 639-1; None: that of the source."""
    complexity: Literal["auto", "easy", "intermediate", "hard"] = "auto"
    question_style: Literal["factual", "analytical", "case_based"] | None = None
    answer_style: Literal["concise", "comprehensive", "step_by_step"] | None = None
    negativity_ratio: float = Field(default=0.0, ge=0, le=1)
    """Share of slots that ask what the passage does not answer; such entries carry the passage."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_tokens: int = Field(default=2000, ge=1, le=100_000)
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Of the plan's seeded choices, and of the model where it takes one."""
    thresholds: Thresholds = Thresholds()
    chunking: Chunking = Chunking()
    """For documents that were not cut before the job; for all of them with"""
    recut: bool = False
    """True: those that were cut in another way are cut again in this one. False: they are taken as they are."""
    reuse_answers: bool = False
    """Take what the model answered to the very same call of another job of the tenant, where that is recorded, instead
    of paying for it again.
    """
    preview: int | None = Field(default=None, ge=1, le=MOST_PREVIEWED)
    """Make only so many seeds, the first of the plan, which lie spread over the documents; None: all of them."""
    batch_size: int = Field(default=50, ge=0, le=1_000_000)
    """Seeds of a batch file, in plan order; 0: one file."""
    format: str = Field(default="jsonl", max_length=50)
    output_dir: OutputDir | None = None
    """Where finished files are laid besides, under ``exports`` of the export service's data folder; None: nowhere."""

    @model_validator(mode="after")
    def _previews_no_number(self) -> "GenerationSettings":
        if self.preview is not None and self.entries is not None:
            raise ValueError("a preview makes a few seeds, whatever they yield: leave out entries")
        return self

    def not_available(self) -> tuple[str, str] | None:
        """The first setting that mode or model cannot honour, with the reason; None: all of them are.

        Pure, so that a gateway refuses before a job starts and a worker refuses what came past the gateway.
        """
        return self._not_in_mode() or self._not_with_model()

    def _not_in_mode(self) -> tuple[str, str] | None:
        asks = self.mode in {"default", "question and answer", "question", "instruction following"}
        answers = self.mode not in {"question", "summarization"}
        pairs = self.mode in {"default", "question and answer"}
        reads = pairs or self.mode == "instruction following"
        for field, wanted, possible in (
            ("question_style", self.question_style is not None, asks),
            ("answer_style", self.answer_style is not None, answers),
            ("negativity_ratio", self.negativity_ratio > 0, pairs),
            ("context", self.context != "none", reads),
            ("complexity", self.complexity != "auto", self.mode != "summarization"),
        ):
            if wanted and not possible:
                return field, f"Mode {self.mode!r} has nothing that {field} could apply to."
        return None

    def _not_with_model(self) -> tuple[str, str] | None:
        if not self.model.startswith("builtin/"):
            return None
        if self.model != "builtin/extractive":
            return (
                "model",
                f"There is no model {self.model!r}; the built-in one is builtin/extractive.",
            )
        for field, wanted in (
            ("custom_prompt", self.custom_prompt is not None),
            ("prompt_name", self.prompt_name != "default"),
            ("question_style", self.question_style is not None),
            ("answer_style", self.answer_style is not None),
            ("audience", self.audience is not None),
            ("purpose", self.purpose is not None),
            ("domain", self.domain is not None),
            ("negativity_ratio", self.negativity_ratio > 0),
            ("complexity", self.complexity != "auto"),
            ("language", self.language not in {None, "en"}),
        ):
            if wanted:
                return field, (
                    f"The built-in model takes entries from the text by rules and cannot follow {field};"
                    " name a language model, such as openai/<name>."
                )
        return None


class GenerationRequested(Request):
    """Somebody asked for a dataset from documents of a project."""

    project_id: UUID
    document_ids: tuple[UUID, ...] | None = Field(default=None, max_length=1000)
    """None: every document of the project."""
    name: str | None = Field(default=None, max_length=200)
    settings: GenerationSettings = GenerationSettings()


class PlanDocument(Message):
    """A chunked document as the planner needs it."""

    document_id: UUID
    name: str
    language: str | None
    text: BlobRef
    structure: BlobRef
    table: BlobRef
    chunks: int


class PlanGeneration(Command):
    """Decide which passages are asked for what, before anything is paid."""

    project_id: UUID
    documents: tuple[PlanDocument, ...]
    settings: GenerationSettings


class Slot(Message):
    """What one entry of a call is asked to be. ``kind`` is a wish; the model may swap it and says so."""

    kind: Kind | None = None
    task: Task | None = None
    difficulty: Difficulty = "easy"
    asker: Asker = "novice"
    form: Form = "direct"
    answerable: bool = True


class Span(Message):
    start: int
    end: int


class Seed(Message):
    """One call to be made: a passage, what to ask of it, and what not to ask again."""

    index: int = Field(ge=0)
    """Place in the job, over all rounds."""
    round: int = Field(ge=1)
    sample: int = Field(ge=0)
    document_id: UUID
    chunk_id: UUID
    chunk_index: int
    start: int
    end: int
    heading_path: tuple[str, ...]
    page: int | None
    slots: tuple[Slot, ...]
    """As many as entries are asked for."""
    focus: tuple[Span, ...] = ()
    """Sentences that no accepted evidence covers (offsets in the parsed text); later rounds only."""
    avoid: tuple[str, ...] = ()
    """Accepted questions near to this passage, at most 8."""
    distractors: tuple[Span, ...] = ()
    """Near but wrong passages of the same document, for ``context: distractors``."""
    context_start: int | None = None
    """The prompt shows the text from here to ``start`` before the passage; None: a usual stretch of it."""


class PlannedDocument(Message):
    """What a prompt says of the document around a passage; the same bytes for all its chunks."""

    document_id: UUID
    name: str
    title: str
    language: str | None
    outline: tuple[str, ...]
    summary: str
    text: BlobRef


class PlanPage(Message):
    """Up to ``PLAN_PAGE`` seeds in order, with the documents that they need; one blob."""

    first: int
    documents: tuple[PlannedDocument, ...]
    seeds: tuple[Seed, ...]


class PlanManifest(Message):
    """The blob that a plan's reference names: its pages in order. ``first`` is the first seed's index."""

    first: int
    seeds: int
    pages: tuple[Sha256, ...]
    page_size: int


PLAN_PAGE = 500


class GenerationPlanned(Event):
    """The first round was planned: its calls, and the chunks that were left out with the reason."""

    dataset_id: UUID
    plan: BlobRef
    """A blob of ``PlanManifest``."""
    first: int
    """Index of the plan's first seed."""
    seeds: int
    asked: int
    """Entries that the seeds ask for, in all."""
    chunks: int
    skipped: dict[str, int]
    """Chunks left out before paying, by reason."""
    documents: int


class ExtendGeneration(Command):
    """Plan a further round from what was accepted so far."""

    dataset_id: UUID
    project_id: UUID
    round: int = Field(ge=2)
    first: int
    plan: BlobRef
    """The first round's plan;"""
    later: tuple[BlobRef, ...] = ()
    """those of the rounds since."""
    settings: GenerationSettings
    dataset_head: int
    """Version of the dataset's stream up to which acceptances count."""
    wanted: int
    """Entries still missing."""


class GenerationExtended(Event):
    """A further round was planned, or found to have nothing left to ask about."""

    dataset_id: UUID
    round: int
    plan: BlobRef | None
    """None: nothing is left to ask about."""
    first: int
    seeds: int
    asked: int
    uncovered: int
    """Content sentences that no accepted evidence covered."""
