"""Datasets: the accepted entries of a job, closed with their figures and written as files."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.blob import BlobRef
from contracts.generation import GenerationSettings, OutputDir
from contracts.message import Command, Event, Message, Request

Ending = Literal[
    "enough",  # as many entries were accepted as were wanted
    "seeds_used_up",  # every seed was done and no further round was asked for
    "exhausted",  # a further round would add next to nothing
    "rounds_used_up",  # the most rounds were made
    "cancelled",
]


class CloseDataset(Command):
    """Compute the figures of a dataset whose entries are all admitted."""

    dataset_id: UUID
    project_id: UUID
    plan: tuple[BlobRef, ...]
    head: int
    """Version of the dataset's stream."""
    settings: GenerationSettings
    ending: Ending
    counts: "Counts"
    rejected: dict[str, int]
    failed: dict[str, int]
    skipped: dict[str, int]


class Counts(Message):
    """The equations that always hold: seeds = done + failed + in_flight + not_needed;
    generated = accepted + rejected + surplus + awaiting; wanted = accepted + missing.
    """

    seeds: int = 0
    done: int = 0
    failed: int = 0
    in_flight: int = 0
    not_needed: int = 0
    generated: int = 0
    accepted: int = 0
    rejected: int = 0
    surplus: int = 0
    awaiting: int = 0


class DocumentCoverage(Message):
    document_id: UUID
    name: str
    sentences: int
    """Content sentences of the chunks that had a seed."""
    covered: int
    """Of these, evidence of at least one accepted entry."""
    accepted: int


class DatasetFigures(Message):
    """What can be said of a dataset's quality without a model; all shares lie between 0 and 1."""

    quality: float | None
    """Mean quality score of the accepted entries; None when there are none."""
    evidence_resolved: float | None
    near_duplicate_share: float | None
    coverage: tuple[DocumentCoverage, ...]
    coverage_gini: float | None
    """Inequality of accepted entries over chunks: 0 is even."""
    retrieval_mrr: float | None
    """Mean reciprocal rank (at 10) of the source chunk for the question."""
    commonest_opening: str | None
    commonest_opening_share: float | None
    opening_entropy: float | None
    """Bits, over the first three words of questions."""
    kinds: dict[str, int]
    difficulties: dict[str, int]
    categories: dict[str, int]
    answer_words: tuple[int, int, int] | None
    """Quartiles."""


class DatasetCompleted(Event):
    """A dataset was closed: nothing more comes in, and its figures are known."""

    dataset_id: UUID
    ending: Ending
    wanted: int | None
    missing: int
    counts: Counts
    rejected_by_reason: dict[str, int]
    failed_by_code: dict[str, int]
    skipped: dict[str, int]
    """Chunks that were left out before paying, by reason."""
    figures: DatasetFigures


class ExportDataset(Command):
    """Write a closed dataset as files of one format."""

    dataset_id: UUID
    head: int
    """Version of the dataset's stream that is written."""
    plan: tuple[BlobRef, ...]
    format: str
    batch_size: int = Field(ge=0)
    """Seeds of a batch file; 0: one whole file named after the dataset."""
    source_job_id: UUID
    """The job that generated the dataset."""
    name: str
    output_dir: OutputDir | None = None
    """Where the files are laid besides; None: nowhere."""


class ExportedFile(Message):
    name: str
    blob: BlobRef
    batch: int | None
    """None: the whole dataset."""
    entries: int
    seeds: int
    """Those whose entries would be here, asked or not."""
    answered: int | None = None
    """Those of them that a model answered; None in files that were written before this was counted."""


class NotLaid(Message):
    """Why files could not be laid into the folder that was asked for; they can be downloaded all the same."""

    code: str = Field(max_length=100)
    message: str = Field(max_length=1000)


class DatasetExported(Event):
    """A dataset was written as files."""

    dataset_id: UUID
    format: str
    batch_size: int
    head: int
    files: tuple[ExportedFile, ...]
    entries: int
    """In all files, so that it equals the accepted entries."""
    output_dir: OutputDir | None = None
    """The folder that was asked for; the files lie there under their names, unless"""
    output_dir_failed: NotLaid | None = None
    """says why they do not."""


class DatasetDeletionRequested(Request):
    """Somebody asked for a dataset to be deleted with its entries and files."""

    dataset_id: UUID


class DatasetDeleted(Event):
    """A dataset was deleted with its entries and files; the job that made it is remembered."""

    dataset_id: UUID
    project_id: UUID
    job_id: UUID
    """Of the job that made it."""
