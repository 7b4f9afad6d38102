"""Markdown pieces: whole sections where they fit, good borders where they do not, nothing lost."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.document import Structure
from services.chunk.chunkers.markdown import pieces

Structured = Callable[[str], Structure]
Cut = Callable[..., list[tuple[str, tuple[str, ...]]]]

LONG = "The lock lifts a ship by letting water in from the lake above it. " * 9


@pytest.fixture
def cut(structured: Structured) -> Cut:
    def run(text: str, size: int = 2000) -> list[tuple[str, tuple[str, ...]]]:
        return [(text[p.start : p.end], p.path) for p in pieces(text, structured(text), size)]

    return run


def test_each_section_is_a_piece_under_its_heading_path(cut: Cut) -> None:
    text = f"# Canal\n\n{LONG}\n\n## Locks\n\n{LONG}\n\n### Gatun\n\n{LONG}\n\n## Trade\n\n{LONG}\n"

    found = cut(text)

    assert "".join(piece for piece, _ in found) == text
    assert [path for _, path in found] == [
        ("Canal",),
        ("Canal", "Locks"),
        ("Canal", "Locks", "Gatun"),
        ("Canal", "Trade"),
    ]


def test_a_heading_without_text_goes_with_the_text_after_it(cut: Cut) -> None:
    found = cut(f"# Canal\n\n## Locks\n\n{LONG}\n\n# Empty\n\n# Trade\n\n{LONG}")

    assert [path for _, path in found] == [("Canal", "Locks"), ("Trade",)]
    assert found[0][0].startswith("# Canal\n\n## Locks\n\nThe lock")
    assert found[1][0].startswith("# Empty\n\n# Trade\n\n")


def test_a_heading_at_the_very_end_goes_with_the_text_before_it(cut: Cut) -> None:
    found = cut(f"# Canal\n\n{LONG}\n\n# See also\n\n## Links\n")

    assert [path for _, path in found] == [("Canal",)]
    assert found[0][0].endswith("## Links\n")


def test_a_text_of_headings_only_is_one_piece(cut: Cut) -> None:
    assert cut("# A\n## B\n") == [("# A\n## B\n", ("A", "B"))]


def test_short_siblings_share_a_piece_under_their_parents_path(cut: Cut) -> None:
    terms = "".join(f"## Term {n}\n\n{'it means a thing that moves ' * 3}\n\n" for n in range(5))

    found = cut(f"# Glossary\n\n{LONG}\n\n{terms}# Next\n\n{LONG}")

    assert [path for _, path in found] == [("Glossary",), ("Glossary",), ("Next",)]
    assert [piece.count("## Term") for piece, _ in found] == [0, 5, 0]


def test_a_section_that_stands_on_its_own_is_never_merged(cut: Cut) -> None:
    found = cut(f"# A\n\nA short start.\n\n## B\n\n{LONG}\n\n## C\n\nA short end.\n")

    assert [path for _, path in found] == [("A",), ("A", "B"), ("A", "C")]


def test_the_text_before_the_first_heading_has_no_path(cut: Cut) -> None:
    assert [path for _, path in cut(f"A short start.\n\n# A\n\n{LONG}")] == [(), ("A",)]


def test_a_long_section_is_cut_between_paragraphs_into_about_equal_pieces(cut: Cut) -> None:
    text = "# A\n\n" + "\n\n".join([LONG[:300] + "."] * 10)

    found = [piece for piece, _ in cut(text, size=1000)]

    assert "".join(found) == text
    assert all(piece.endswith(".\n\n") for piece in found[:-1])
    assert min(map(len, found)) > 500


def test_a_heading_stays_with_the_first_sentences_of_a_huge_paragraph(cut: Cut) -> None:
    found = [piece for piece, _ in cut(f"# A\n\n{LONG * 5}", size=500)]

    assert found[0].startswith("# A\n\nThe lock")
    assert all(piece.startswith("The lock") for piece in found[1:])


def test_list_items_and_table_rows_that_fit_stay_whole(cut: Cut) -> None:
    items = "".join(
        f"- Item {n}. It has two sentences, with a number {n * n}.\n" for n in range(40)
    )
    rows = "".join(f"| row {n} | A value. Another value. |\n" for n in range(40))
    text = f"# A\n\nA lead-in:\n\n{items}\n| name | value |\n|---|---|\n{rows}"

    found = [piece for piece, _ in cut(text, size=300)]

    assert "".join(found) == text
    assert all(piece.startswith(("# A", "- Item", "| ")) for piece in found)
    assert all(piece.endswith("\n") for piece in found)
    (head,) = (piece for piece in found if "|---|" in piece)
    assert "| name | value |\n|---|---|\n| row 0 |" in head


def test_an_item_stays_with_its_inner_items_where_they_fit(cut: Cut) -> None:
    item = (
        "- Outer {n}\n  - inner one of {n} with some words\n  - inner two of {n} with some words\n"
    )
    found = [piece for piece, _ in cut("".join(item.format(n=n) for n in range(30)), size=250)]

    assert all(piece.startswith("- Outer") for piece in found)


def test_a_lead_in_stays_with_its_list(cut: Cut) -> None:
    text = f"{LONG[:300]}.\n\nThe parts are these:\n\n" + "- a part of it\n" * 20

    found = [piece for piece, _ in cut(text, size=400)]

    assert found[1].startswith("The parts are these:\n\n- a part")


@pytest.mark.parametrize("code", ["```\n{}```\n", "~~~ python\n{}~~~\n", "{}"])
def test_code_is_kept_whole_where_it_fits_and_cut_between_lines_where_not(
    cut: Cut, code: str
) -> None:
    indent = "" if code != "{}" else "    "
    small = code.format(
        f"{indent}x = 1. Then y\n\n{indent}z = 2\n" if indent == "" else f"{indent}x = 1\n"
    )
    large = code.format("".join(f"{indent}call({n}). Then(this)\n" for n in range(40)))
    text = f"{LONG[:300]}.\n\n{small}\n{LONG[:300]}.\n\n{large}"

    found = [piece for piece, _ in cut(text, size=400)]

    assert "".join(found) == text
    assert any(small in piece for piece in found)
    assert all(piece.endswith("\n") for piece in found)


def test_a_row_longer_than_a_piece_is_cut_between_its_words(cut: Cut) -> None:
    found = [piece for piece, _ in cut("| " + "word " * 300 + "|\n", size=200)]

    assert max(map(len, found)) <= 200
    assert all(piece.endswith(" ") for piece in found[:-1])


def test_blank_stretches_are_left_out(cut: Cut) -> None:
    found = cut("A start." + "\n" * 500 + "An end.", size=20)

    assert [piece.strip() for piece, _ in found] == ["A start.", "An end."]


LINES = st.lists(
    st.sampled_from(
        [
            "# One\n", "## Two\n", "### Three\n", "## \n", "\n", "\n\n", "- item\n", "  - inner\n", "1. first\n",
            "| a | b |\n", "|---|---|\n", "```\n", "~~~\n", "    code\n", "A sentence. And one.\n", "words ",
            "longwordwithoutend" * 3, "lead-in:\n", " \t", "é日本。", LONG[:200] + "\n", "\r\n",
        ]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@given(text=LINES | st.text(max_size=300), size=st.integers(1, 120))
def test_pieces_lie_end_to_end_and_leave_out_only_blanks(
    structured: Structured, text: str, size: int
) -> None:
    found = list(pieces(text, structured(text), size))

    at = 0
    for piece in found:
        assert not text[at : piece.start].strip()
        assert piece.start >= at
        assert 0 < piece.end - piece.start <= size
        assert text[piece.start : piece.end].strip()
        at = piece.end
    assert not text[at:].strip()


@given(text=LINES, size=st.integers(600, 800))
def test_no_piece_is_only_headings_where_other_text_follows(
    structured: Structured, text: str, size: int
) -> None:
    found = [text[piece.start : piece.end] for piece in pieces(text, structured(text), size)]

    for piece in found[:-1]:
        lines = [line for line in piece.splitlines() if line.strip()]
        assert not all(line.startswith("#") for line in lines)
