"""Format ``parquet``: typed columns, zstd, provenance beside the texts; one row group is in memory at a time.

Columns have the names of the ``jsonl`` fields; a field that an entry's type does not have is null. Provenance lies in
columns of its own (``prompt_name``, ``prompt_version``, ``prompt_hash``), ``parameters`` as a JSON object in a string,
because its keys differ from model to model. A file without rows has the schema all the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import orjson

from contracts.entries import (
    Answer,
    Content,
    Evidence,
    Instruction,
    Question,
    QuestionAnswer,
    Summary,
)
from services.export.formats.pairs import SUMMARIZE
from services.export.formats.protocol import DIFFICULTY, WHOLE, ExportRow, Provenance, lacking

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 8192
GROUP_CHARACTERS = 16_000_000
"""A row group ends with whichever comes first, so that long contexts do not fill the memory."""
_TEXTS: Mapping[type[Content], tuple[str | None, ...]] = {
    QuestionAnswer: (
        "question", "answer", *[None] * 6, "kind", None, "answerable", "short_answer", "context",
    ),
    Instruction: (None, None, "instruction", "input", "output", *[None] * 4, "task", None, None, "context"),
    Question: ("question", *[None] * 7, "kind", *[None] * 4),
    Answer: (None, "answer", *[None] * 5, "topic", *[None] * 5),
    Summary: (None, None, SUMMARIZE, "source", "summary", "summary", "key_points", *[None] * 6),
}  # fmt: skip
"""By type: the field that each column from ``question`` to ``context`` holds; a summary's instruction is a constant."""
_IDS = frozenset({"document_id", "chunk_id", "dataset_id", "job_id"})
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
                writer.write_batch(
                    pa.RecordBatch.from_arrays(group.arrays(columns), schema=columns)
                )
                count += len(group.rows)
        return count


@dataclass(slots=True)
class _Group:
    """Rows of one row group, gathered column by column where many rows share what a column holds."""

    rows: list[ExportRow] = field(default_factory=list)
    shared: list[tuple[Any, ...]] = field(default_factory=list)
    """Provenance of the units, each once,"""
    units: list[int] = field(default_factory=list)
    """and which of them is a row's."""
    characters: int = 0

    def arrays(self, columns: "pa.Schema") -> "list[pa.Array[Any]]":
        """The columns, in the order of the schema."""
        import pyarrow as pa

        fields = list(columns)
        place = columns.get_field_index("evidence")
        rows = self.rows
        contents = [row.content for row in rows]
        values: list[Any] = [
            _ids([row.entry_id for row in rows]),
            [content.type for content in contents],
            *_columns(contents),
            [row.category for row in rows],
            [DIFFICULTY[row.difficulty] for row in rows],
            [row.quality for row in rows],
        ]
        made = [
            pa.nulls(len(rows), each.type) if column is None else pa.array(column, type=each.type)
            for each, column in zip(fields, values, strict=False)
        ]
        made.append(_evidence(contents, fields[place].type))
        # What three rows share is read from Python once; Arrow repeats it.
        units = pa.array(self.units, type=pa.int32())
        provenance = zip(fields[place + 1 :], zip(*self.shared, strict=True), strict=True)
        made += [
            (_ids(column) if each.name in _IDS else pa.array(column, type=each.type)).take(units)
            for each, column in provenance
        ]
        return made


def _evidence(contents: Sequence[Content], kind: Any) -> "pa.Array[Any]":
    """Lists of quotes from flat columns: a dictionary for each would take three times as long."""
    import pyarrow as pa

    lists = [_quotes(content) for content in contents]
    flat = [quote for quotes in lists for quote in quotes]
    columns: tuple[list[Any], ...] = (
        [None if isinstance(quote, Summary) else quote.quote for quote in flat],
        [quote.start for quote in flat],
        [quote.end for quote in flat],
    )
    fields = list(kind.value_type)
    arrays = [pa.array(p, type=f.type) for p, f in zip(columns, fields, strict=True)]
    offsets = pa.array([0, *accumulate(map(len, lists))], type=pa.int32())
    return pa.ListArray.from_arrays(
        offsets, pa.StructArray.from_arrays(arrays, fields=fields), type=kind
    )


