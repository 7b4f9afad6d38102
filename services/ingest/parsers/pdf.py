"""PDF to lines with their place and type, by pdfium; ``layout`` makes text of them. Never renders or runs anything."""

import ctypes
import itertools
import math
from collections import Counter
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

from services.ingest.parsers.layout import Cell, Line, lay_out
from services.ingest.parsers.outcome import Extract, Unreadable

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


def read_pdf(data: bytes) -> Extract:
    """Read the text of a PDF. Raise ``Unreadable``: encrypted_file, corrupt_file, no_text.

    A file that only its owner's password locks opens like any other.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable(
                "encrypted_file", "The file needs a password. Save it without one and add it again."
            ) from error
        raise Unreadable(
            "corrupt_file", "The file is damaged: it cannot be opened as a PDF."
        ) from error
    try:
        lines: list[Line] = []
        for number in range(1, len(document) + 1):
            lines += _Page(document[number - 1], number).lines()
        pages, title = len(document), document.get_metadata_dict().get("Title", "")
    except pypdfium2.PdfiumError as error:
        raise Unreadable("corrupt_file", "The file is damaged: a page cannot be read.") from error
    finally:
        document.close()
    if not lines:
        raise Unreadable(
            "no_text",
            "The PDF holds images and no text. Reading images (OCR) is not available: add a version with text.",
        )
    text, starts = lay_out(lines, pages)
    version = pypdfium2.PYPDFIUM_INFO.version
    return Extract(text=text, parser=f"pypdfium2/{version}", title=title, pages=starts)
