"""The one way in: bytes and a name become a ``Parsed`` or an ``Unreadable``. Chooses the reader, reads nothing."""

import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import PurePath

from contracts.document import Heading, PageSpan, Structure
from services.ingest.parsers.clean import clean
from services.ingest.parsers.formats import format_of
from services.ingest.parsers.language import language_of
from services.ingest.parsers.markdown import front_title, headings
from services.ingest.parsers.outcome import Extract, Parsed, Unreadable
from services.ingest.parsers.plain import decode
from services.ingest.parsers.recognition import MEDIA, Means, read_image

PLAIN = "gristmill-text/1"
_NO_TITLE = re.compile(
    r"\s*|\(?(untitled|anonymous|unspecified|document\d*|powerpoint presentation)\)?"
    r"|microsoft word - .*|.*\.(docx?|pdf|tex|dvi|indd)",
    re.IGNORECASE,
)


def _read_text(data: bytes) -> Extract:
    text = decode(data)
    return Extract(text=text, parser=PLAIN, title=front_title(text))


def _reader(ending: str, means: Means) -> Callable[[bytes], Extract]:
    """The reader of a format; the libraries of the others are not loaded for it."""
    if ending in {".md", ".txt"}:
        return _read_text
    if ending == ".pdf":
        from services.ingest.parsers.pdf import read_pdf

        return partial(read_pdf, means=means)
    if ending == ".docx":
        from services.ingest.parsers.docx import read_docx

        return read_docx
    if ending in MEDIA:
        return partial(read_image, ending=ending, means=means)
    if ending in {".json", ".jsonl", ".xml"}:
        from services.ingest.parsers import structured

        return {
            ".json": structured.read_json,
            ".jsonl": structured.read_json_lines,
            ".xml": structured.read_xml,
        }[ending]
    if ending == ".eml":
        from services.ingest.parsers.mail import read_mail

        return read_mail
    if ending == ".epub":
        from services.ingest.parsers.epub import read_epub

        return read_epub
    from services.ingest.parsers import converted

    others: dict[str, Callable[[bytes], Extract]] = {
        ".pptx": converted.read_slides,
        ".xlsx": converted.read_sheets,
        ".html": _read_page,
        ".rtf": converted.read_rich_text,
        ".csv": converted.read_csv,
        ".doc": partial(converted.read_old, ending=".doc"),
        ".ppt": partial(converted.read_old, ending=".ppt"),
        ".xls": partial(converted.read_sheets, ending=".xls"),
    }
    return others[ending]


def _read_page(data: bytes) -> Extract:
    """A page that was saved from the web is read for its article; another one whole, without its frame."""
    from services.ingest.parsers import article
    from services.ingest.parsers.converted import read_html

    return article.read_article(data) if article.source_of(data) else read_html(data)


def parse(name: str, data: bytes, means: Means = Means()) -> Parsed:  # noqa: B008 - frozen
    """Read a document. ``name`` is the file name as the user knows it; its ending names the format.

    The text of .md and .txt is verbatim after ``clean``. Raise ``Unreadable`` with a stable code.
    """
    ending = format_of(name, data)
    try:
        extract = _reader(ending, means)(data)
    except RecursionError as error:
        raise Unreadable(
            "corrupt_file", "The file's parts are nested too deeply to be read."
        ) from error
    text, starts = _cleaned(extract)
    if not text.strip():
        raise Unreadable("no_text", "There is no text in the file.")
    found = headings(text)
    ends = (*starts[1:], len(text))
    structure = Structure(
        title=_title(name, extract, text, found),
        language=language_of(text),
        headings=found,
        pages=tuple(
            PageSpan(number=number, start=start, end=end)
            for number, (start, end) in enumerate(zip(starts, ends, strict=False), 1)
        ),
    )
    return Parsed(
        text=text,
        structure=structure,
        parser=extract.parser,
        source_url=clean(extract.source_url),
        published=clean(extract.published),
    )


def _cleaned(extract: Extract) -> tuple[str, tuple[int, ...]]:
    """Clean page by page, so that each page's offset still stands where its text begins."""
    if not extract.pages:
        return clean(extract.text), ()
    borders = (*extract.pages, len(extract.text))
    pieces = [clean(extract.text[: borders[0]])]
    starts: list[int] = []
    length = len(pieces[0])
    for start, end in pairwise(borders):
        starts.append(length)
        pieces.append(clean(extract.text[start:end]))
        length += len(pieces[-1])
    return "".join(pieces), tuple(starts)


def _title(name: str, extract: Extract, text: str, found: tuple[Heading, ...]) -> str:
    """First heading of level 1, else the metadata's title, else any heading or a short first line, else the name."""
    claimed = " ".join(clean(extract.title).split())
    if _NO_TITLE.fullmatch(claimed):
        claimed = ""
    stem = PurePath(name).stem
    if extract.titled_by_name:
        return claimed or stem
    top = next((heading.text for heading in found if heading.level == 1), "")
    any_heading = found[0].text if found else ""
    return (top or claimed or any_heading or _first_line(text) or stem)[:300]


def _first_line(text: str) -> str:
    """A first line that stands alone, is short and is no sentence."""
    first, _, rest = text.lstrip("\n").partition("\n")
    first = first.strip()
    alone = not rest.split("\n", 1)[0].strip()
    return first if alone and 0 < len(first) <= 80 and first[-1] not in ".,;:!" else ""