def _quotes(content: Content) -> Sequence[Evidence | Summary]:
    """Evidence; of a summary it is the summary itself, which knows where its source stands."""
    if isinstance(content, Summary):
        return (content,)
    quotes: tuple[Evidence, ...] = getattr(content, "evidence", ())
    return quotes


def _ids(ids: Sequence[UUID]) -> "pa.Array[Any]":
    """What ``str`` makes of each, a column at a time."""
    import numpy as np
    import pyarrow as pa

    digits = b"".join([id.int.to_bytes(16) for id in ids]).hex().encode()
    plain = np.frombuffer(digits, dtype=np.uint8).reshape(-1, 32)
    dash = np.full((len(ids), 1), ord("-"), dtype=np.uint8)
    parts = [plain[:, a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))]
    dashed = [piece for part in parts for piece in (part, dash)][:-1]
    texts = np.hstack(dashed)
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * texts.shape[1]
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(offsets.tobytes()), pa.py_buffer(texts.tobytes())
    )


def _groups(rows: Iterable[ExportRow]) -> Iterator[_Group]:
    """Rows gathered to row groups."""
    group = _Group()
    last: Provenance | None = None
    for row in rows:
        if row.provenance is not last or not group.shared:
            last = row.provenance
            group.shared.append(_provenance(last))
        group.rows.append(row)
        group.units.append(len(group.shared) - 1)
        group.characters += _long(row.content)
        if len(group.rows) >= GROUP_ROWS or group.characters >= GROUP_CHARACTERS:
            yield group
            group = _Group()
    if group.rows:
        yield group


def _long(content: Content) -> int:
    """Characters of the texts that fill a row group; what else there is, is short."""
    match content:
        case QuestionAnswer():
            return len(content.answer) + len(content.context or "")
        case Instruction():
            return len(content.input) + len(content.output) + len(content.context or "")
        case Answer():
            return len(content.answer)
        case Summary():
            return len(content.source) + len(content.summary)
        case _:
            return 0


def _columns(contents: Sequence[Content]) -> "list[list[Any] | None]":
    """The columns from ``question`` to ``context``; None: no row has anything there."""
    for content in contents:
        if type(content) not in _TEXTS:
            raise ValueError(f"An entry of type {content.type!r} cannot be exported.")
    kinds = set(map(type, contents))
    found: list[list[Any] | None] = []
    for place in range(len(_TEXTS[QuestionAnswer])):
        names = {kind: _TEXTS[kind][place] for kind in kinds}
        if not any(names.values()):
            found.append(None)
        elif len(kinds) == 1 and (name := next(iter(names.values()))) and name != SUMMARIZE:
            found.append(list(map(attrgetter(name), contents)))
        else:
            found.append([_said(content, names[type(content)]) for content in contents])
    return found


def _said(content: Content, name: str | None) -> Any:
    if name is None or name == SUMMARIZE:
        return name
    return getattr(content, name)


def _provenance(provenance: Provenance) -> tuple[Any, ...]:
    """The columns from ``document_id`` on."""
    return (
        provenance.document_id,
        provenance.document_name,
        provenance.title,
        provenance.page,
        provenance.heading_path,
        provenance.chunk_id,
        provenance.model,
        provenance.prompt.name,
        provenance.prompt.version,
        provenance.prompt.hash,
        orjson.dumps(dict(provenance.parameters), option=orjson.OPT_SORT_KEYS).decode(),
        provenance.response_key,
        provenance.seed,
        provenance.dataset_id,
        provenance.job_id,
    )


PARQUET = Parquet()
