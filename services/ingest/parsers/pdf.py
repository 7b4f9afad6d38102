"""PDF to lines with their place and type, by pdfium; ``layout`` makes text of them.

Pages without text are drawn for recognition. Never runs anything that a file holds.
"""

import ctypes
import itertools
import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pypdfium2
import pypdfium2.raw as pdfium

from services.ingest.parsers.layout import Cell, Line, lay_out
from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.recognition import (
    MOST_PICTURES,
    PIXELS,
    Means,
    recognise,
    version,
)

# A gap wider than this many ems between two words is a border between cells; justified prose stays below it.
CELL_GAP = 0.9
_BOLD_WEIGHT = 600
# pdfium puts one of these where a word was broken at a line's end.
_HYPHENS = {0x02: "-", 0xFFFE: "-"}
_NEWLINE = 0x0A
_ENDS = frozenset((0x00, _NEWLINE, 0x0D, *_HYPHENS))
_BLANK = frozenset((0x00, 0x09, _NEWLINE, 0x0B, 0x0C, 0x0D, 0x20, 0xA0, 0x2002, 0x2003, 0x2009))


class _Page:
    """One page's characters by index, read once. Coordinates are points from the page's lower left corner."""

    def __init__(self, page: pypdfium2.PdfPage, number: int) -> None:
        self.number = number
        self.height = page.get_height()
        self._text = page.get_textpage()
        self.raw = self._text.raw
        self.codes = [
            pdfium.FPDFText_GetUnicode(self.raw, i) for i in range(self._text.count_chars())
        ]
        self._box = [ctypes.c_double() for _ in range(4)]
        self._flags = ctypes.c_int()
        self._name = ctypes.create_string_buffer(128)

    def size(self, i: int) -> float:
        """Height of an em in points, after the text matrix."""
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFText_GetMatrix(self.raw, i, matrix)
        scale = math.hypot(matrix.c, matrix.d) or 1.0
        return round(2 * float(pdfium.FPDFText_GetFontSize(self.raw, i)) * scale) / 2

    def sides(self, i: int) -> tuple[float, float]:
        left, right, bottom, top = self._box
        pdfium.FPDFText_GetCharBox(self.raw, i, left, right, bottom, top)
        return left.value, right.value

    def base(self, i: int) -> float:
        x, y = self._box[:2]
        pdfium.FPDFText_GetCharOrigin(self.raw, i, x, y)
        return y.value

    def bold(self, i: int) -> bool:
        if pdfium.FPDFText_GetFontWeight(self.raw, i) >= _BOLD_WEIGHT:
            return True
        pdfium.FPDFText_GetFontInfo(self.raw, i, self._name, len(self._name), self._flags)
        name = self._name.value.lower()
        return b"bold" in name or b"black" in name or b"heavy" in name

    def lines(self) -> Iterator[Line]:
        """Lines in the order of the page's content, which keeps columns apart."""
        start = 0
        for end, code in enumerate([*self.codes, _NEWLINE]):
            if code not in _ENDS:
                continue
            # A broken word's hyphen ends its line, and pdfium puts no line feed after it.
            inked = [
                i for i in range(start, end + (code in _HYPHENS)) if self.codes[i] not in _BLANK
            ]
            start = end + 1
            if inked:
                yield self._line(inked)

    def _line(self, inked: list[int]) -> Line:
        # Every fourth character says enough about the line's size.
        sizes = {i: pdfium.FPDFText_GetFontSize(self.raw, i) for i in inked[::4]}
        usual = Counter(sizes.values()).most_common(1)[0][0]
        at = next(i for i, size in sizes.items() if size == usual)
        size = self.size(at)
        lead = self._bold_lead(inked)
        return Line(
            page=self.number,
            cells=tuple(self._cells(inked, size)),
            base=self.base(at),
            size=size,
            bold=lead == len(inked),
            lead=self._text_of(inked[:lead]) if 0 < lead < len(inked) else "",
            height=self.height,
        )

    def _bold_lead(self, inked: list[int]) -> int:
        """How many characters from the first are bold; the last is looked at first, since most lines are plain."""
        if not self.bold(inked[0]):
            return 0
        return sum(1 for _ in itertools.takewhile(self.bold, inked))

    def _text_of(self, inked: list[int]) -> str:
        return "".join(
            (" " if at and i - inked[at - 1] > 1 else "")
            + _HYPHENS.get(self.codes[i], chr(self.codes[i]))
            for at, i in enumerate(inked)
        )

    def _cells(self, inked: list[int], size: float) -> Iterator[Cell]:
        start = 0
        for at in range(1, len(inked) + 1):
            ends = at == len(inked)
            if not ends and inked[at] - inked[at - 1] == 1:
                continue
            if ends or self.sides(inked[at])[0] - self.sides(inked[at - 1])[1] > CELL_GAP * size:
                word = inked[start:at]
                yield Cell(self._text_of(word), self.sides(word[0])[0], self.sides(word[-1])[1])
                start = at


