"""Every format's text, headings, pages and tables, verbatim and with exact offsets."""

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import docx
import pytest
from docx.enum.text import WD_BREAK
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.parsers import Parsed, Unreadable, parse


def read(path: Path) -> Parsed:
    return parse(path.name, path.read_bytes())


def heading_lines(parsed: Parsed) -> list[str]:
    return [parsed.text[h.start : h.end].split("\n")[0] for h in parsed.structure.headings]


def test_every_demo_document_has_its_title_language_and_headings_in_place(documents: Path) -> None:
    titles = {
        "honey-bees.docx": "Honey bees",
        "lighthouses.html": "Lighthouses and the Fresnel lens",
        "metric-system.md": "The metric system",
        "milling.md": "Milling and flour",
        "panama-canal.pdf": "The Panama Canal",
        "tea.txt": "Tea",
    }
    for name, title in titles.items():
        parsed = read(documents / name)
        assert parsed.structure.title == title
        assert parsed.structure.language == "en"
        assert len(parsed.structure.headings) >= 7
        for heading, line in zip(parsed.structure.headings, heading_lines(parsed), strict=True):
            assert line.lstrip("# ") == heading.text


def test_the_foreign_documents_are_read_in_their_language(foreign: Path) -> None:
    assert read(foreign / "bicycle-tutorial.md").structure.language == "en"
    assert read(foreign / "nord-ostsee-kanal.md").structure.language == "de"


def test_markdown_and_text_are_verbatim(documents: Path) -> None:
    for name in ("metric-system.md", "milling.md", "tea.txt"):
        assert read(documents / name).text == (documents / name).read_text(encoding="utf-8")


def test_the_pdf_gives_back_its_prose_paragraph_by_paragraph(
    documents: Path, make_documents: ModuleType
) -> None:
    parsed = read(documents / "panama-canal.pdf")

    blocks = parsed.text.split("\n\n")

    for kind, content in make_documents.read_source(make_documents.PANAMA):
        if kind in {"p", "small"}:
            assert content[0] in blocks
        elif kind == "steps":
            assert "\n".join(f"{n}. {step}" for n, step in enumerate(content, 1)) in blocks
        elif kind == "terms":
            assert all("**" + term.replace(": ", "**: ", 1) in blocks for term in content)
        elif kind == "h2":
            assert f"### {content[0]}" in blocks
    assert "| Agua Clara | 55 | 427 | 3 | 2016 |" in parsed.text
    assert "a short reference" not in parsed.text
    assert "Page 2" not in parsed.text


def test_the_pdf_knows_where_its_pages_are(documents: Path) -> None:
    parsed = read(documents / "panama-canal.pdf")

    pages = parsed.structure.pages

    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert pages[0].start == 0
    assert pages[-1].end == len(parsed.text)
    assert all(one.end == two.start for one, two in pairwise(pages))
    assert parsed.text[pages[1].start :].startswith("## The French attempt")
    contents = parsed.text[pages[0].start : pages[0].end]
    for heading in parsed.structure.headings[2:]:
        on = next(p.number for p in pages if p.start <= heading.start < p.end)
        line = next(
            (row for row in contents.split("\n") if row.startswith(f"{heading.text} ..")), ""
        )
        assert not line or line.endswith(f" {on}")


def test_the_word_document_gives_back_lists_tables_and_terms(
    documents: Path, make_documents: ModuleType
) -> None:
    parsed = read(documents / "honey-bees.docx")

    blocks = parsed.text.split("\n\n")

    for kind, content in make_documents.read_source(make_documents.BEES):
        if kind in {"p", "small"}:
            assert content[0] in blocks
        elif kind == "steps":
            assert "\n".join(f"{n}. {step}" for n, step in enumerate(content, 1)) in blocks
        elif kind == "bullets":
            assert "\n".join(f"- {item}" for item in content) in blocks
    assert "| queen | 16 | female |" in parsed.text
    assert "**Brood**: the eggs, larvae and pupae of a colony" in blocks
    assert parsed.structure.pages == ()


def test_the_web_page_loses_its_frame_and_keeps_its_terms(documents: Path) -> None:
    parsed = read(documents / "lighthouses.html")

    for gone in (
        "Harbours",
        "Copyright",
        "visits",
        "title:",
        "meta-description",
        "border-collapse",
    ):
        assert gone not in parsed.text
    assert parsed.text.startswith("# Lighthouses and the Fresnel lens\n\nA lighthouse is a tower")
    assert "**Character**: the rhythm and colour by which a light is recognised" in parsed.text
    assert "1. Count the seconds between" in parsed.text
    assert [line.split() for line in parsed.text.split("\n") if "| second" in line] == [
        ["|", "second", "|", "700", "|"]
    ]


