"""Answers of a gateway, as they come over the wire, for pages that are made from them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.cli.answers import Calls, Dataset, Document, Entry
from services.cli.summary import Made

TEA = UUID(int=1)
CANAL = UUID(int=2)

FIGURES = {
    "quality": 0.9,
    "evidence_resolved": 1.0,
    "near_duplicate_share": 0.0,
    "coverage": [
        {
            "document_id": str(TEA),
            "name": "tea.txt",
            "sentences": 140,
            "covered": 130,
            "accepted": 90,
        },
        {
            "document_id": str(CANAL),
            "name": "canal.pdf",
            "sentences": 200,
            "covered": 182,
            "accepted": 110,
        },
    ],
    "coverage_gini": 0.1,
    "retrieval_mrr": 1.0,
    "commonest_opening": "what is the",
    "commonest_opening_share": 0.1,
    "opening_entropy": 4.0,
    "kinds": {},
    "difficulties": {},
    "categories": {},
    "answer_words": None,
}


@pytest.fixture
def dataset() -> Callable[..., Dataset]:
    """A finished dataset of the built-in model: 200 of 230 generated entries accepted; fields as named."""

    def make(**changes: Any) -> Dataset:
        wire: dict[str, Any] = {
            "id": "d1",
            "name": "demo",
            "project_id": "p1",
            "job_id": "j1",
            "status": "completed",
            "model": "builtin/extractive",
            "mode": "question and answer",
            "wanted": None,
            "counts": {
                "seeds": 64,
                "done": 60,
                "failed": 3,
                "in_flight": 0,
                "not_needed": 1,
                "generated": 230,
                "accepted": 200,
                "rejected": 28,
                "surplus": 2,
                "awaiting": 0,
            },
            "rejected_by_reason": {"echo": 8, "duplicate": 20},
            "failed_by_code": {"model_timeout": 3},
            "skipped": {"table_of_contents": 1, "licence": 3},
            "ending": "seeds_used_up",
            "rounds": 1,
            "chunks": 68,
            "batch_files": [],
            "figures": FIGURES,
            "a_field_of_a_newer_gateway": True,
        }
        return Dataset.model_validate(wire | changes)

    return make


@pytest.fixture
def document() -> Callable[..., Document]:
    def make(id: UUID, name: str, words: int, **changes: Any) -> Document:
        wire = {
            "id": str(id),
            "file_name": name,
            "status": "chunked",
            "words": words,
            "language": "en",
        }
        return Document.model_validate(wire | changes)

    return make


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """An accepted entry about tea; ``document`` and other fields as named."""

    def make(id: str = "e1", document: str | None = "tea.txt", **changes: Any) -> Entry:
        wire: dict[str, Any] = {
            "id": id,
            "question": "What is tea?",
            "answer": "Tea is a drink made from the leaves of Camellia sinensis.",
            "type": "question and answer",
            "status": "accepted",
            "kind": "definition",
            "difficulty": "easy",
            "quality_score": 0.9,
            "evidence": [{"quote": "Tea is a drink.", "start": 9, "end": 24}],
            "reasons": [],
            "content": {},
            "metadata": {
                "model": "builtin/extractive",
                "prompt": {"name": "question_and_answer", "version": 1, "hash": "ab"},
                "document": document,
                "page": None,
                "heading_path": ["Tea", "Leaves"],
            },
        }
        return Entry.model_validate(wire | changes)

    return make


@pytest.fixture
def made(
    dataset: Callable[..., Dataset], document: Callable[..., Document], entry: Callable[..., Entry]
) -> Callable[..., Made]:
    """What the summary is made of, with the dataset as named."""

    def make(data: Dataset | None = None, **changes: Any) -> Made:
        known: dict[str, Any] = {
            "dataset": data or dataset(),
            "calls": Calls(made=63),
            "missing": None,
            "documents": [document(TEA, "tea.txt", 1200), document(CANAL, "canal.pdf", 2400)],
            "unusable": [],
            "samples": [entry()],
            "saved": [],
            "seconds": 14.24,
            "following": [],
        }
        return Made(**(known | changes))

    return make
