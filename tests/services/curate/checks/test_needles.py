"""No match of a pattern is without the needles that spare most texts the pattern."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.curate.checks import language, manner, meta_patterns, subject
from services.curate.checks.needles import holds

TRIVIA = subject._TRIVIA
REFUSAL = manner._REFUSAL
LANGUAGES = ("en", "de", "fr")


def test_a_needle_is_found_inside_of_a_word() -> None:
    assert holds("the author's", ("isbn", "author"))
    assert not holds("the reader's", ("isbn", "author"))


@settings(max_examples=200)
@given(st.from_regex(TRIVIA))
def test_trivia_holds_a_needle(text: str) -> None:
    assert holds(text, subject._NEEDLES)


@settings(max_examples=200)
@given(st.from_regex(REFUSAL))
def test_a_refusal_holds_a_needle(text: str) -> None:
    assert holds(text, manner._REFUSAL_NEEDLES)


@given(st.from_regex(manner._CHATTER_WITHIN))
def test_chatter_within_a_text_holds_a_needle(text: str) -> None:
    assert holds(text, manner._CHATTER_NEEDLES)


@given(st.from_regex(language._CODE))
def test_code_holds_a_sign_of_code(text: str) -> None:
    assert language._CODISH.search(text)


@pytest.mark.parametrize(
    ("code", "pattern"),
    [(code, pattern) for code in LANGUAGES for pattern in meta_patterns.patterns_of(code)],
)
@settings(max_examples=10)
@given(data=st.data())
def test_a_meta_reference_leads_to_its_pattern(
    code: str, pattern: re.Pattern[str], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(pattern))
    # "shown here" alone has never led there: it is said of pictures and of exhibits too.
    assume(not re.search(r"\bhere\b", text))
    assert pattern in meta_patterns.meta_patterns(text, code)
