"""Sentences of three languages, and windows of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chunk.chunkers.sentence import LONGEST, starts, windows
from services.chunk.chunkers.sentences import boundaries


def sentences(text: str, language: str | None = None) -> list[str]:
    borders = [*starts(text, language), len(text)]
    return [text[a:b].strip() for a, b in pairwise(borders)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Dr. Smith met J. R. Tolkien in the U.S. in Jan. 1914.", "It was 3.5 m long."]),
        ("en", ["See Fig. 3 and p. 12.", 'He said "No."', "Then he left."]),
        ("en", ["What?", "Yes!", "Some fruit, e.g. Apples, i.e. those, grew...", "Later it fell."]),
        ("en", ["She works at Apple Inc. Cupertino.", "He works at Apple Inc.", "The firm grew."]),
        ("en", ["At 5 p.m. Peter left.", "At 6 p.m.", "They came.", "He was 31.", "Then he died."]),
        ("en", ["The U.S. Army came.", "It has vitamin C.", "It helps.", "Is it no. 7?", "No."]),
        ("en", ['"Really?" he asked.', "(He did.)", "**Bold.**", "Next."]),
        ("de", ["Am 3. Oktober 1990 kam z. B. Hans in die Hauptstr. 5.", "Das ist ca. 3 km weit."]),
        (
            "de",
            [
                "Der 2. Weltkrieg endete 1945.",
                "Vgl. Abb. 3 bzw. Kap. 4 usw.",
                "Dann: „Ja.“",
                "Und.",
            ],
        ),
        ("de", ["Um 44 v. Chr. starb Cäsar.", "Dr. Müller, d. h. Prof. Dr. Ernst Müller, ging."]),
        ("fr", ["M. Dupont a, p. ex. Minou, deux chats.", "Mme. Curie est née en 1867.", "Oui !"]),
        ("fr", ["Cf. chap. 3 et vol. 2.", "«Non.»", "Il part."]),
        (None, ["Am 3. Oktober 1990 begann es.", "これは文です。", "次の文「です。」", "终。"]),
        (None, ["1. First things.", "2. Second things.", "- a point", "- another", "# A heading"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str | None, expected: list[str]) -> None:
    text = ("\n" if expected[-1].startswith("#") else " ").join(expected)
    assert sentences(text, language) == expected


def test_a_blank_line_ends_a_sentence_without_a_full_stop() -> None:
    assert sentences("A title\n\nA line\nthat goes on. End") == [
        "A title",
        "A line\nthat goes on.",
        "End",
    ]


def test_windows_share_sentences_and_cover_the_space_between_them() -> None:
    text = "  One. Two.  Three.\nFour. Five. "

    found = [text[a:b] for a, b in windows(text, size=2, overlap=1)]

    assert found == ["  One. Two.  ", "Two.  Three.\n", "Three.\nFour. ", "Four. Five. "]


def test_a_monstrous_sentence_is_cut_at_a_space() -> None:
    text = "word " * 3000 + "x" * 12_000

    borders = [*starts(text), len(text)]

    lengths = [b - a for a, b in pairwise(borders)]
    assert max(lengths) <= LONGEST
    assert all(text[border - 1] == " " for border in borders[1:4])
    assert sum(lengths) == len(text)


PROSE = st.lists(
    st.sampled_from(
        [
            "Dr. ",
            "A word ",
            "ends. ",
            "Why? ",
            "\n\n",
            "\n",
            "z. B. ",
            "。",
            "- ",
            "| ",
            "...",
            "é",
            " ",
            "3.",
            "\t",
        ]
    ),
    max_size=60,
).map("".join)


@given(PROSE | st.text(max_size=200), st.integers(1, 5), st.data())
def test_windows_leave_no_gap_and_overlap_as_asked(
    text: str, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))

    found = list(windows(text, size, overlap))

    if not text.strip():
        assert found == []
        return
    order = [*starts(text), len(text)]
    number = {start: n for n, start in enumerate(order)}
    assert found[0][0] == 0
    assert found[-1][1] == len(text)
    for (_, end), (start, later) in pairwise(found):
        assert number[end] - number[start] == overlap
        assert later > end
    assert all(number[end] - number[start] == size for start, end in found[:-1])


@given(PROSE, st.integers(0, 30), st.integers(0, 60))
def test_a_stretch_asked_about_by_itself_has_the_borders_of_the_whole(
    text: str, start: int, length: int
) -> None:
    end = min(start + length, len(text))

    inside = list(boundaries(text, start, end))

    assert all(start < border < end and not text[border].isspace() for border in inside)
    assert inside == sorted(set(inside))


@pytest.mark.parametrize(
    "text",
    [
        "Some words without an end, " * 200_000,
        "." * 5_000_000,
        "A." + "\n" * 5_000_000 + "B",
        "A. " + " " * 5_000_000 + "B",
        "a" * 5_000_000,
        ")" * 2_500_000 + "!" * 2_500_000,
    ],
    ids=["words", "dots", "newlines", "spaces", "one word", "marks"],
)
def test_five_megabytes_in_one_line_are_cut(text: str) -> None:
    # A quadratic scan would take hours: this test would not end.
    found = list(windows(text, size=10, overlap=2))

    assert found[-1][1] == len(text)
