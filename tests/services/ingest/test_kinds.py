"""Books, mail, data, rich text, old Office files and saved web pages: what comes out, with its headings."""

import contextlib
import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.parsers import Unreadable, parse, trees
from services.ingest.parsers.article import marked, source_of

OLD = Path(__file__).parents[2] / "data" / "old"


def test_a_book_is_read_in_the_order_of_its_spine(bad_files: ModuleType) -> None:
    parsed = parse("lights.epub", bad_files.book())

    assert parsed.text == (
        "# The lamp\n\nThe lamp was lit in 1823.\n\n- oil\n- wick\n\n"
        "# The lens\n\nThe lens was made in 1824, after the lamp.\n"
    )
    assert parsed.structure.title == "Lights of the sea"
    assert [heading.text for heading in parsed.structure.headings] == ["The lamp", "The lens"]


def test_mail_gives_its_subject_its_text_and_the_names_of_its_attachments() -> None:
    mail = (
        b"From: Ada <ada@mill.example>\r\nTo: b@mill.example\r\nSubject: =?utf-8?q?The_l=C3=A4mp?=\r\n"
        b"Date: Mon, 2 Jan 2023 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n"
        b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>Gr=FC=DFe <b>aus</b> See</p><script>x()</script>\r\n--B\r\n"
        b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="a b.pdf"\r\n\r\nxx\r\n--B--\r\n'
    )

    parsed = parse("lamp.eml", mail)

    assert parsed.text == (
        "# The lämp\n\nFrom: Ada <ada@mill.example>\nTo: b@mill.example\n"
        "Date: Mon, 02 Jan 2023 10:00:00 +0000\n\nGrüße **aus** See\n\n"
        "Attachments (not read):\n\n- a b.pdf\n"
    )
    assert parsed.structure.title == "The lämp"


def test_plain_mail_is_preferred_and_read_in_whatever_it_was_written() -> None:
    both = (
        b"Subject: x\nContent-Type: multipart/alternative; boundary=B\n\n--B\nContent-Type: text/html\n\n<p>no</p>\n"
        b"--B\nContent-Type: text/plain; charset=nonsense\n\nThe cheese is K\xe4se.\n--B--\n"
    )

    assert parse("a.eml", both).text == "# x\n\nThe cheese is Käse.\n"


def test_json_reads_like_a_page_and_keeps_its_numbers_as_they_were_written() -> None:
    value = {
        "title": "Bell Rock",
        "height": 35.30,
        "tags": ["sea", "rock"],
        "lit": True,
        "keeper": {"name": "John", "since": 1811},
        "log": [{"day": 1, "note": "calm", "wind": {"knots": 3}}, {"day": 2, "note": "storm"}],
        "history": "Built on a reef.\n\n# Not a key\n\nIt stands.",
        "none": None,
    }
    data = json.dumps(value).replace("35.3", "35.300000000000000000001").encode("utf-16")

    parsed = parse("rock.json", data)

    assert parsed.text == (
        "title: Bell Rock\nheight: 35.300000000000000000001\ntags: sea, rock\nlit: yes\n\n"
        "# keeper\n\nname: John\nsince: 1811\n\n# log\n\nday: 1\nnote: calm\nwind.knots: 3\n\nday: 2\nnote: storm\n\n"
        "history:\n\nBuilt on a reef.\n\n# Not a key\n\nIt stands.\n\nnone: none\n"
    )
    assert parsed.structure.title == "Bell Rock"


def test_an_array_of_records_is_one_block_for_each_in_json_and_in_json_lines() -> None:
    records = [{"q": "What?", "a": "That."}, {"q": "Who?", "a": "She."}]
    expected = "q: What?\na: That.\n\nq: Who?\na: She.\n"

    assert parse("a.json", json.dumps(records).encode()).text == expected
    lines = "\n\n".join(json.dumps(record) for record in records)
    assert parse("a.jsonl", lines.encode()).text == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_every_value_is_written_whatever_its_shape(value: trees.Value) -> None:
    text = trees.write(value)

    def words(value: trees.Value) -> list[str]:
        if isinstance(value, dict):
            return [word for each in value.values() for word in words(each)]
        if isinstance(value, list):
            return [word for each in value for word in words(each)]
        return value.split() if isinstance(value, str) else []

    assert all(word in text for word in words(value))