def test_the_documents_are_what_their_script_makes(
    documents: Path, make_documents: ModuleType
) -> None:
    for name, make in make_documents.MADE.items():
        made = make()
        assert made == make()
        assert parse(name, made) == read(documents / name)


def test_slides_are_pages(bad_files: ModuleType) -> None:
    parsed = parse("talk.pptx", bad_files.slides())

    one, two = parsed.structure.pages

    assert parsed.text[one.start : one.end].startswith(
        "## The lamp\n\nThe lamp was first lit in 1823 * by"
    )
    assert parsed.text[two.start : two.end].startswith("## The lens")
    assert parsed.structure.title == "The lamp"
    assert parsed.parser.startswith("kreuzberg/4.")


def test_sheets_and_csv_are_tables_named_by_their_file(bad_files: ModuleType) -> None:
    sheet = parse("lights.xlsx", bad_files.sheet())
    table = parse("lights.csv", "Lighthouse;Height (m)\nÎle Vierge;82.5\n".encode("cp1252"))

    assert "| Île Vierge | 82.5 |" in sheet.text
    assert [h.text for h in sheet.structure.headings] == ["Lights"]
    assert "| Île Vierge | 82.5 |" in table.text
    assert (sheet.structure.title, table.structure.title) == ("lights", "lights")


def test_html_in_an_old_encoding_is_read_as_it_says_or_as_browsers_would() -> None:
    said = '<html><head><meta charset="iso-8859-2"></head><body><p>Łódź</p></body></html>'
    unsaid = "<p>Käse – gut</p>"

    assert parse("a.html", said.encode("iso-8859-2")).text == "Łódź\n"
    assert parse("a.htm", unsaid.encode("cp1252")).text == "Käse – gut\n"


def test_html_keeps_code_and_drops_line_breaks_of_the_source() -> None:
    page = "<body><p>One\n   two</p><pre><code># a\n  b</code></pre><dl><dt>A<dt>B<dd><p>C d.</p></dl></body>"

    parsed = parse("a.html", page.encode())

    assert parsed.text == "One two\n\n```\n# a\n  b\n```\n**A** / **B**: C d.\n"
    assert parsed.structure.headings == ()


def test_word_shows_no_deleted_text_and_numbers_nested_lists() -> None:
    document = docx.Document()
    document.add_paragraph("One", "List Number")
    document.add_paragraph("Two", "List Number")
    paragraph = document.add_paragraph("Bold ")
    paragraph.add_run("and ").bold = True
    paragraph.add_run("loud").bold = True
    paragraph.add_run(" # | * text").add_break(WD_BREAK.PAGE)
    document.add_paragraph("# no heading")
    hidden = document.add_paragraph("seen ")
    hidden.add_run("unseen").font.hidden = True
    buffer = io.BytesIO()
    document.save(buffer)

    text = parse("a.docx", buffer.getvalue()).text

    assert text == "1. One\n2. Two\n\nBold **and loud** # | * text\n\n\\# no heading\n\nseen"


def test_a_pdf_locked_against_changes_only_is_read(bad_files: ModuleType) -> None:
    assert "The lighthouse was built in 1823" in parse("a.pdf", bad_files.owner_locked_pdf()).text


def test_a_bad_file_is_refused_with_its_code(refused: tuple[str, Callable[[], bytes], str]) -> None:
    name, build, code = refused

    with pytest.raises(Unreadable) as caught:
        parse(name, build())

    assert caught.value.code == code
    assert caught.value.message.endswith(".")


@pytest.fixture(scope="module")
def whole(bad_files: ModuleType) -> dict[str, bytes]:
    return {
        "a.pdf": bad_files.pdf(),
        "a.docx": bad_files.word(),
        "a.xlsx": bad_files.sheet(),
        "a.pptx": bad_files.slides(),
    }


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(["a.pdf", "a.docx", "a.xlsx", "a.pptx"]),
    places=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
    kept=st.floats(0.1, 1),
)
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(
    whole: dict[str, bytes], name: str, places: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(whole[name])
    for at, byte in places:
        content[int(at * len(content))] = byte
    if kept < 0.9:
        del content[int(kept * len(content)) :]
    code = ""
    try:
        parse(name, bytes(content))
    except Unreadable as reason:
        code = reason.code

    assert code in {
        "",
        "corrupt_file",
        "encrypted_file",
        "type_mismatch",
        "no_text",
        "archive_bomb",
    }
