"""What settings of a job are taken, from whoever says them: REST checks the same, other systems only meet this."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.generation import GenerationSettings

NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", fullmatch=True)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_an_output_folder_is_up_to_three_names(names: list[str]) -> None:
    said = "/".join(names)
    assert GenerationSettings(output_dir=said).output_dir == said


@pytest.mark.parametrize(
    "said",
    [
        *("", ".", "..", "a/..", "a/../b", "/a", "a/", "a//b", "a/b/c/d", ".a", "a/.b"),
        *("a\\b", "C:", "~", "a b", "a\0", "a\n", "a\n../b", "ä", "x" * 101, "a/" + "x" * 101),
    ],
)
def test_an_output_folder_that_leads_out_or_is_no_plain_name_is_refused(said: str) -> None:
    with pytest.raises(ValidationError, match="output_dir"):
        GenerationSettings(output_dir=said)
