"""Builders of files that must be refused, each with the code of its refusal, and of odd files that must be read.

Nothing is committed: a test builds what it needs. Load it by path, since tests are no package::

    spec = importlib.util.spec_from_file_location("bad_files", Path("tests/data/bad_files.py"))
    bad_files = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bad_files)
    for name, (build, code) in bad_files.REFUSED.items():
        data = build()
"""

import hashlib
import io
import zipfile
from collections.abc import Callable

import docx
import openpyxl
import pptx
import pypdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

PROSE = (
    "The lighthouse was built in 1823. It stands on a rock in the open sea. "
    "Its lamp was lit by a keeper every evening, and the light could be seen for many miles."
)
WESTERN = (
    "Die Mühle mahlt groß und fein – für „Käse“ ist sie nicht da. Ein Café liegt gleich daneben.\n"
)


def noise(size: int) -> bytes:
    """Bytes without a pattern, the same each time."""
    return b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(size // 32 + 1))[
        :size
    ]


def pdf(text: str = PROSE) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for at, sentence in enumerate(text.split(". ")):
        canvas.drawString(72, 700 - 14 * at, sentence)
    canvas.save()
    return buffer.getvalue()


def locked_pdf(user: str = "secret", owner: str = "owner") -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(pdf()))
    writer.encrypt(user, owner, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def owner_locked_pdf() -> bytes:
    """Opens without a password; only changing it asks for one."""
    return locked_pdf(user="")


def picture_pdf() -> bytes:
    """A page with a drawing and no text, like a scan."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.rect(100, 100, 300, 500, fill=1)
    canvas.save()
    return buffer.getvalue()


def blank_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def locked_old_word() -> bytes:
    """The head of an old Word file: an encrypted one says so in the twelfth byte of its first stream."""
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return magic.ljust(512, b"\x00") + b"\xec\xa5\xc1\x00" + b"\x00" * 7 + b"\x13" + noise(512)


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
CHAPTERS = {
    "two.xhtml": '<h1>The lens</h1><p>The lens was made in 1824, after <a href="one.xhtml#x">the lamp</a>.</p>',
    "one.xhtml": "<h1>The lamp</h1><p>The lamp was lit in 1823.</p><ul><li>oil</li><li>wick</li></ul>",
}


def book(
    chapters: dict[str, str] = CHAPTERS, *, lost: str = "", locked: str = "", head: str = ""
) -> bytes:
    """An EPUB whose spine names the chapters in another order than its manifest."""
    items = "".join(
        f'<item id="{name[:3]}" href="{name}" media-type="application/xhtml+xml"/>'
        for name in chapters
    )
    spine = "".join(f'<itemref idref="{name[:3]}"/>' for name in sorted(chapters))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Lights of the sea</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", package)
        if locked:
            archive.writestr(
                "META-INF/encryption.xml",
                f'<e><d xmlns="http://www.w3.org/2001/04/xmlenc#"><CipherReference URI="{locked}"/></d></e>',
            )
        for name, body in chapters.items():
            if name != lost:
                page = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
                archive.writestr(f"OEBPS/{name}", page)
    return buffer.getvalue()


def laughs(levels: int = 9) -> bytes:
    """A small document that says a billion words."""
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(levels + 1)
    )
    return f"<!DOCTYPE d [{entities}]><d>&l{levels};</d>".encode()


def word(text: str = PROSE) -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def slides() -> bytes:
    deck = pptx.Presentation()
    for title in ("The lamp", "The lens"):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"{title} was first lit in 1823 * by a keeper."
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def sheet() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Lights"
    for row in (["Lighthouse", "Height (m)"], ["Bell Rock", 36], ["Île Vierge", 82.5]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def word_of(body: str, *, parts: dict[str, bytes] | None = None) -> bytes:
    """A Word file whose document part is ``body``, as it stands, with further ``parts``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", body)
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def bomb(size: int = 3 * 1024**3, part: str = "word/document.xml") -> bytes:
    """A Word file, or another archive with this part, that unpacks to ``size`` bytes (about 1,000 to 1)."""
    buffer = io.BytesIO()
    block = b" " * (16 * 1024 * 1024)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(part, f"<w:document {NS}/>")
        with archive.open("word/media/image1.bmp", "w", force_zip64=True) as member:
            for _ in range(size // len(block)):
                member.write(block)
    return buffer.getvalue()


def heavy_word(megabytes: int = 45) -> bytes:
    """A Word file that passes the archive check and takes gigabytes and many seconds once it is read."""
    paragraph = "<w:p/>"
    count = megabytes * 1024 * 1024 // len(paragraph)
    return word_of(f"<w:document {NS}><w:body>{paragraph * count}</w:body></w:document>")


def nested_word(depth: int = 50_000) -> bytes:
    return word_of(
        f"<w:document {NS}><w:body>{'<w:sdt>' * depth}{'</w:sdt>' * depth}</w:body></w:document>"
    )


def word_with_dtd() -> bytes:
    entity = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return word_of(f"{entity}<w:document {NS}><w:body><w:p/></w:body></w:document>")


def locked_word() -> bytes:
    """What Word writes when it encrypts: an old container with a stream of this name."""
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return magic + b"\x00" * 1024 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 1024


def oversized() -> bytes:
    return b"grain " * (100 * 1024 * 1024 // 6 + 1)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.txt": (lambda: b"", "empty_file"),
    "blank.md": (lambda: b" \n\t\r\n", "empty_file"),
    "empty.pdf": (lambda: b"", "empty_file"),
    "photo.heic": (lambda: b"\x00\x00\x00\x1cftypheic" + noise(64), "unsupported_type"),
    "photo.png": (lambda: b"\x89PNG\r\n\x1a\n" + noise(64), "ocr_not_available"),
    "really-png.jpg": (lambda: b"\x89PNG\r\n\x1a\n" + noise(64), "type_mismatch"),
    "really-text.png": (PROSE.encode, "type_mismatch"),
    "headless.tif": (lambda: noise(2048), "corrupt_file"),
    "README": (lambda: b"text", "unsupported_type"),
    "letter.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(512), "corrupt_file"),
    "talk.ppt": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(512), "corrupt_file"),
    "table.xls": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(512), "corrupt_file"),
    "really-word.pdf": (word, "type_mismatch"),
    "really-text.pdf": (PROSE.encode, "type_mismatch"),
    "really-pdf.docx": (pdf, "type_mismatch"),
    "really-sheet.docx": (sheet, "type_mismatch"),
    "really-old.docx": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(512), "type_mismatch"),
    "really-pdf.txt": (pdf, "type_mismatch"),
    "really-word.html": (word, "type_mismatch"),
    "really-text.xlsx": (PROSE.encode, "type_mismatch"),
    "garbage.pdf": (lambda: b"%PDF-1.7\n" + noise(2048), "corrupt_file"),
    "headless.pdf": (lambda: noise(2048), "corrupt_file"),
    "half.docx": (lambda: word()[: len(word()) // 2], "corrupt_file"),
    "half.pptx": (lambda: slides()[: len(slides()) // 2], "corrupt_file"),
    "half.xlsx": (lambda: sheet()[: len(sheet()) // 2], "corrupt_file"),
    "broken-xml.docx": (lambda: word_of("<w:document"), "corrupt_file"),
    "bodiless.docx": (lambda: word_of("<w:document xmlns:w='x'/>"), "corrupt_file"),
    "dtd.docx": (word_with_dtd, "corrupt_file"),
    "nested.docx": (nested_word, "corrupt_file"),
    "locked.pdf": (locked_pdf, "encrypted_file"),
    "locked.docx": (locked_word, "encrypted_file"),
    "bomb.docx": (lambda: bomb(600 * 1024**2), "archive_bomb"),
    "noise.txt": (lambda: noise(4096), "binary_file"),
    "noise.csv": (lambda: noise(4096), "binary_file"),
    "photo.txt": (lambda: b"\x89PNG\r\n\x1a\n" + noise(64), "binary_file"),
    "scan.pdf": (picture_pdf, "ocr_not_available"),
    "blank.pdf": (blank_pdf, "no_text"),
    "wordless.docx": (lambda: word(""), "no_text"),
    "frame-only.html": (lambda: b"<html><body><nav>Home</nav></body></html>", "no_text"),
    "oversized.txt": (oversized, "too_large"),
    "oversized.json": (oversized, "too_large"),
    "template.dot": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(512), "legacy_format"),
    "really-rtf.doc": (lambda: b"{\\rtf1 " + PROSE.encode() + b"}", "type_mismatch"),
    "really-word.xls": (word, "type_mismatch"),
    "locked.doc": (locked_old_word, "encrypted_file"),
    "empty.epub": (lambda: b"", "empty_file"),
    "half.epub": (lambda: book()[:600], "corrupt_file"),
    "really-word.epub": (word, "type_mismatch"),
    "chapterless.epub": (lambda: book(chapters={}), "corrupt_file"),
    "lost-chapter.epub": (lambda: book(lost="one.xhtml"), "corrupt_file"),
    "locked.epub": (lambda: book(locked="OEBPS/one.xhtml"), "encrypted_file"),
    "bomb.epub": (lambda: bomb(64 * 1024**2, "META-INF/container.xml"), "archive_bomb"),
    "prose.eml": (PROSE.encode, "corrupt_file"),
    "noise.eml": (lambda: noise(4096), "corrupt_file"),
    "silent.eml": (lambda: b"From: a@b.example\n\n", "no_text"),
    "prose.rtf": (PROSE.encode, "type_mismatch"),
    "noise.rtf": (lambda: noise(512), "corrupt_file"),
    "wordless.rtf": (lambda: b"{\\rtf1 }", "no_text"),
    "prose.json": (PROSE.encode, "corrupt_file"),
    "cut.json": (lambda: b'{"lamp": [1, 2', "corrupt_file"),
    "nested.json": (lambda: b"[" * 500 + b"]" * 500, "corrupt_file"),
    "bottomless.json": (lambda: b"[" * 300_000, "corrupt_file"),
    "noise.json": (lambda: noise(4096), "binary_file"),
    "second-line.jsonl": (lambda: b'{"a": 1}\n{"a": }\n', "corrupt_file"),
    "prose.xml": (PROSE.encode, "corrupt_file"),
    "cut.xml": (lambda: b"<a><b>", "corrupt_file"),
    "nested.xml": (lambda: b"<a>" * 500 + b"</a>" * 500, "corrupt_file"),
    "bottomless.xml": (lambda: b"<a>" * 300_000, "corrupt_file"),
    "laughs.xml": (laughs, "xml_entities"),
    "outside.xml": (
        lambda: b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
        "xml_entities",
    ),
    "really-pdf.xml": (pdf, "type_mismatch"),
}

READABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "utf16.txt": (lambda: WESTERN.encode("utf-16"), WESTERN),
    "utf16-be-without-mark.txt": (lambda: PROSE.encode("utf-16-be"), PROSE),
    "utf8-mark.md": (lambda: b"\xef\xbb\xbf" + WESTERN.encode(), WESTERN),
    "windows.txt": (lambda: WESTERN.encode("cp1252"), WESTERN),
    "latin1.txt": (
        lambda: "Größe: 3 m² für Señor Müller, à Orléans.\n".encode("latin-1"),
        "Größe: 3 m² für Señor Müller, à Orléans.\n",
    ),
    "mac-lines.txt": (lambda: b"one\r\rtwo\r", "one\n\ntwo\n"),
    "controls.txt": (lambda: b"one\x00\x07 two\x0cthree\n", "one two\nthree\n"),
}
"""Name to (builder, the text that must come out)."""
