"""Writing a dataset's files beside the libraries that write them: rows per second from rows to bytes on a disk.

The yardsticks get what Gristmill has to make first: orjson a finished object for each row, pyarrow finished columns.
"""

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.entries import Evidence, PromptRef, QuestionAnswer
from services.export.formats.protocol import ExportRow, Format, Provenance
from services.export.formats.records import JSONL, metadata, record
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.station import section

JOB = UUID(int=7)
PER_CHUNK = 3


def measure(tell: Tell, rows: int, times: int) -> list[Figure]:
    from services.export.formats.parquet import FEW_VALUES, PARQUET, schema

    tell(f"making {rows:,} rows")
    made = list(_rows(rows))
    objects = [record(row, metadata(row.provenance)) for row in made]
    with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
        path = Path(folder) / "file"
        written = _written(PARQUET, made, path)
        columns = [written.column(field.name).to_pylist() for field in schema()]
        gc.freeze()  # the collector would walk through the rows of all measurements in each of them

        def bare_jsonl() -> None:
            with path.open("wb") as out:
                for each in objects:
                    out.write(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE))

        def bare_parquet() -> None:
            fields = schema()
            arrays = [pa.array(c, type=f.type) for c, f in zip(columns, fields, strict=True)]
            table = pa.Table.from_arrays(arrays, schema=fields)
            pq.write_table(
                table,
                path,
                compression="zstd",
                use_dictionary=list(FEW_VALUES),  # type: ignore[arg-type]  # the stubs know bool only
                row_group_size=8192,
            )

        found = []
        for format, than, bare in (
            (JSONL, "bare orjson", bare_jsonl),
            (PARQUET, "bare pyarrow", bare_parquet),
        ):
            tell(f"{rows:,} rows as {format.name}, {times} times, and by {than}")
            ours, beside = [], []
            for _ in range(times):
                ours.append(rows / _seconds(_writing(format, made, path)))
                beside.append(rows / _seconds(bare))
            found.append(
                Figure(f"export to {format.name}", "rows/s", tuple(ours), than, tuple(beside), "more")
            )  # fmt: skip
        gc.unfreeze()
    return found


def _rows(count: int) -> Iterator[ExportRow]:
    """Question-answer entries of three to a chunk, which share their provenance as those of a job do."""
    texts = [section(number).splitlines()[2].split(". ") for number in range(200)]
    for n in range(count):
        chunk, place = divmod(n, PER_CHUNK)
        if place == 0:
            provenance = _provenance(chunk)
        sentences = texts[chunk % len(texts)]
        quote, answer = sentences[place], sentences[place + 3]
        question = f"What is known of number {n} and {sentences[place + 6][:60]}?"
        content = QuestionAnswer(
            evidence=(Evidence(quote=quote, start=n, end=n + len(quote)),),
            question=question,
            answer=answer,
            kind="fact",
            difficulty="easy",
        )
        yield ExportRow(uuid5(JOB, f"entry/{n}"), content, "history", "easy", 0.9, provenance)


def _provenance(chunk: int) -> Provenance:
    return Provenance(
        document_id=uuid5(JOB, f"document/{chunk // 500}"),
        document_name=f"district-{chunk // 500}.md",
        title=f"Stations of district {chunk // 500}",
        page=None,
        heading_path=(f"Stations of district {chunk // 500}", f"The works of {chunk}"),
        chunk_id=uuid5(JOB, f"chunk/{chunk}"),
        model="openai/simulated",
        prompt=PromptRef(name="default", version=1, hash="a" * 64),
        parameters={"temperature": 0.7, "max_tokens": 2000, "seed": 0},
        response_key=uuid5(JOB, f"key/{chunk}").hex * 2,
        seed=chunk,
        dataset_id=JOB,
        job_id=JOB,
    )


def _written(format: Format, rows: list[ExportRow], path: Path) -> Any:
    _writing(format, rows, path)()
    return pq.read_table(path)


def _writing(format: Format, rows: list[ExportRow], path: Path) -> Callable[[], None]:
    def write() -> None:
        with path.open("wb") as out:
            format.write(rows, out)

    return write


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
