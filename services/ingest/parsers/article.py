"""Web pages that were fetched: the article without the site around it, its title and day, by trafilatura.

A fetched page carries its address in a comment at its head, in the form in which browsers mark a page that they save.
Never loads anything.
"""

import re

from services.ingest.parsers.converted import read_html
from services.ingest.parsers.outcome import Extract
from services.ingest.parsers.plain import decode
from services.ingest.parsers.webpage import declared_encoding

_MARK = re.compile(
    rb"\s*(?:<!DOCTYPE[^>]{0,200}>\s*)?<!-- saved from url=\(\d{4}\)([!-~]{1,2048}?) -->",
    re.IGNORECASE,
)


_SAID = {"extensive_search": False, "original_date": True}
"""Only the day that a page itself names; a search of its text takes the year of a copyright for one."""


def marked(page: bytes, url: str) -> bytes:
    """A page in UTF-8 with the address that it came from. ``url`` is ASCII, and ``>`` in it is written %3E."""
    safe = url.replace(">", "%3E")
    return f"<!-- saved from url=({len(safe):04d}){safe} -->\n".encode() + page


def source_of(page: bytes) -> str:
    """The address that a page says it was saved from; empty: none, or none of the web."""
    found = _MARK.match(page.removeprefix(b"\xef\xbb\xbf")[:3000])
    url = found.group(1).decode() if found else ""
    return url if url.lower().startswith(("http://", "https://")) else ""


def read_article(data: bytes) -> Extract:
    """The article of a page under its title; the whole page where no article can be told apart."""
    import trafilatura

    url = source_of(data)
    page = decode(data, declared_encoding(data))
    found = trafilatura.bare_extraction(
        page, url=url, with_metadata=True, date_extraction_params=_SAID
    )
    text = trafilatura.extract(
        page, url=url, include_comments=False, output_format="markdown", include_formatting=True
    )
    whole = read_html(data)
    title = (getattr(found, "title", "") or whole.title).strip()
    published = (getattr(found, "date", "") or "").strip()
    if not text or not text.strip():
        return Extract(
            text=whole.text,
            parser=whole.parser,
            title=title,
            source_url=url,
            published=published,
        )
    if title and not re.search(r"^# ", text, re.MULTILINE):
        text = f"# {' '.join(title.split())}\n\n{text}"
    return Extract(
        text=text.strip("\n") + "\n",
        parser=f"trafilatura/{trafilatura.__version__}",
        title=title,
        source_url=url,
        published=published,
    )
