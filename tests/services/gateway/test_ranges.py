"""Parts of files, as clients ask for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ranges import Unsatisfiable, wanted

TAG = '"abc"'


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-4", (2, 5)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=5-99", (5, 10)),
        ("bytes = 1 - 2", (1, 3)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_one_part_is_served_and_what_is_not_understood_is_passed_over(
    said: str | None, part: tuple[int, int] | None
) -> None:
    assert wanted(said, 10, None, TAG) == part


@pytest.mark.parametrize("said", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_part_beyond_the_end_cannot_be_had(said: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(said, 10, None, TAG)


def test_a_part_of_another_file_is_not_given() -> None:
    assert wanted("bytes=1-2", 10, TAG, TAG) == (1, 3)
    assert wanted("bytes=1-2", 10, '"old"', TAG) is None
    assert wanted("bytes=1-2", 10, 'W/"abc"', TAG) is None


@given(st.binary(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_a_part_is_what_the_slice_is(data: bytes, first: int, last: int) -> None:
    try:
        part = wanted(f"bytes={first}-{last}", len(data), None, TAG)
    except Unsatisfiable:
        assert first >= len(data)
        return
    if part is not None:
        assert data[slice(*part)] == data[first : last + 1]
    else:
        assert last < first
