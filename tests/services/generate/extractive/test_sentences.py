"""Splitting into sentences and refusing those unfit for questions."""

import pytest

from services.generate.extractive.clean import clean
from services.generate.extractive.sentences import sentences, split, usable


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It opened in 1914. It is long.", 2),
        ("Dr. Smith met J. R. R. Tolkien. They spoke.", 2),
        ("It costs 3.5 million U.S. dollars today.", 1),
        ("It lies in the U.S. The canal is long.", 2),
        ("He ordered Brig. Gen. Zollicoffer to move.", 1),
        ("Is it? Yes! It is.", 3),
        ('He said "No." Then he left.', 2),
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str, count: int) -> None:
    assert len(split(text)) == count


def test_a_sentence_keeps_its_raw_offsets_and_loses_its_connective() -> None:
    raw = "However, the **canal** is\nlong and old. It is wide."
    first, second = sentences(raw, clean(raw, 0, len(raw)), (), 0, 0)
    assert raw[first.start : first.end] == "However, the **canal** is\nlong and old."
    assert first.body == "The canal is long and old."
    assert raw[second.start : second.end] == "It is wide."


@pytest.mark.parametrize(
    "text",
    [
        "You can open the gate with a lever.",
        "This section describes the locks of the canal.",
        "The gate is shown in Figure 3 of the book.",
        "As mentioned above, the gate is made of steel.",
        "The gate is opened by calling open().",
        "Too short here.",
        "the gate begins without a capital letter.",
        "The gate (made of steel is heavy.",
        "The gate isn't made of any kind of steel.",
        "The gate is described at https://example.org in detail.",
        "These gates are made of steel and wood.",
    ],
)
def test_sentences_about_the_reader_or_the_document_are_unfit(text: str) -> None:
    assert not usable(text)


def test_plain_prose_is_fit() -> None:
    assert usable("The gates of the locks are made of steel.")
