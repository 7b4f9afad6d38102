"""PDF pages as lines of type: headings, paragraphs, columns, tables."""

import io

from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from services.ingest.parsers import parse
from services.ingest.parsers.layout import Cell, Line, lay_out


def line(
    text: str, base: float, *, page: int = 1, left: float = 70, size: float = 10, bold: bool = False
) -> Line:
    """A line whose characters are half an em wide; `` | `` parts cells, 80 points from each other."""
    cells, at = [], left
    for part in text.split(" | "):
        cells.append(Cell(part, at, at + len(part) * size / 2))
        at += 80
    return Line(page, tuple(cells), base, size, bold, "", 842)


def text_of(*lines: Line) -> str:
    return lay_out(list(lines), max(each.page for each in lines))[0]


FULL = "The prose of this line goes on to the right edge of the column and then"


def test_lines_of_a_paragraph_are_joined_and_a_gap_begins_another() -> None:
    text = text_of(
        line(FULL, 700),
        line("goes on.", 688),
        line("Another one.", 664),
        line(FULL, 652),
        line("ends.", 640),
    )

    assert text == f"{FULL} goes on.\n\nAnother one.\n\n{FULL} ends."


def test_a_broken_word_is_joined_and_a_hyphen_that_the_text_uses_is_kept() -> None:
    text = text_of(
        line("A well-known canal was dug across the isthmus by a very well-", 700),
        line("known company, which had built another canal with its own engi-", 688),
        line("neers before.", 676),
    )

    assert "a very well-known company" in text
    assert "its own engineers before." in text


def test_larger_type_and_bold_lines_that_stand_alone_are_headings() -> None:
    text = text_of(
        line("Title", 760, size=20),
        line("A heading that needs", 720, size=14),
        line("two lines", 704, size=14),
        line(FULL, 680),
        line("ends.", 668),
        line("A bold one", 640, bold=True),
        line(FULL, 620),
    )

    assert text.startswith("# Title\n\n## A heading that needs two lines\n\nThe prose")
    assert "\n\n### A bold one\n\n" in text


def test_running_heads_and_page_numbers_are_dropped_and_a_sentence_crosses_the_page() -> None:
    full = FULL.lower()
    lines = []
    for page in (1, 2, 3):
        lines += [
            line(f"Chapter {page}", 810, page=page),
            line("begins" if page == 1 else "goes on", 700, page=page),
            line(full, 688, page=page),
            line(f"– {page} –", 30, page=page),
        ]

    text, starts = lay_out(lines, 4)

    assert text == f"begins {full} goes on {full} goes on {full}"
    assert [text[start : start + 7] for start in starts] == ["begins ", "goes on", "goes on", ""]


def test_columns_of_numbers_are_a_table_and_an_empty_cell_keeps_its_place() -> None:
    text = text_of(
        line(FULL, 730),
        line("Lock | Width (m) | Opened", 700),
        line("Gatun | 33.5 | 1914", 688),
        line("Cocolí | 55 | 2016", 676),
        Line(
            1,
            (Cell("New", 70, 85), Cell("2030", 230, 250)),
            664,
            10,
            bold=False,
            lead="",
            height=842,
        ),
        line("Prose again.", 640),
    )

    assert text.endswith(
        "| Lock | Width (m) | Opened |\n| --- | --- | --- |\n| Gatun | 33.5 | 1914 |\n| Cocolí | 55 | 2016 |\n"
        "| New |  | 2030 |\n\nProse again."
    )


def test_lists_and_contents_keep_their_lines() -> None:
    text = text_of(
        line("The parts:", 700),
        line("• the lamp", 688, left=80),
        line("• the lens, which", 676, left=80),
        line("turns", 664, left=90),
        line("1. Light it.", 640),
        line("2) Turn it.", 628),
        line("Lamps ........ 2", 600),
        line("Lenses . . . . . 3", 588),
    )

    assert text == (
        "The parts:\n\n- the lamp\n- the lens, which turns\n1. Light it.\n2. Turn it.\n\n"
        "Lamps ........ 2\nLenses . . . . . 3"
    )


def test_two_columns_are_read_one_after_the_other() -> None:
    style = getSampleStyleSheet()["BodyText"]
    words = [f"w{n}" for n in range(900)]
    buffer = io.BytesIO()
    document = BaseDocTemplate(buffer, pagesize=A4, invariant=1)
    frames = [Frame(50, 50, 230, 740), Frame(310, 50, 230, 740)]
    document.addPageTemplates([PageTemplate(frames=frames)])
    document.build(
        [Paragraph(" ".join(words[at : at + 90]) + ".", style) for at in range(0, 900, 90)]
    )

    text = parse("a.pdf", buffer.getvalue()).text

    assert text.replace(".", "").split() == words
    assert len(text.split("\n\n")) == 10


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4), st.text("ab-. |1•", min_size=1, max_size=30).filter(str.strip)
        ),
        min_size=1,
    )
)
def test_no_word_is_lost_and_pages_begin_in_order(rows: list[tuple[int, str]]) -> None:
    lines = [
        line(text.strip() or "a", 700 - 12 * at, page=page)
        for at, (page, text) in enumerate(sorted(rows, key=lambda row: row[0]))
    ]

    text, starts = lay_out(lines, 4)

    letters = [letter for each in lines for letter in each.text if letter in "ab"]
    assert [letter for letter in text if letter in "ab"] == letters
    assert list(starts) == sorted(starts)
    assert all(0 <= start <= len(text) for start in starts)
