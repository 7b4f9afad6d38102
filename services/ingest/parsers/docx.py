"""Word documents to Markdown: headings by style, lists with their numbers, tables, emphasis, notes.

Reads the XML parts of an archive whose sizes were checked before. Never follows a link or a reference outside it.
Source: ECMA-376 part 1, §17 (WordprocessingML).
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import (
    ElementTree as ET,
)  # expat refuses entity bombs, and a part with a DTD is refused here

from services.ingest.parsers.markdown import table
from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.wordparts import Numbering, Style, read_numbering, read_styles

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_HIDDEN = {W + name for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText")} | {
    _FALLBACK
}
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\N{NON-BREAKING HYPHEN}"}
PARSER = "gristmill-docx/1"


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element | None:
    if name not in archive.namelist():
        return None
    data = archive.read(name)
    if b"<!DOCTYPE" in data[:4096]:
        raise Unreadable("corrupt_file", f"The file is damaged: its part {name} declares a DTD.")
    try:
        return ET.fromstring(data)  # noqa: S314 - sizes are checked, DTDs refused, the child limits memory and time
    except ET.ParseError as error:
        if "out of memory" in str(error):
            raise MemoryError from error
        raise


@dataclass(slots=True)
class _Writer:
    """Walks the body once and gathers Markdown blocks; holds the counters of the numbered lists."""

    styles: dict[str, Style]
    numbering: Numbering
    shift: int = 0
    """1 where the document has a title paragraph, whose parts are then one level below it."""
    blocks: list[tuple[str, str]] = field(default_factory=list)
    """(kind, Markdown); ``item`` blocks that follow each other stand close."""
    counters: dict[tuple[str, int], int] = field(default_factory=dict)

    def body(self, parent: ET.Element) -> None:
        for child in parent:
            if child.tag == W + "p":
                self._paragraph(child)
            elif child.tag == W + "tbl":
                self._table(child)
            elif child.tag not in _HIDDEN:
                self.body(child)

    def _paragraph(self, paragraph: ET.Element) -> None:
        properties = paragraph.find(W + "pPr")
        style = self.styles.get(_value(properties, "pStyle"), Style())
        text = "".join(_runs(paragraph)) if not style.level else _plain(paragraph)
        text = text.strip()
        if not text:
            return
        level = style.level
        if level:
            level = 1 if style.is_title else min(level + self.shift, 6)
            self.blocks.append(("heading", f"{'#' * level} {' '.join(text.split())}"))
            return
        marker = self._marker(properties, style)
        if marker is not None:
            indent = len(marker) - len(marker.lstrip()) + 2
            self.blocks.append(("item", marker + text.replace("\n", "\n" + " " * indent)))
        elif style.in_contents:
            self.blocks.append(("item", text))
        else:
            self.blocks.append(("paragraph", re.sub(r"^#(?=#{0,5}\s)", r"\\#", text)))

    def _marker(self, properties: ET.Element | None, style: Style) -> str | None:
        """``"- "`` or ``"3. "`` with its indent; None: the paragraph is no list item."""
        own = properties.find(W + "numPr") if properties is not None else None
        number = _value(own, "numId") or style.number
        level = int(_value(own, "ilvl") or style.number_level)
        if number in {"", "0"}:
            return None
        indent = "   " * level
        if self.numbering.format(number, level) in {"bullet", "none"}:
            return f"{indent}- "
        abstract = self.numbering.abstract(number)
        # Lists that share a definition share its count unless one of them starts over.
        key = (number if self.numbering.restarts(number) else abstract, level)
        self.counters[key] = self.counters.get(key, self.numbering.start(number, level) - 1) + 1
        for deeper in [other for other in self.counters if other[0] == key[0] and other[1] > level]:
            del self.counters[deeper]
        return f"{indent}{self.counters[key]}. "

    def _table(self, element: ET.Element) -> None:
        rows: list[list[str]] = []
        for row in element.iter(W + "tr"):
            cells: list[str] = []
            for cell in row.findall(f".//{W}tc"):
                cells.append(" ".join(_plain(part) for part in cell.iter(W + "p")))
                span = _value(cell.find(W + "tcPr"), "gridSpan")
                cells += [""] * (int(span) - 1 if span.isdecimal() else 0)
            rows.append(cells)
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        if not rows:
            return
        # One cell is a box around prose.
        if max(len(row) for row in rows) == 1:
            self.blocks += [("paragraph", " ".join(row[0].split())) for row in rows]
        else:
            self.blocks.append(("table", table(rows)))


def _value(parent: ET.Element | None, name: str) -> str:
    found = parent.find(W + name) if parent is not None else None
    return found.get(W + "val", "") if found is not None else ""


def _on(properties: ET.Element | None, name: str) -> bool:
    found = properties.find(W + name) if properties is not None else None
    return found is not None and found.get(W + "val", "1") not in {"0", "false", "none"}


def _pieces(parent: ET.Element) -> Iterator[tuple[str, ET.Element | None]]:
    """Yield (text, run properties) in reading order, without what is deleted or hidden."""
    for child in parent:
        name = child.tag.removeprefix(W)
        if child.tag in _HIDDEN:
            continue
        if name == "r":
            properties = child.find(W + "rPr")
            if not _on(properties, "vanish"):
                for text, _ in _pieces(child):
                    yield text, properties
        elif name == "t":
            yield child.text or "", None
        elif name in _BREAKS:
            page = name == "br" and child.get(W + "type") in {"page", "column"}
            yield "" if page else _BREAKS[name], None
        elif name == "footnoteReference":
            yield f"[^{child.get(W + 'id', '')}]", None
        else:
            yield from _pieces(child)


def _plain(parent: ET.Element) -> str:
    return "".join(text for text, _ in _pieces(parent)).strip()


def _runs(paragraph: ET.Element) -> Iterator[str]:
    """Yield text with its emphasis marked; Word cuts one bold phrase into many runs, which are joined first."""
    phrases: list[tuple[str, str]] = []
    for text, properties in _pieces(paragraph):
        mark = "**" * _on(properties, "b") or "*" * _on(properties, "i")
        if phrases and (phrases[-1][0] == mark or not text.strip()):
            phrases[-1] = phrases[-1][0], phrases[-1][1] + text
        else:
            phrases.append((mark, text))
    for mark, text in phrases:
        core = text.strip()
        if not mark or not core:
            yield text
            continue
        at = text.index(core)
        yield f"{text[:at]}{mark}{core}{mark}{text[at + len(core) :]}"


def _notes(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    root = _part(archive, "word/footnotes.xml")
    notes = []
    for note in root.findall(W + "footnote") if root is not None else ():
        text = " ".join(_plain(part) for part in note.iter(W + "p")).strip()
        if text and note.get(W + "type") is None:
            notes.append(("item", f"[^{note.get(W + 'id', '')}]: {text}"))
    return notes


def read_docx(data: bytes) -> Extract:
    """Read a Word document. Raise ``Unreadable``: corrupt_file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            document = _part(archive, "word/document.xml")
            styles = read_styles(_part(archive, "word/styles.xml"))
            numbering = read_numbering(_part(archive, "word/numbering.xml"))
            notes = _notes(archive)
            core = _part(archive, "docProps/core.xml")
    except (ET.ParseError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError) as error:
        raise Unreadable(
            "corrupt_file", "The file is damaged: a part of it cannot be read."
        ) from error
    body = document.find(W + "body") if document is not None else None
    if body is None:
        raise Unreadable("corrupt_file", "The file is damaged: it has no document body.")
    used = {_value(p.find(W + "pPr"), "pStyle") for p in body.iter(W + "p")}
    titled = any(styles[name].is_title for name in used if name in styles)
    writer = _Writer(styles, numbering, shift=int(titled))
    writer.body(body)
    blocks = writer.blocks + notes
    pieces: list[str] = []
    for at, (kind, text) in enumerate(blocks):
        if at:
            before_kind, before = blocks[at - 1]
            same_list = kind == before_kind == "item" and (text.lstrip()[:2] == "- ") == (
                before.lstrip()[:2] == "- "
            )
            nested = kind == before_kind == "item" and (text + before).startswith(" ")
            pieces.append("\n" if same_list or nested else "\n\n")
        pieces.append(text)
    title = core.findtext(_TITLE, "") if core is not None else ""
    return Extract(text="".join(pieces), parser=PARSER, title=title)
