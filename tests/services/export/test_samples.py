"""Every format against its golden sample: what users' scripts read must not change by accident."""

import io
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from services.export.formats.protocol import ExportRow, Format
from services.export.formats.registry import find

Open = Callable[[bytes], pq.ParquetFile]
SAMPLES = Path(__file__).with_name("samples")


def written(form: Format, rows: list[ExportRow]) -> bytes:
    out = io.BytesIO()
    assert form.write(rows, out) == len(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("jsonl", "jsonl.jsonl"),
        ("json", "json.json"),
        ("alpaca", "alpaca.json"),
        ("chatml", "chatml.jsonl"),
        ("openai", "openai.jsonl"),
    ],
)
def test_a_format_writes_its_golden_sample(
    name: str, sample: str, sample_rows: list[ExportRow]
) -> None:
    form = find(name)
    rows = [row for row in sample_rows if not form.refuses([row.content.type])]

    assert written(form, rows) == (SAMPLES / sample).read_bytes()


def test_parquet_holds_the_columns_and_values_of_its_golden_sample(
    sample_rows: list[ExportRow], open_parquet: Open
) -> None:
    table = open_parquet(written(find("parquet"), sample_rows)).read(use_threads=False)

    golden = orjson.loads((SAMPLES / "parquet.json").read_bytes())
    assert [[field.name, str(field.type)] for field in table.schema] == golden["columns"]
    assert table.to_pylist() == golden["rows"]


@pytest.mark.parametrize("name", ["jsonl", "json", "alpaca", "chatml", "openai", "parquet"])
def test_a_file_without_rows_is_a_file(name: str, open_parquet: Open) -> None:
    data = written(find(name), [])

    expected = {"json": b"[]\n", "alpaca": b"[]\n"}
    if name == "parquet":
        assert open_parquet(data).metadata.num_rows == 0
    else:
        assert data == expected.get(name, b"")
