"""Quotes as models change them, and the place in the parsed text where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.generate.alignment import align

LEAD = "Ships pay a toll.\n\n"
PASSAGE = (
    "The **Panama Canal** was opened on 15 August 1914 — by the"
    " [United States](https://example.org/wiki/United_States_of_America) after\nten years of   work."
    " It’s “a wonder”, wrote\n> one visitor of the time.\n\n"
    "| Lock | Width |\n|---|---|\n| Gatun | 33.5 m |\n"
)
TEXT = LEAD + PASSAGE + "Ships pay a toll. The end of the road is far away.\n" + "Filler. " * 300
START, END = len(LEAD), len(LEAD) + len(PASSAGE)


def found(quote: str, minimum: float = 90.0) -> str | None:
    """The text at the offsets, after checking that it is the quote that comes back."""
    evidence = align(quote, TEXT, START, END, minimum)
    if evidence.start is None or evidence.end is None:
        assert evidence.quote == quote
        return None
    assert TEXT[evidence.start : evidence.end] == evidence.quote
    return evidence.quote


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("was opened on 15 August 1914", "was opened on 15 August 1914"),
        ("  was opened on 15 August 1914 \n", "was opened on 15 August 1914"),
        ("the panama canal was OPENED", "The **Panama Canal** was opened"),
        ('"The Panama Canal was opened"', "The **Panama Canal** was opened"),
        ("15 August 1914 - by the", "15 August 1914 — by the"),
        ('It\'s "a wonder", wrote one visitor', "It’s “a wonder”, wrote\n> one visitor"),
        ("after ten years of work.", "after\nten years of   work."),
        ("| Gatun | 33.5 m |", "| Gatun | 33.5 m |"),
        ("Gatun 33.5 m", "Gatun | 33.5 m"),
        ("`ten` *years*", "ten years"),
    ],
)
def test_a_quote_changed_in_form_comes_back_as_it_stands(quote: str, stands: str) -> None:
    assert found(quote) == stands


def test_a_link_is_no_part_of_what_is_quoted() -> None:
    stands = found("by the United States after ten years")

    assert stands is not None
    assert stands.startswith("by the [United States](https://")
    assert stands.endswith("after\nten years")


@pytest.mark.parametrize(
    "quote",
    [
        "The Panama Canal was open on 15 August 1914 by the United States",
        "Panama Canal was opened on the 15 August 1914 - by the United States",
        "The Panama Canal was opened on 15th August 1914 — by the United States after 10 years of work.",
    ],
)
def test_a_quote_with_a_slip_is_found_in_whole_words(quote: str) -> None:
    stands = found(quote)

    assert stands is not None
    assert stands.startswith(("The **Panama", "Panama"))
    assert "opened on 15 August 1914" in stands
    assert stands.rstrip(".").split()[-1] in {"[United", "States", "work"} or "States]" in stands


@pytest.mark.parametrize(
    "quote",
    [
        "The Suez Canal was opened in 1869 by the Khedive of Egypt.",
        "the Panama Canal is a wonder of work by one visitor",
        "33.6 m",
        "",
        "   ",
        "***",
        "word " * 2000,
    ],
)
def test_what_does_not_stand_there_gets_no_offsets(quote: str) -> None:
    assert found(quote) is None


def test_the_passage_comes_first_then_the_nearest_place() -> None:
    text = "same words. " * 3 + "passage has other words" + ". same words" * 3
    start = text.index("passage")
    end = start + len("passage has other words")

    assert align("other words", text, start, end).start == text.index("other words")
    assert align("same words", text, start, end).start == end + 2
    assert align("same words", text, end - 5, end).start == end + 2
    assert align("same words", text, start, start + 7).start == text.rindex("same", 0, start)


def test_a_quote_from_far_away_is_found_only_as_it_stands() -> None:
    text = "The heading of all.\n" + "filler words here. " * 500 + "The passage.\n"
    start = len(text) - 13

    assert align("The heading of all.", text, start, len(text)).start == 0
    assert align("the heading of all.", text, start, len(text)).start is None


def test_a_long_quote_is_found_by_its_ends_and_compared_as_a_whole() -> None:
    sentences = [f"Sentence number {n} speaks of the matter {n * 7919 % 1000}. " for n in range(40)]
    text = "".join(sentences)
    slip = text[100:1400].replace("number 10", "numbr 10").replace("matter", "mater", 3)
    gutted = text[100:400] + text[1100:1400]

    near = align(slip, text, 0, len(text))

    assert near.start is not None
    assert near.end is not None
    assert abs(near.start - 100) < 12
    assert abs(near.end - 1400) < 12
    assert align(gutted, text, 0, len(text)).start is None


def test_the_least_likeness_is_the_callers() -> None:
    quote = "The Panama Canal opened 15 August of 1914, by the States"

    assert found(quote, 95) is None
    assert found(quote, 75) is not None


@given(st.text(max_size=60), st.text(max_size=200), st.data())
def test_offsets_always_hold_the_quote(quote: str, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    evidence = align(quote, text, start, end)

    if evidence.start is None or evidence.end is None:
        assert evidence.quote == quote
    else:
        assert text[evidence.start : evidence.end] == evidence.quote != ""


@given(st.text(min_size=1, max_size=200), st.data())
def test_every_stretch_of_a_passage_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end].strip()

    assert (align(quote, text, 0, len(text)).start is None) == (not quote)
