"""Slides, sheets, web pages, rich text and comma-separated tables, through kreuzberg. Recognises no text."""

import re
from itertools import accumulate

import kreuzberg

from services.ingest.parsers.markdown import unescape
from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.plain import decode
from services.ingest.parsers.webpage import declared_encoding, main_content

_OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA = {
    ".pptx": _OFFICE + "presentationml.presentation",
    ".xlsx": _OFFICE + "spreadsheetml.sheet",
    ".html": "text/html",
    ".csv": "text/csv",
    ".rtf": "application/rtf",
    ".doc": "application/msword",
    ".ppt": "application/vnd.ms-powerpoint",
    ".xls": "application/vnd.ms-excel",
}
# A private-use character marks slides, so that no text can be taken for a mark.
_MARK = "\ue000"
_MARKS = re.compile(rf"\n*{_MARK}(\d+){_MARK}\n*")


def _convert(data: bytes, ending: str, form: str = "markdown") -> tuple[str, str]:
    """Give (Markdown, title from the metadata)."""
    pages = kreuzberg.PageConfig(
        extract_pages=True,
        insert_page_markers=True,
        marker_format=f"\n\n{_MARK}{{page_num}}{_MARK}\n\n",
    )
    config = kreuzberg.ExtractionConfig(
        output_format=form,
        use_cache=False,
        enable_quality_processing=False,
        pages=pages if ending == ".pptx" else None,
    )
    try:
        result = kreuzberg.extract_bytes_sync(data, _MEDIA[ending], config=config)
    except (kreuzberg.KreuzbergError, OSError, RuntimeError, ValueError) as error:
        # Damaged archives come out of it as plain OSError too.
        reason = str(error)
        if "password" in reason.lower() or "encrypted" in reason.lower():
            raise Unreadable(
                "encrypted_file",
                "The file is encrypted. Save it without a password and add it again.",
            ) from error
        raise Unreadable(
            "corrupt_file", f"The file is damaged: it cannot be read as {ending}."
        ) from error
    return result.content, str(result.metadata.get("title") or "")


def converter() -> str:
    return f"kreuzberg/{kreuzberg.__version__}"


def read_slides(data: bytes) -> Extract:
    """Slides as pages, each under its title."""
    content, title = _convert(data, ".pptx")
    parts = _MARKS.split(content)
    texts = [unescape(text).strip("\n") for text in parts[2::2]]
    kept = [text + "\n\n" if text else "" for text in texts]
    starts = tuple(accumulate((len(text) for text in kept), initial=0))[: len(kept)]
    return Extract(text="".join(kept), parser=converter(), title=title, pages=starts)


def read_old(data: bytes, ending: str) -> Extract:
    """The words of an old Word or PowerPoint file, line by line: what was a heading or a table is not told.

    (Its Markdown runs the paragraphs of a Word file together.)
    """
    content, title = _convert(data, ending, "plain")
    odd = sum(not (letter.isprintable() or letter in "\n\t\r") for letter in content)
    if odd > len(content) // 20:
        raise Unreadable("corrupt_file", f"The file is damaged, or too old a {ending} to be read.")
    lines = (" ".join(line.split()) for line in content.splitlines())
    text = "\n\n".join(line for line in lines if line)
    return Extract(text=text + "\n", parser=converter(), title=title)


def read_sheets(data: bytes, ending: str = ".xlsx") -> Extract:
    """Each sheet as a table under its name."""
    content, title = _convert(data, ending)
    return Extract(text=content, parser=converter(), title=title, titled_by_name=True)


def read_csv(data: bytes) -> Extract:
    """One table."""
    content, _ = _convert(decode(data).encode(), ".csv")
    return Extract(text=content, parser=converter(), titled_by_name=True)


def read_rich_text(data: bytes) -> Extract:
    """An RTF document; pictures leave no trace in the text."""
    content, title = _convert(data, ".rtf")
    content = re.sub(r"^!\[[^\]]*\]\([^)]*\)$", "", unescape(content), flags=re.MULTILINE)
    return Extract(text=content.strip("\n") + "\n", parser=converter(), title=title)


def read_html(data: bytes) -> Extract:
    """The page's main content; its frame (navigation, footer, forms, scripts) is dropped."""
    page, title = main_content(decode(data, declared_encoding(data)))
    content, _ = _convert(page.encode(), ".html")
    # The converter opens each code block with an empty line of its own.
    content = re.sub(r"^(```\w*\n)\n", r"\1", content, flags=re.MULTILINE)
    return Extract(text=content.strip("\n") + "\n", parser=converter(), title=title)
