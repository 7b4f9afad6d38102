"""Windows of characters: exact sizes, exact steps."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chunk.chunkers.character import windows


@pytest.mark.parametrize(
    ("length", "size", "overlap", "expected"),
    [
        (10, 4, 0, [(0, 4), (4, 8), (8, 10)]),
        (10, 4, 1, [(0, 4), (3, 7), (6, 10)]),
        (10, 4, 3, [(n, n + 4) for n in range(7)]),
        (8, 4, 0, [(0, 4), (4, 8)]),
        (9, 6, 3, [(0, 6), (3, 9)]),
        (3, 10, 2, [(0, 3)]),
        (0, 10, 2, []),
    ],
)
def test_windows_are_cut_by_the_rule(
    length: int, size: int, overlap: int, expected: list[tuple[int, int]]
) -> None:
    assert list(windows(length, size, overlap)) == expected


@given(st.integers(1, 3000), st.integers(1, 400), st.data())
def test_windows_step_by_size_minus_overlap_and_none_lies_in_the_one_before(
    length: int, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))

    found = list(windows(length, size, overlap))

    assert [start for start, _ in found] == [n * (size - overlap) for n in range(len(found))]
    assert all(end - start == size for start, end in found[:-1])
    assert 0 < found[-1][1] - found[-1][0] <= size
    assert found[-1][1] == length
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(found))
