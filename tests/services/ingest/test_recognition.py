"""Pictures: read where Tesseract's data is installed, refused with what to install where it is not."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from services.ingest.parsers import Means, Ocr, Unreadable, parse
from services.ingest.parsers.recognition import paragraphs, tiff_pages
from services.ingest.pool import ParserPool
from services.ingest.tessdata import find
from shared.errors import GristmillError

HERE = find("eng")
needs_data = pytest.mark.skipif(
    bool(HERE.missing),
    reason="Tesseract's data for eng is not installed (Debian: apt-get install tesseract-ocr-eng)",
)
LINES = ("The lamp was lit in 1823 by a keeper", "who lived on the rock.")


def picture(*lines: str) -> Image.Image:
    image = Image.new("L", (900, 60 + 60 * len(lines)), 255)
    draw = ImageDraw.Draw(image)
    for at, line in enumerate(lines):
        draw.text((30, 30 + 60 * at), line, fill=0, font=ImageFont.load_default(40))
    return image


def saved(image: Image.Image, form: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def scan() -> bytes:
    """A page with text, and a page that is a picture."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.drawString(72, 700, "The lens was made in 1824.")
    canvas.showPage()
    canvas.drawImage(ImageReader(picture(*LINES)), 72, 500, width=450, height=90)
    canvas.showPage()
    canvas.drawString(72, 700, "The tower is of stone.")
    canvas.save()
    return buffer.getvalue()


@pytest.fixture
def no_data(tmp_path: Path) -> Path:
    return tmp_path


async def test_without_data_a_picture_is_refused_with_what_to_install(no_data: Path) -> None:
    found = find("eng+deu", {"TESSDATA_PREFIX": str(no_data)})
    pool = ParserPool(tessdata=found)
    with pytest.raises(Unreadable) as caught:
        await pool.parse(saved(picture(*LINES), "PNG"), "page.png")
    mixed = await pool.parse(scan(), "scan.pdf")
    await pool.close()

    assert caught.value.code == "ocr_not_available"
    assert "apt-get install tesseract-ocr-eng tesseract-ocr-deu" in caught.value.message
    assert mixed.text == "The lens was made in 1824.\n\nThe tower is of stone."
    assert mixed.parser.endswith("(1 pages without text not read)")
    assert [page.number for page in mixed.structure.pages] == [1, 2, 3]


@needs_data
async def test_pages_that_are_pictures_are_read_and_those_with_text_keep_it() -> None:
    pool = ParserPool(tessdata=HERE)
    parsed = await pool.parse(scan(), "scan.pdf")
    await pool.close()

    one, two, three = parsed.structure.pages
    assert parsed.text[one.start : one.end].strip() == "The lens was made in 1824."
    assert parsed.text[two.start : two.end].strip() == " ".join(LINES)
    assert parsed.text[three.start : three.end].strip() == "The tower is of stone."
    assert "tesseract" in parsed.parser
    assert "on 1 pages" in parsed.parser


@needs_data
async def test_every_picture_of_a_tiff_file_is_a_page() -> None:
    two = saved(picture(LINES[0]), "TIFF", save_all=True, append_images=[picture(LINES[1])])
    pool = ParserPool(tessdata=HERE)
    parsed = await pool.parse(two, "pages.tiff")
    with pytest.raises(Unreadable) as caught:
        await pool.parse(saved(Image.new("L", (200, 100), 255), "PNG"), "blank.png")
    await pool.close()

    assert [parsed.text[page.start : page.end].strip() for page in parsed.structure.pages] == [
        *LINES
    ]
    assert caught.value.code == "no_text"


def test_each_directory_of_a_tiff_file_is_found_once() -> None:
    head = b"II*\x00" + struct.pack("<I", 8)
    directory = (
        struct.pack("<H", 0) + struct.pack("<I", 14) + struct.pack("<H", 0) + struct.pack("<I", 8)
    )

    pages = tiff_pages(head + directory)

    assert [page[4] for page in pages] == [8, 14]
    assert tiff_pages(b"MM\x00*\x00\x00\x00\x08") == [b"MM\x00*\x00\x00\x00\x08"]


def test_lines_are_joined_to_paragraphs_and_broken_words_are_whole() -> None:
    assert (
        paragraphs("The light-\nhouse is\nold.\n\n \nIt was built\n")
        == "The lighthouse is old.\n\nIt was built"
    )


def test_the_data_is_looked_for_where_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / "tessdata").mkdir()
    (tmp_path / "tessdata" / "deu.traineddata").touch()

    found = find("deu + eng", {"TESSDATA_PREFIX": str(tmp_path)})

    assert (found.languages, found.missing, found.folder) == (
        ("deu", "eng"),
        ("eng",),
        str(tmp_path / "tessdata"),
    )
    with pytest.raises(GristmillError, match="eng\\+deu"):
        find("../etc", {})


def test_a_damaged_picture_is_refused_or_its_data_is_missed() -> None:
    with pytest.raises(Unreadable) as caught:
        parse("a.png", b"\x89PNG\r\n\x1a\nno picture", Means(Ocr(HERE.languages, HERE.missing)))
    assert caught.value.code in {"corrupt_file", "ocr_not_available"}
