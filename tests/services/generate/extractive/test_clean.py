"""Markup comes off and offsets stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.generate.extractive.clean import clean, flat, widen


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("The **Panama Canal** is _long_.", "The Panama Canal is long."),
        ("A [lock](http://example.org/a_(b)) lifts.", "A lock lifts."),
        ("See ![gate](g.png)gates.[^2] Yes.[1]", "See gates. Yes."),
        ("one line\nbroken  hard\n  twice", "one line broken hard twice"),
        ("> quoted\n> text", "> quoted text"),
        ("Fish &amp; chips\u00a0cost 5\\*2", "Fish & chips cost 5*2"),
        ("a snake_case_name and `code`", "a snake_case_name and code"),
        ("H<sub>2</sub>O<br/>boils", "H2Oboils"),
    ],
)
def test_inline_markup_is_taken_off(raw: str, text: str) -> None:
    assert flat(raw) == text


@given(st.text(alphabet=st.sampled_from("ab *_`[]()!\n>&amp;\\^1.<br>"), max_size=80))
def test_each_clean_character_knows_its_place(raw: str) -> None:
    cleaned = clean(raw, 0, len(raw))
    assert len(cleaned.text) == len(cleaned.at)
    assert list(cleaned.at) == sorted(cleaned.at)
    for start in range(len(cleaned.text)):
        low, high = cleaned.span(start, len(cleaned.text))
        assert 0 <= low < high <= len(raw)


def test_a_quote_takes_the_marks_that_touch_it() -> None:
    raw = "x **Term** is"
    assert raw[slice(*widen(raw, 4, 8, 0, len(raw)))] == "**Term**"
