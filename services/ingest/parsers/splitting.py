"""A PDF cut into PDFs of so many pages, by pdfium. Copies pages, and reads nothing of them."""

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import PurePath

import pypdfium2

from services.ingest.parsers.formats import format_of
from services.ingest.parsers.outcome import Part, Unreadable
from services.ingest.parsers.pdf import opened

MOST_PARTS = 1000
_ID = re.compile(rb"/ID\[<[0-9A-F]{32}><[0-9A-F]{32}>\]")
_MADE = re.compile(rb"/CreationDate\(D:\d{14}")


@dataclass(frozen=True, slots=True)
class Cut:
    pages: int
    parts: tuple[Part, ...]

    def listed(self) -> list[dict[str, str | int]]:
        return [
            {"name": part.name, "first": part.first, "last": part.last, "size": len(part.data)}
            for part in self.parts
        ]

    def bytes(self) -> bytes:
        return b"".join(part.data for part in self.parts)


def ranges(pages: int, pages_per_part: int, overlap: int) -> list[tuple[int, int]]:
    """First and last page of each part, from 1; each begins ``overlap`` pages before the one before ends."""
    found: list[tuple[int, int]] = []
    first = 1
    while True:
        last = min(pages, first + pages_per_part - 1)
        found.append((first, last))
        if last == pages:
            return found
        first = last + 1 - overlap


def split_pdf(data: bytes, name: str, *, pages_per_part: int, overlap: int) -> Cut:
    """Cut a PDF. Raise ``Unreadable``: type_mismatch, encrypted_file, corrupt_file, too_many_parts."""
    format_of(str(PurePath(name).with_suffix(".pdf")), data)
    document = opened(data)
    try:
        pages = len(document)
        borders = ranges(pages, pages_per_part, overlap)
        if len(borders) > MOST_PARTS:
            raise Unreadable(
                "too_many_parts",
                f"{pages:,} pages would make {len(borders):,} parts; at most {MOST_PARTS:,} are made. "
                "Raise pages_per_split.",
            )
        parts = tuple(_part(document, name, n, *border) for n, border in enumerate(borders, 1))
    except pypdfium2.PdfiumError as error:
        raise Unreadable("corrupt_file", "The file is damaged: a page cannot be copied.") from error
    finally:
        document.close()
    return Cut(pages, parts)


def _steady(data: bytes) -> bytes:
    """Without the time and the lot that pdfium writes into a file, so that the same pages are the same bytes.

    What is put in their place is as long, since a PDF says where its objects begin.
    """
    data = _MADE.sub(b"/CreationDate(D:20000101000000", data)
    plain = _ID.sub(b"", data)
    id = hashlib.sha256(plain).hexdigest()[:32].upper().encode()
    return _ID.sub(b"/ID[<" + id + b"><" + id + b">]", data)


def _part(document: "pypdfium2.PdfDocument", name: str, n: int, first: int, last: int) -> Part:
    made = pypdfium2.PdfDocument.new()
    try:
        made.import_pages(document, list(range(first - 1, last)))
        buffer = io.BytesIO()
        made.save(buffer)
    finally:
        made.close()
    stem = PurePath(name).stem[:200]
    return Part(
        f"{stem}_part_{n:03d}_pages_{first}-{last}.pdf", first, last, _steady(buffer.getvalue())
    )
