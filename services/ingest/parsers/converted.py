"""Slides, sheets, web pages and comma-separated tables, through kreuzberg. Never asks it for text recognition."""

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
}
# A private-use character marks slides, so that no text can be taken for a mark.
_MARK = "\ue000"
_MARKS = re.compile(rf"\n*{_MARK}(\d+){_MARK}\n*")


def _convert(data: bytes, ending: str) -> tuple[str, str]:
    """Give (Markdown, title from the metadata)."""
    pages = kreuzberg.PageConfig(
        extract_pages=True,
        insert_page_markers=True,
        marker_format=f"\n\n{_MARK}{{page_num}}{_MARK}\n\n",
    )
    config = kreuzberg.ExtractionConfig(
        output_format="markdown",
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


def _parser() -> str:
    return f"kreuzberg/{kreuzberg.__version__}"


def read_slides(data: bytes) -> Extract:
    """Slides as pages, each under its title."""
    content, title = _convert(data, ".pptx")
    parts = _MARKS.split(content)
    texts = [unescape(text).strip("\n") for text in parts[2::2]]
    kept = [text + "\n\n" if text else "" for text in texts]
    starts = tuple(accumulate((len(text) for text in kept), initial=0))[: len(kept)]
    return Extract(text="".join(kept), parser=_parser(), title=title, pages=starts)


def read_sheets(data: bytes) -> Extract:
    """Each sheet as a table under its name."""
    content, title = _convert(data, ".xlsx")
    return Extract(text=content, parser=_parser(), title=title, titled_by_name=True)


def read_csv(data: bytes) -> Extract:
    """One table."""
    content, _ = _convert(decode(data).encode(), ".csv")
    return Extract(text=content, parser=_parser(), titled_by_name=True)


def read_html(data: bytes) -> Extract:
    """The page's main content; its frame (navigation, footer, forms, scripts) is dropped."""
    page, title = main_content(decode(data, declared_encoding(data)))
    content, _ = _convert(page.encode(), ".html")
    # The converter opens each code block with an empty line of its own.
    content = re.sub(r"^(```\w*\n)\n", r"\1", content, flags=re.MULTILINE)
    return Extract(text=content.strip("\n") + "\n", parser=_parser(), title=title)
