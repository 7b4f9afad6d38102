"""Markdown and plain text: decoded, cleaned once, otherwise verbatim."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.parsers import Unreadable, parse
from services.ingest.parsers.clean import clean
from services.ingest.parsers.markdown import headings, unescape
from services.ingest.parsers.plain import decode

LINES = st.lists(
    st.sampled_from(
        [
            "",
            "# One",
            "## Two ##",
            "Prose.",
            "===",
            "---",
            "```",
            "    # code",
            "- item",
            "| a | b |",
            "> q",
        ]
    ),
    max_size=12,
)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_unicode_text_comes_out_as_it_was_but_for_the_cleaning(text: str) -> None:
    code, parsed = "", None
    try:
        parsed = parse("a.txt", text.encode())
    except Unreadable as reason:
        code = reason.code

    # Nothing but blanks, or bytes that say that they are no text.
    assert code in {"", "empty_file", "no_text", "binary_file", "type_mismatch"}
    if parsed is not None and not any(mark in text for mark in "\x00\ufeff\ufffe"):
        assert parsed.text == clean(text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=30))
def test_utf16_with_a_mark_is_decoded_exactly(text: str) -> None:
    assert decode(text.encode("utf-16")) == text


@given(st.text(alphabet=st.characters()))
def test_cleaning_twice_is_cleaning_once_and_leaves_nothing_that_cannot_be_stored(
    text: str,
) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\x00" not in once
    assert "\r" not in once
    once.encode()


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        ("\ufeffa\x00\x1bb\x7f", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\tb  c\n", "a\tb  c\n"),
    ],
)
def test_what_cleaning_changes(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(LINES)
def test_each_heading_stands_where_its_offsets_say(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = headings(text)
    for heading in found:
        raw = text[heading.start : heading.end]
        assert heading.text in raw
        assert heading.start == 0 or text[heading.start - 1] == "\n"
        assert heading.end == len(text) or text[heading.end] == "\n"
    assert [h.start for h in found] == sorted({h.start for h in found})


def test_headings_are_told_from_what_looks_like_them() -> None:
    text = (
        "---\ntitle: Front\n---\n\n# The *first* [one](x.html) #\n\nSetext\n======\n\n"
        "```sh\n# comment\n```\n\n    # code\n\nTwo lines\nof prose\n---\n\n| a |\n| --- |\n\n- item\n---\n\n"
        "<!--\n# hidden\n-->\n\n#hashtag\n\n####### seven\n\n~~~\n```\n# still code\n~~~\n\nLast\n----\n"
    )

    found = [(heading.level, heading.text) for heading in headings(text)]

    assert found == [(1, "The first one"), (1, "Setext"), (2, "Last")]
    assert parse("a.md", text.encode()).text == text


@pytest.mark.parametrize(
    "line", ["# " + "*a " * 9000, "# a" + " " * 90_000 + "b", "# " + "`" * 50_000]
)
def test_a_long_line_of_marks_costs_no_more_than_its_length(line: str) -> None:
    (heading,) = headings(line)

    assert heading.end == len(line)
    assert len(heading.text) <= 300


def test_backslashes_of_a_converter_are_taken_back_where_they_keep_nothing_together() -> None:
    text = "2 \\* 3 \\< 7, \\[x\\]\n\\# no heading\n| a\\|b | c\\_d |\n```\n\\* code\n```\n1\\. a"

    assert (
        unescape(text)
        == "2 * 3 < 7, [x]\n\\# no heading\n| a\\|b | c_d |\n```\n\\* code\n```\n1. a"
    )


def test_the_title_is_the_first_heading_else_the_front_matter_else_the_name() -> None:
    assert parse("x.md", b"Intro.\n\n## Sub\n\n# Top\n").structure.title == "Top"
    assert parse("x.md", b"---\ntitle: 'Front'\n---\n\n## Sub\n").structure.title == "Front"
    assert (
        parse("x.txt", b"A short line\n\nThen prose goes on.\n").structure.title == "A short line"
    )
    assert (
        parse("the name.txt", b"Prose from the start. It goes on\nand on.\n").structure.title
        == "the name"
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The canal connects two oceans and was opened long ago.", "en"),
        ("Der Kanal verbindet zwei Meere und wurde vor langer Zeit eröffnet.", "de"),
        ("Le canal relie deux océans et fut ouvert il y a longtemps.", "fr"),
        ("El canal une dos océanos y fue abierto hace mucho tiempo.", "es"),
        ("Il canale collega due oceani e fu aperto molto tempo fa.", "it"),
        ("O canal liga dois oceanos e foi aberto há muito tempo atrás.", "pt"),
        ("12 + 30 = 42", None),
        ("Τα πλοία περνούν από τη διώρυγα κάθε μέρα.", None),
    ],
)
def test_the_language_is_told_or_left_open(text: str, language: str | None) -> None:
    assert parse("a.txt", text.encode()).structure.language == language


def test_another_script_in_an_old_encoding_is_told_by_its_letters() -> None:
    text = "Мука и хлеб: мельница мелет зерно, а пекарь печёт хлеб каждое утро до рассвета.\n" * 3

    assert parse("a.txt", text.encode("cp1251")).text == text


def test_odd_encodings_are_read(readable: tuple[str, Callable[[], bytes], str]) -> None:
    name, build, text = readable

    assert parse(name, build()).text == text