def read_pdf(data: bytes, means: Means = Means()) -> Extract:  # noqa: B008 - frozen
    """Read the text of a PDF; pages that are only pictures are recognised, where that can be done.

    Raise ``Unreadable``: encrypted_file, corrupt_file, no_text, ocr_not_available, too_large. A file that only its
    owner's password locks opens like any other.
    """
    document = opened(data)
    try:
        lines: list[Line] = []
        blank: list[int] = []
        for number in range(1, len(document) + 1):
            on_page = list(_Page(document[number - 1], number).lines())
            lines += on_page
            if not on_page and _is_drawn(document[number - 1]):
                blank.append(number)
        pages, title = len(document), document.get_metadata_dict().get("Title", "")
        seen = _recognised(document, blank, means)
    except pypdfium2.PdfiumError as error:
        raise Unreadable("corrupt_file", "The file is damaged: a page cannot be read.") from error
    finally:
        document.close()
    if not lines and not any(seen.values()):
        if blank and means.ocr.missing:
            raise means.ocr.refusal("The PDF's pages are images.")
        raise Unreadable("no_text", "The PDF holds no text, nor images in which text can be seen.")
    text, starts = lay_out(lines, pages)
    text, starts = _with_recognised(text, starts, seen)
    return Extract(text=text, parser=_parser(blank, seen), title=title, pages=starts)


def opened(data: bytes) -> pypdfium2.PdfDocument:
    """Raise ``Unreadable``: encrypted_file, corrupt_file."""
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable(
                "encrypted_file", "The file needs a password. Save it without one and add it again."
            ) from error
        raise Unreadable(
            "corrupt_file", "The file is damaged: it cannot be opened as a PDF."
        ) from error


def _is_drawn(page: pypdfium2.PdfPage) -> bool:
    return next(page.get_objects(max_depth=1), None) is not None


def _recognised(
    document: pypdfium2.PdfDocument, numbers: list[int], means: Means
) -> dict[int, str]:
    """The text that is seen on pages without characters, by page; empty where the data for it is not there."""
    if means.ocr.missing:
        return {}
    if len(numbers) > MOST_PICTURES:
        raise Unreadable(
            "too_large",
            f"{len(numbers):,} pages are images; at most {MOST_PICTURES:,} are read. Split the file.",
        )
    seen: dict[int, str] = {}
    for number in numbers:
        picture = _picture(document[number - 1])
        seen[number] = recognise(picture, "image/x-portable-anymap", means.ocr.languages)
        means.progress()
    return seen


def _picture(page: pypdfium2.PdfPage) -> bytes:
    """A page in grey at 300 dots per inch, or fewer where it is huge, in the PGM format."""
    width, height = page.get_size()
    scale = min(300 / 72, math.sqrt(PIXELS / max(1.0, width * height)))
    bitmap = page.render(scale=scale, grayscale=True)
    rows = memoryview(bitmap.buffer)
    inked = b"".join(
        bytes(rows[at * bitmap.stride : at * bitmap.stride + bitmap.width])
        for at in range(bitmap.height)
    )
    return b"P5\n%d %d\n255\n" % (bitmap.width, bitmap.height) + inked


def _with_recognised(
    text: str, starts: tuple[int, ...], seen: dict[int, str]
) -> tuple[str, tuple[int, ...]]:
    """Put what was seen on a page where that page begins."""
    if not any(seen.values()):
        return text, starts
    pieces, moved, length = [text[: starts[0]]], list[int](), starts[0]
    for number, (start, end) in enumerate(pairwise((*starts, len(text))), 1):
        moved.append(length)
        page = text[start:end]
        if seen.get(number):
            before = "".join(pieces[-1:])
            gap = "" if not before or before.endswith("\n\n") else "\n\n"
            page = f"{gap}{seen[number]}\n\n" + page
            moved[-1] += len(gap)
        if page:
            pieces.append(page)
        length += len(page)
    return "".join(pieces), tuple(moved)


def _parser(blank: list[int], seen: dict[int, str]) -> str:
    name = f"pypdfium2/{pypdfium2.PYPDFIUM_INFO.version}"
    if seen:
        return f"{name} + {version()} on {len(seen)} pages"
    return f"{name} ({len(blank)} pages without text not read)" if blank else name
