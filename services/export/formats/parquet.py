"""Format ``parquet``: typed columns, zstd, provenance beside the texts; one row group is in memory at a time.

Columns have the names of the ``jsonl`` fields; a field that an entry's type does not have is null. Provenance lies in
columns of its own (``prompt_name``, ``prompt_version``, ``prompt_hash``), ``parameters`` as a JSON object in a string,
because its keys differ from model to model. A file without rows has the schema all the same.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from contracts.entries import Answer, Content, Instruction, Question, QuestionAnswer, Summary
from services.export.formats.pairs import SUMMARIZE
from services.export.formats.protocol import DIFFICULTY, WHOLE, ExportRow, Provenance, lacking
from services.export.formats.records import evidence

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 8192
GROUP_CHARACTERS = 16_000_000
"""A row group ends with whichever comes first, so that long contexts do not fill the memory."""
LONG_TEXTS = (1, 3, 4, 12)
"""Of ``_texts``: answer, input, output, context; what else there is, is short."""
FEW_VALUES = (
    "type", "answerable", "kind", "instruction_type", "category", "difficulty", "document_id", "document_name",
    "title", "chunk_id", "model", "prompt_name", "parameters", "dataset_id", "job_id",
)  # fmt: skip
"""Columns whose values repeat; the others would only fill a dictionary in vain."""


def schema() -> "pa.Schema":
    """The columns, in order."""
    import pyarrow as pa

    text, texts, number = pa.string(), pa.list_(pa.string()), pa.int64()
    quote = pa.struct([pa.field("quote", text), pa.field("start", number), pa.field("end", number)])
    fields: list[pa.Field[Any]] = [
        pa.field("id", text, nullable=False),
        pa.field("type", text, nullable=False),
        pa.field("question", text),
        pa.field("answer", text),
        pa.field("instruction", text),
        pa.field("input", text),
        pa.field("output", text),
        pa.field("summary", text),
        pa.field("key_points", texts),
        pa.field("topic", text),
        pa.field("kind", text),
        pa.field("instruction_type", text),
        pa.field("answerable", pa.bool_()),
        pa.field("short_answer", text),
        pa.field("context", text),
        pa.field("category", text, nullable=False),
        pa.field("difficulty", text),
        pa.field("quality_score", pa.float64(), nullable=False),
        pa.field("evidence", pa.list_(quote), nullable=False),
        pa.field("document_id", text, nullable=False),
        pa.field("document_name", text, nullable=False),
        pa.field("title", text, nullable=False),
        pa.field("page", pa.int32()),
        pa.field("heading_path", texts, nullable=False),
        pa.field("chunk_id", text, nullable=False),
        pa.field("model", text, nullable=False),
        pa.field("prompt_name", text, nullable=False),
        pa.field("prompt_version", pa.int32(), nullable=False),
        pa.field("prompt_hash", text, nullable=False),
        pa.field("parameters", text, nullable=False),
        pa.field("response_key", text, nullable=False),
        pa.field("seed", number, nullable=False),
        pa.field("dataset_id", text, nullable=False),
        pa.field("job_id", text, nullable=False),
    ]
    return pa.schema(fields)


@dataclass(frozen=True, slots=True)
class Parquet:
    name: str = "parquet"
    extension: str = "parquet"
    media: str = "application/vnd.apache.parquet"

    def refuses(self, types: Collection[str]) -> str | None:
        return lacking(self.name, types, WHOLE)

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns, count = schema(), 0
        with pq.ParquetWriter(
            out,
            columns,
            compression="zstd",
            use_dictionary=list(FEW_VALUES),  # type: ignore[arg-type]  # the stubs know bool only
        ) as writer:
            for group in _groups(rows):
                arrays = [
                    pa.array(values, type=field.type)
                    for field, values in zip(columns, zip(*group, strict=True), strict=True)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=columns))
                count += len(group)
        return count


def _groups(rows: Iterable[ExportRow]) -> Iterator[list[tuple[Any, ...]]]:
    """Rows as tuples in the order of the schema, gathered to row groups."""
    group: list[tuple[Any, ...]] = []
    characters = 0
    last: Provenance | None = None
    shared: tuple[Any, ...] = ()
    for row in rows:
        if row.provenance is not last:
            last = row.provenance
            shared = _provenance(last)
        texts = _texts(row.content)
        group.append(
            (
                str(row.entry_id),
                row.content.type,
                *texts,
                row.category,
                DIFFICULTY[row.difficulty],
                row.quality,
                evidence(row),
                *shared,
            )
        )
        characters += sum(len(texts[column]) for column in LONG_TEXTS if texts[column])
        if len(group) >= GROUP_ROWS or characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _texts(content: Content) -> tuple[Any, ...]:
    """The columns from ``question`` to ``context``."""
    match content:
        case QuestionAnswer(question=question, answer=answer, kind=kind):
            about = (kind, None, content.answerable, content.short_answer, content.context)
            return (question, answer, *[None] * 6, *about)
        case Instruction(instruction=instruction, input=material, output=output):
            trained = (instruction, material, output)
            return (None, None, *trained, *[None] * 4, content.task, None, None, content.context)
        case Question(question=question, kind=kind):
            return (question, *[None] * 7, kind, *[None] * 4)
        case Answer(answer=answer, topic=topic):
            return (None, answer, *[None] * 5, topic, *[None] * 5)
        case Summary(source=source, summary=summary):
            told = (SUMMARIZE, source, summary, summary, content.key_points)
            return (None, None, *told, *[None] * 6)
        case _:
            raise ValueError(f"An entry of type {content.type!r} cannot be exported.")


def _provenance(provenance: Provenance) -> tuple[Any, ...]:
    """The columns from ``document_id`` on."""
    return (
        str(provenance.document_id),
        provenance.document_name,
        provenance.title,
        provenance.page,
        provenance.heading_path,
        str(provenance.chunk_id),
        provenance.model,
        provenance.prompt.name,
        provenance.prompt.version,
        provenance.prompt.hash,
        orjson.dumps(dict(provenance.parameters), option=orjson.OPT_SORT_KEYS).decode(),
        provenance.response_key,
        provenance.seed,
        str(provenance.dataset_id),
        str(provenance.job_id),
    )


PARQUET = Parquet()
