"""Formats ``jsonl`` and ``json``: every field of an entry under the names that users of Compileo know.

One object per entry, with the fields of its type, then what all have in common::

    question and answer    question answer kind answerable short_answer context
    instruction following  instruction input output instruction_type source_type context
    question               question kind
    answer                 answer topic
    summarization          instruction input output summary key_points
    all                    id type … category difficulty (easy, medium, hard) quality_score evidence metadata

``evidence`` is a list of ``{quote, start, end}``, the offsets in code points of the parsed text; for a summary it is
one item without a quote, since ``input`` is that text. ``metadata`` is the provenance.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from contracts.entries import Answer, Evidence, Instruction, Question, QuestionAnswer, Summary
from services.export.formats.pairs import SUMMARIZE
from services.export.formats.protocol import DIFFICULTY, WHOLE, ExportRow, Provenance, lacking
from services.export.formats.stream import write_array, write_lines


def record(row: ExportRow, metadata: object) -> dict[str, Any]:
    """The object that stands for a row, ``metadata`` in its place; field order is part of the format."""
    content = row.content
    fields = {"id": row.entry_id, "type": content.type}
    return (
        fields
        | _fields(row)
        | {
            "category": row.category,
            "difficulty": DIFFICULTY[row.difficulty],
            "quality_score": row.quality,
            "evidence": evidence(row),
            "metadata": metadata,
        }
    )


def _fields(row: ExportRow) -> dict[str, Any]:
    match row.content:
        case QuestionAnswer() as content:
            return {
                "question": content.question,
                "answer": content.answer,
                "kind": content.kind,
                "answerable": content.answerable,
                "short_answer": content.short_answer,
                "context": content.context,
            }
        case Instruction() as content:
            return {
                "instruction": content.instruction,
                "input": content.input,
                "output": content.output,
                "instruction_type": content.task,
                "source_type": "instruction_following",
                "context": content.context,
            }
        case Question() as content:
            return {"question": content.question, "kind": content.kind}
        case Answer() as content:
            return {"answer": content.answer, "topic": content.topic}
        case Summary() as content:
            return {
                "instruction": SUMMARIZE,
                "input": content.source,
                "output": content.summary,
                "summary": content.summary,
                "key_points": content.key_points,
            }
        case _:
            raise ValueError(f"An entry of type {row.content.type!r} cannot be exported.")


def evidence(row: ExportRow) -> list[dict[str, Any]]:
    """The evidence of a row as ``{quote, start, end}``."""
    content = row.content
    if isinstance(content, Summary):
        return [{"quote": None, "start": content.start, "end": content.end}]
    quotes: tuple[Evidence, ...] = getattr(content, "evidence", ())
    return [{"quote": item.quote, "start": item.start, "end": item.end} for item in quotes]


def metadata(provenance: Provenance) -> dict[str, Any]:
    """Where a row comes from, as JSON has it."""
    return {
        "document_id": provenance.document_id,
        "document_name": provenance.document_name,
        "title": provenance.title,
        "page": provenance.page,
        "heading_path": provenance.heading_path,
        "chunk_id": provenance.chunk_id,
        "model": provenance.model,
        "prompt": {
            "name": provenance.prompt.name,
            "version": provenance.prompt.version,
            "hash": provenance.prompt.hash,
        },
        # The store keeps objects in an order of its own; sorted, the same rows are the same bytes.
        "parameters": dict(sorted(provenance.parameters.items())),
        "response_key": provenance.response_key,
        "seed": provenance.seed,
        "dataset_id": provenance.dataset_id,
        "job_id": provenance.job_id,
    }


def _rendered(rows: Iterable[ExportRow], option: int) -> Iterator[bytes]:
    last: Provenance | None = None
    fragment = orjson.Fragment(b"null")
    for row in rows:
        if row.provenance is not last:
            last = row.provenance
            fragment = orjson.Fragment(orjson.dumps(metadata(last)))
        yield orjson.dumps(record(row, fragment), option=option)


@dataclass(frozen=True, slots=True)
class Jsonl:
    """One object per line."""

    name: str = "jsonl"
    extension: str = "jsonl"
    media: str = "application/jsonl"

    def refuses(self, types: Collection[str]) -> str | None:
        return lacking(self.name, types, WHOLE)

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        return write_lines(_rendered(rows, orjson.OPT_APPEND_NEWLINE), out)


@dataclass(frozen=True, slots=True)
class Json:
    """One array, an object per line."""

    name: str = "json"
    extension: str = "json"
    media: str = "application/json"

    def refuses(self, types: Collection[str]) -> str | None:
        return lacking(self.name, types, WHOLE)

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        return write_array(_rendered(rows, 0), out)


JSONL, JSON = Jsonl(), Json()
