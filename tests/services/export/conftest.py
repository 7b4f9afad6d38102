"""One row of each entry type, as the golden samples show them."""

from collections.abc import Callable
from uuid import UUID, uuid5

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.entries import (
    Answer,
    Content,
    Evidence,
    Instruction,
    PromptRef,
    Question,
    QuestionAnswer,
    Summary,
)
from services.export.formats.protocol import ExportRow, Provenance

JOB = UUID("0d9c5a52-37a5-5f3c-8f1e-2a5f9c7d6b10")
SOURCE = "The Gatun lock lifts ships by 26 metres.\nIt was opened in 1914."
EVIDENCE = (Evidence(quote="It was opened in 1914.", start=41, end=63),)
CONTENTS: tuple[Content, ...] = (
    QuestionAnswer(
        evidence=EVIDENCE,
        question="When was the “Gatun” lock opened?",
        answer="The Gatun lock was opened in 1914.",
        kind="fact",
        difficulty="easy",
        short_answer="1914",
    ),
    QuestionAnswer(
        evidence=(Evidence(quote="lifts ships"),),
        question="Who designed the Gatun lock?",
        answer='The text does not say who\ndesigned the lock; it says 日本 "nothing".',
        kind="fact",
        difficulty="hard",
        answerable=False,
        context=SOURCE,
    ),
    Instruction(
        evidence=EVIDENCE,
        instruction="Extract every date with its event from the text below.",
        input=SOURCE,
        output="1914: the Gatun lock was opened",
        task="extract",
        difficulty="intermediate",
    ),
    Question(
        evidence=EVIDENCE, question="How high does the lock lift?", kind="fact", difficulty="easy"
    ),
    Answer(evidence=EVIDENCE, answer="The Gatun lock was opened in 1914.", topic="Gatun lock"),
    Summary(
        summary="The lock of 1914 lifts ships by 26 metres.",
        key_points=("It was opened in 1914.", "It lifts by 26 metres."),
        source=SOURCE,
        start=0,
        end=63,
    ),
)


@pytest.fixture(scope="session")
def sample_rows() -> list[ExportRow]:
    """Two rows of questions and answers, then one of each other type; the first two share a unit."""
    rows = []
    for n, content in enumerate(CONTENTS):
        unit = max(0, n - 1)
        provenance = Provenance(
            document_id=uuid5(JOB, "document"),
            document_name="panama.pdf",
            title="The Panama Canal",
            page=unit + 1 if unit else None,
            heading_path=("The Panama Canal", "Locks"),
            chunk_id=uuid5(JOB, f"chunk/{unit}"),
            model="openai/gpt-5-mini",
            prompt=PromptRef(name="default", version=3, hash="c0ffee" * 10 + "beef"),
            parameters={"temperature": 0.7, "max_tokens": 2000, "seed_note": None, "stream": False},
            response_key=f"{unit:064x}",
            seed=unit,
            dataset_id=uuid5(JOB, "dataset"),
            job_id=JOB,
        )
        rows.append(
            ExportRow(
                entry_id=uuid5(JOB, f"entry/{n}"),
                content=content,
                category="Locks",
                difficulty=getattr(content, "difficulty", None),
                quality=0.875,
                provenance=provenance,
            )
        )
    return rows


@pytest.fixture(scope="session")
def open_parquet() -> Callable[[bytes], pq.ParquetFile]:
    """Opens the bytes of a Parquet file.

    Without read-ahead: a thread of Arrow that still holds Python's bytes when the interpreter ends aborts the
    process ("terminate called without an active exception", about 1 run in 20 with ``read_table``).
    """

    def opened(data: bytes) -> pq.ParquetFile:
        return pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)

    return opened
