"""What a parser gives back: the text with its structure, or the reason why there is none. Holds no logic."""

from dataclasses import dataclass

from contracts.document import Structure

ALLOWED = (
    *(".pdf", ".docx", ".pptx", ".xlsx", ".html", ".htm", ".csv", ".md", ".txt"),
    *(".epub", ".eml", ".rtf", ".json", ".jsonl", ".xml", ".doc", ".ppt", ".xls"),
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"),
)
MAX_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's text, cleaned once; ``structure``'s offsets count its code points."""

    text: str
    structure: Structure
    parser: str
    """Name and version, as in ``kreuzberg/4.10.4``."""
    source_url: str = ""
    """Of a web page that says where it was fetched; empty: it does not."""
    published: str = ""
    """The day that a web page names as its own, as in 2026-11-21; empty: none."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What one format's reader found, before it is cleaned and its headings are sought."""

    text: str
    parser: str
    title: str = ""
    """The title that the file's metadata claims; empty: none."""
    pages: tuple[int, ...] = ()
    """Offset of the first character of each page, page 1 first; empty: the format has no pages."""
    titled_by_name: bool = False
    """True for books, sheets and tables, whose headings name parts and never the whole."""
    source_url: str = ""
    published: str = ""


class Unreadable(Exception):
    """A document cannot be used. ``code`` is stable, ``message`` is for its owner: what is wrong and what to do.

    Codes: empty_file, unsupported_type, legacy_format, type_mismatch, binary_file, corrupt_file, encrypted_file,
    too_large, archive_bomb, xml_entities, no_text, ocr_not_available, parse_timeout, parse_memory, parse_crashed.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Part:
    """Some pages of a PDF as a PDF."""

    name: str
    first: int
    """Number of its first page in the whole, from 1."""
    last: int
    data: bytes