def test_xml_sections_prose_and_records_are_told_apart() -> None:
    page = (
        '<?xml version="1.0" encoding="iso-8859-1"?><book id="7"><title>The lämp</title>'
        "<section><title>Glass</title><p>Some <b>bold</b> text.</p><p>More.</p></section>"
        '<lights><light n="1"><name>A</name><height>3</height></light><light><name>B</name></light></lights></book>'
    )

    parsed = parse("book.xml", page.encode("iso-8859-1"))

    assert parsed.text == (
        "# The lämp\n\nid: 7\n\n## Glass\n\nSome bold text.\n\nMore.\n\n"
        "## lights\n\nn: 1\nname: A\nheight: 3\n\nname: B\n"
    )
    assert parsed.structure.title == "The lämp"


def test_rich_text_keeps_its_tables_and_loses_its_pictures() -> None:
    parsed = parse(
        "lamp.rtf",
        rb"{\rtf1\ansi\ansicpg1252{\info{\title The Lamp}}\pard Built in b\'fcro {\b bold}.\par"
        rb"\trowd\cellx1000\cellx2000\intbl A\cell B\cell\row\trowd\cellx1000\cellx2000\intbl 1\cell 2\cell\row"
        rb"\pard {\pict\pngblip 89504e47}End.\par}",
    )

    assert parsed.text.startswith(
        "Built in büro **bold**.\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\nEnd."
    )
    assert "image" not in parsed.text
    assert parsed.structure.title == "The Lamp"


def test_old_office_files_give_their_words() -> None:
    letter = parse("lamp.doc", (OLD / "lamp.doc").read_bytes())
    table = parse("lights.xls", (OLD / "lights.xls").read_bytes())

    assert letter.text.startswith(
        "The Lamp\n\nThe lighthouse was built in 1823. Grüße.\n\nPart\n\nOne"
    )
    assert "| Île | 82.5 |" in table.text
    assert [heading.text for heading in table.structure.headings] == ["Sheet", "Two"]


ARTICLE = (
    '<html><head><title>The lamp</title><meta property="article:published_time" content="2020-03-04T10:00:00Z">'
    "</head><body><nav>Home | Shop</nav><article><p>{prose}</p><h2>Glass</h2><p>{prose}</p></article>"
    "<footer>© 2026 Lamps</footer></body></html>"
)


def test_a_page_that_was_fetched_is_read_for_its_article_and_says_where_it_was(
    bad_files: ModuleType,
) -> None:
    page = marked(ARTICLE.format(prose=bad_files.PROSE * 3).encode(), "https://lamps.example/a?b=1")

    parsed = parse("lamp.html", page)

    assert parsed.text.startswith("# The lamp\n\nThe lighthouse was built")
    assert "Shop" not in parsed.text
    assert "saved from" not in parsed.text
    assert [heading.text for heading in parsed.structure.headings] == ["The lamp", "Glass"]
    assert (parsed.source_url, parsed.published) == ("https://lamps.example/a?b=1", "2020-03-04")
    assert parsed.parser.startswith("trafilatura/")


def test_a_page_without_an_article_is_read_whole_and_its_year_is_no_day(documents: Path) -> None:
    page = marked((documents / "lighthouses.html").read_bytes(), "https://lights.example/")
    bare = marked(
        b"<html><body><table><tr><td>7</td></tr></table></body></html>", "https://a.example/"
    )

    assert parse("a.html", page).published == ""
    assert "7" in parse("b.html", bare).text


def test_only_a_page_that_says_a_web_address_was_fetched() -> None:
    assert (
        source_of(b"<!DOCTYPE html>\r\n<!-- saved from url=(0014)about:internet -->\r\n<html>")
        == ""
    )
    assert source_of(b"<html><p>saved from url=(0014)https://a.example</p>") == ""
    assert source_of(marked(b"<p>", "https://a.example/-->x")) == "https://a.example/--%3Ex"


@pytest.mark.parametrize("name", ["a.json", "a.xml", "a.epub", "a.eml", "a.rtf", "a.doc", "a.xls"])
@given(data=st.binary(min_size=1, max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(name: str, data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        parse(name, data)
