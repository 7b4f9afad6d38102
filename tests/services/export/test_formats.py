"""Formats read back: whatever the texts hold, a written file says what the rows said."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.entries import (
    Answer,
    Content,
    Evidence,
    Instruction,
    Malformed,
    PromptRef,
    Question,
    QuestionAnswer,
    Summary,
)
from services.export.formats import parquet
from services.export.formats.pairs import SUMMARIZE
from services.export.formats.protocol import WHOLE, ExportRow, Format, Provenance
from services.export.formats.registry import find, load, names

Open = Callable[[bytes], pq.ParquetFile]
READ: TypeAdapter[Content] = TypeAdapter(Content)
WORD = {"easy": "easy", "medium": "intermediate", "hard": "hard", None: None}
BUILT_IN = ["alpaca", "chatml", "json", "jsonl", "openai", "parquet"]

TEXT = st.text(max_size=30) | st.sampled_from(
    [
        'a "quoted" word',
        "line\nline\r\n\ttab",
        "back\\slash",
        "\u2028\u2029\x00\x1f",
        "日本 é 👩‍👧",
        "]},{",
        "",
    ]
)
OFFSET = st.none() | st.integers(0, 2**40)
LEVEL = st.sampled_from(["easy", "intermediate", "hard"])
EVIDENCES = st.lists(st.builds(Evidence, quote=TEXT, start=OFFSET, end=OFFSET), max_size=2).map(
    tuple
)
CONTENT: st.SearchStrategy[Content] = st.one_of(
    st.builds(
        QuestionAnswer, evidence=EVIDENCES, question=TEXT, answer=TEXT, difficulty=LEVEL,
        short_answer=st.none() | TEXT, context=st.none() | TEXT,
    ),
    st.builds(
        Instruction, evidence=EVIDENCES, instruction=TEXT, input=TEXT, output=TEXT, difficulty=LEVEL,
        context=st.none() | TEXT,
    ),
    st.builds(Question, evidence=EVIDENCES, question=TEXT, difficulty=LEVEL),
    st.builds(Answer, evidence=EVIDENCES, answer=TEXT, topic=TEXT),
    st.builds(
        Summary, summary=TEXT, key_points=st.lists(TEXT, max_size=3).map(tuple), source=TEXT,
        start=st.integers(0, 99), end=st.integers(0, 99),
    ),
)  # fmt: skip
KEYS = st.text("0123456789abcdef", min_size=64, max_size=64)
PROVENANCE = st.builds(
    Provenance,
    document_id=st.uuids(), document_name=TEXT, title=TEXT, page=st.none() | st.integers(1, 9999),
    heading_path=st.lists(TEXT, max_size=3).map(tuple), chunk_id=st.uuids(), model=TEXT,
    prompt=st.builds(PromptRef, name=TEXT, version=st.integers(1, 99), hash=KEYS),
    parameters=st.dictionaries(
        TEXT, st.none() | st.booleans() | st.integers(-9, 9) | TEXT | st.floats(0, 2), max_size=3
    ),
    response_key=KEYS, seed=st.integers(0, 10**9), dataset_id=st.uuids(), job_id=st.uuids(),
)  # fmt: skip


@st.composite
def row_lists(draw: st.DrawFn) -> list[ExportRow]:
    rows = []
    for provenance in draw(st.lists(PROVENANCE, max_size=3)):
        for content in draw(st.lists(CONTENT, max_size=3)):
            rows.append(  # noqa: PERF401 - two nested draws read better one by one
                ExportRow(
                    entry_id=draw(st.uuids()),
                    content=content,
                    category=draw(TEXT),
                    difficulty=getattr(content, "difficulty", None),
                    quality=draw(st.floats(0, 1)),
                    provenance=provenance,
                )
            )
    return rows


def written(form: Format, rows: Iterable[ExportRow]) -> bytes:
    out = io.BytesIO()
    form.write(rows, out)
    assert not out.closed
    return out.getvalue()


def row_of(record: dict[str, Any]) -> ExportRow:
    """The row that a ``jsonl`` record was written from."""
    common = {"id", "type", "category", "difficulty", "quality_score", "evidence", "metadata"}
    content = {key: value for key, value in record.items() if key not in common}
    content |= {"type": record["type"], "evidence": record["evidence"]}
    level = WORD[record["difficulty"]]
    if record["type"] in {"question and answer", "question", "instruction following"}:
        content["difficulty"] = level
    if record["type"] == "instruction following":
        content["task"] = content.pop("instruction_type")
        assert content.pop("source_type") == "instruction_following"
    if record["type"] == "summarization":
        (place,) = content.pop("evidence")
        assert place.pop("quote") is None
        assert content.pop("instruction") == SUMMARIZE
        assert content.pop("output") == content["summary"]
        content |= {"source": content.pop("input"), **place}
    origin = record["metadata"]
    prompt = PromptRef(**origin["prompt"])
    ids = {key: UUID(origin[key]) for key in ("document_id", "chunk_id", "dataset_id", "job_id")}
    path = tuple(origin["heading_path"])
    return ExportRow(
        entry_id=UUID(record["id"]),
        content=READ.validate_python(content),
        category=record["category"],
        difficulty=level,  # type: ignore[arg-type]  # one of the three words, or None
        quality=record["quality_score"],
        provenance=Provenance(**origin | ids | {"prompt": prompt, "heading_path": path}),
    )


def record_of(columns: dict[str, Any]) -> dict[str, Any]:
    """The ``jsonl`` record that says the same as a parquet row."""
    fields = {
        "question and answer": "question answer kind answerable short_answer context",
        "instruction following": "instruction input output instruction_type context",
        "question": "question kind",
        "answer": "answer topic",
        "summarization": "instruction input output summary key_points",
    }[columns["type"]].split()
    texts = parquet.schema().names[2:15]
    assert all(columns[name] is None for name in texts if name not in fields)
    prompt = {key: columns.pop(f"prompt_{key}") for key in ("name", "version", "hash")}
    shared = ["id", "type", "category", "difficulty", "quality_score", "evidence"]
    record = {name: columns.pop(name) for name in shared + fields}
    if record["type"] == "instruction following":
        record["source_type"] = "instruction_following"
    origin = {key: value for key, value in columns.items() if key not in texts}
    origin |= {"prompt": prompt, "parameters": orjson.loads(origin["parameters"])}
    return record | {"metadata": origin}


@given(row_lists())
def test_jsonl_and_json_hold_every_row_whole(rows: list[ExportRow]) -> None:
    lines = written(find("jsonl"), rows)
    array = written(find("json"), rows)

    assert [row_of(json.loads(line)) for line in lines.split(b"\n") if line] == rows
    assert [row_of(record) for record in json.loads(array)] == rows


@given(rows=row_lists())
@settings(max_examples=50)
def test_parquet_holds_every_row_whole(open_parquet: Open, rows: list[ExportRow]) -> None:
    table = open_parquet(written(find("parquet"), rows)).read(use_threads=False)

    assert [row_of(record_of(columns)) for columns in table.to_pylist()] == rows


@given(row_lists())
def test_training_formats_hold_what_is_asked_and_answered(rows: list[ExportRow]) -> None:
    rows = [row for row in rows if row.content.type not in {"question", "answer"}]

    alpaca = json.loads(written(find("alpaca"), rows))
    chats = [json.loads(line) for line in written(find("openai"), rows).split(b"\n") if line]

    assert len(alpaca) == len(chats) == len(rows)
    for row, item, chat in zip(rows, alpaca, chats, strict=True):
        match row.content:
            case QuestionAnswer(question=question, answer=answer, context=context):
                parts = (question, context or "", answer)
                user = f"{context}\n\n{question}" if context and question else context or question
            case Instruction(instruction=told, input=material, output=answer, context=context):
                material = "\n\n".join(filter(None, (context, material)))
                parts = (told, material, answer)
                user = "\n\n".join(filter(None, (context, told, row.content.input)))
            case Summary(source=source, summary=answer):
                parts = (SUMMARIZE, source, answer)
                user = f"{SUMMARIZE}\n\n{source}" if source else SUMMARIZE
        assert tuple(item.values()) == parts
        assert [turn["role"] for turn in chat["messages"]] == ["system", "user", "assistant"]
        assert chat["messages"][1]["content"] == user
        assert chat["messages"][2]["content"] == answer


@given(rows=row_lists())
@settings(max_examples=20)
def test_the_same_rows_are_the_same_bytes(rows: list[ExportRow]) -> None:
    turned = [
        replace(
            row,
            provenance=replace(
                row.provenance, parameters=dict(reversed([*row.provenance.parameters.items()]))
            ),
        )
        for row in rows
    ]
    for name in ("jsonl", "json", "parquet"):
        assert written(find(name), rows) == written(find(name), turned)


@pytest.mark.parametrize("name", ["alpaca", "chatml", "openai"])
@pytest.mark.parametrize("type_", ["question", "answer", "malformed"])
def test_a_format_of_pairs_refuses_entries_with_one_side(
    name: str, type_: str, sample_rows: list[ExportRow]
) -> None:
    form = find(name)

    reason = form.refuses(["question and answer", type_])

    assert reason is not None
    assert f"cannot hold entries of type '{type_}'" in reason
    assert form.refuses(["question and answer", "instruction following", "summarization"]) is None
    with pytest.raises(ValueError, match="no pair"):
        written(form, [row for row in sample_rows if row.content.type in {"question", "answer"}])


@pytest.mark.parametrize("name", ["jsonl", "json", "parquet"])
def test_a_format_of_records_refuses_only_what_could_not_be_read(
    name: str, sample_rows: list[ExportRow]
) -> None:
    form = find(name)
    broken = replace(sample_rows[0], content=Malformed(raw="{", problem="no JSON"))

    assert form.refuses(WHOLE) is None
    assert form.refuses(["malformed"]) is not None
    with pytest.raises(ValueError, match="cannot be exported"):
        written(form, [broken])


@pytest.mark.parametrize("name", BUILT_IN)
def test_rows_are_taken_as_they_are_written(
    name: str, sample_rows: list[ExportRow], open_parquet: Open
) -> None:
    form, out, ahead = find(name), io.BytesIO(), []

    def many() -> Iterator[ExportRow]:
        for n in range(20_000):
            if n % 9_000 == 8_999:
                ahead.append(out.tell())
            yield sample_rows[0]

    assert form.write(many(), out) == 20_000
    assert ahead == sorted(set(ahead))  # each 9,000 rows, more was written than before
    if name == "parquet":
        assert open_parquet(out.getvalue()).num_row_groups == 3


def test_long_contexts_end_a_row_group_early(
    sample_rows: list[ExportRow], open_parquet: Open
) -> None:
    content = sample_rows[1].content.model_copy(update={"context": "x" * 1_000_000})
    rows = [replace(sample_rows[1], content=content)] * 40

    data = written(find("parquet"), rows)

    assert open_parquet(data).num_row_groups == 3


def test_built_in_formats_are_found_by_their_entry_points() -> None:
    assert set(BUILT_IN) <= set(names())
    for name, form in load().items():
        assert form.name == name
        assert form.extension
        assert "/" in form.media
