"""Which file a row goes to: by the place of its seed in the plan, and by nothing else."""

from collections import deque
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.export.formats.protocol import ExportRow
from services.export.logic import batches, files

JOB = UUID("0d9c5a52-37a5-5f3c-8f1e-2a5f9c7d6b10")


def test_batches_are_ranges_of_seeds_named_from_zero() -> None:
    planned = list(files(JOB, "jsonl", seeds=5, batch_size=2))

    assert [file.name for file in planned] == [
        f"dataset_{JOB}_batch_0.jsonl",
        f"dataset_{JOB}_batch_1.jsonl",
        f"dataset_{JOB}_batch_2.jsonl",
    ]
    assert [(file.batch, file.first, file.stop, file.seeds) for file in planned] == [
        (0, 0, 2, 2),
        (1, 2, 4, 2),
        (2, 4, 5, 1),
    ]


def test_without_a_batch_size_the_dataset_is_one_file() -> None:
    (file,) = files(JOB, "parquet", seeds=5, batch_size=0)

    assert (file.name, file.batch, file.seeds) == (f"dataset_{JOB}.parquet", None, 5)


@pytest.mark.parametrize("batch_size", [0, 3])
def test_a_dataset_without_seeds_is_an_empty_file(batch_size: int) -> None:
    (file,) = files(JOB, "jsonl", seeds=0, batch_size=batch_size)
    ((_, rows),) = batches([], [file])

    assert file.seeds == 0
    assert list(rows) == []


@given(
    counts=st.lists(st.integers(0, 3), max_size=30),
    batch_size=st.integers(0, 7),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_dealt_once_to_the_file_of_its_seed(
    sample_rows: list[ExportRow], counts: list[int], batch_size: int
) -> None:
    rows = [
        (seed, replace(sample_rows[0], category=f"{seed}/{n}"))
        for seed, count in enumerate(counts)
        for n in range(count)
    ]

    dealt = [
        (file, [row.category for row in part])
        for file, part in batches(iter(rows), files(JOB, "jsonl", len(counts), batch_size))
    ]

    assert [name for _, part in dealt for name in part] == [row.category for _, row in rows]
    for file, part in dealt:
        assert all(file.first <= int(name.split("/")[0]) < file.stop for name in part)
    assert sum(file.seeds for file, _ in dealt) == len(counts)
    if batch_size:
        assert len(dealt) == max(1, -(-len(counts) // batch_size))


def test_seeds_without_entries_leave_batch_numbers_alone(sample_rows: list[ExportRow]) -> None:
    rows = [(5, sample_rows[0]), (5, sample_rows[1])]

    dealt = [
        (file.batch, len(list(part))) for file, part in batches(rows, files(JOB, "jsonl", 8, 2))
    ]

    assert dealt == [(0, 0), (1, 0), (2, 2), (3, 0)]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([0, 2, 1], "after seed 2"), ([0, 4], "belongs to no file"), ([-1], "too late")],
)
def test_rows_that_would_be_lost_are_an_error(
    sample_rows: list[ExportRow], seeds: list[int], message: str
) -> None:
    rows = [(seed, sample_rows[0]) for seed in seeds]
    dealt = batches(rows, files(JOB, "jsonl", 4, 2))

    with pytest.raises(ValueError, match=message):
        deque(deque(part, maxlen=0) for _, part in dealt)


def test_asking_for_the_next_file_too_early_is_an_error(sample_rows: list[ExportRow]) -> None:
    dealt = batches([(0, sample_rows[0])], files(JOB, "jsonl", 4, 2))
    next(dealt)

    with pytest.raises(ValueError, match="not read to their end"):
        next(dealt)
