"""A web page's main content, told apart from what stands around it, before it is converted. Never loads anything.

Definition lists are rewritten as paragraphs (``<strong>term</strong>: text``), because the converter drops their form.
"""

import html
import re
from html.parser import HTMLParser

_AROUND = frozenset(
    (
        *("script", "style", "noscript", "template", "svg", "canvas", "object", "iframe"),
        *("nav", "footer", "aside", "form", "button", "select"),
    )
)
_VOID = frozenset(("area", "br", "col", "embed", "hr", "img", "input", "source", "track", "wbr"))
_PREFORMATTED = frozenset(("pre", "textarea"))
_BREAK = re.compile(r"[\r\n]\s*")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)


def declared_encoding(data: bytes) -> str:
    """The encoding that the page names in its first 4,096 bytes; empty: none."""
    found = _CHARSET.search(data[:4096])
    return found.group(1).decode("ascii") if found else ""


class _Sieve(HTMLParser):
    """Copies what is inside ``body`` (or ``main``), without the elements that stand around it."""

    def __init__(self, within: str) -> None:
        super().__init__(convert_charrefs=False)
        self.within = within
        self.out: list[str] = []
        self.title: list[str] = []
        self._inside = 0
        self._skipped: list[str] = []
        self._in_title = False
        self._preformatted = 0
        self._term = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's form
        if self._skipped:
            if tag == self._skipped[0]:
                self._skipped.append(tag)
            return
        if tag in _AROUND:
            self._skipped.append(tag)
        elif tag == "title" and not self.out:
            self._in_title = True
        elif tag == self.within:
            self._inside += 1
        elif tag in {"dl", "dt", "dd"}:
            self._definition(tag)
        elif self._term == "dd" and tag in {"p", "div"}:
            self._put(" ")
        elif tag not in {"html", "head", "link", "meta", "body"}:
            self._preformatted += tag in _PREFORMATTED
            self._put(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
            return
        if tag == "title":
            self._in_title = False
        elif tag == self.within:
            self._inside = max(0, self._inside - 1)
        elif tag in {"dl", "dt", "dd"}:
            if tag == "dl":
                self._definition("")
        elif not (self._term == "dd" and tag in {"p", "div"}) and tag not in _VOID | {
            "html",
            "head",
            "body",
        }:
            self._preformatted = max(0, self._preformatted - (tag in _PREFORMATTED))
            self._put(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as above
        if not self._skipped and tag in _VOID and tag not in {"link", "meta"}:
            self._put(self.get_starttag_text() or "")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._skipped:
            # Line breaks of the source mean nothing outside <pre>; the converter would keep them.
            self._put(data if self._preformatted else _BREAK.sub(" ", data))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def _definition(self, opens: str) -> None:
        """Close what is open and open ``opens``; end tags of terms and texts are optional in HTML."""
        closing = {"dt": "</strong>", "dd": "</p>"}.get(self._term, "")
        opening = ""
        if opens == "dt":
            opening = " / <strong>" if self._term == "dt" else "<p><strong>"
        elif opens == "dd":
            opening = ": " if self._term == "dt" else "<p>"
        elif self._term == "dt":
            closing += "</p>"
        self._put(closing + opening)
        self._term = opens if opens != "dl" else ""

    def _put(self, text: str) -> None:
        if self._inside:
            self.out.append(text)


def main_content(page: str) -> tuple[str, str]:
    """Give (HTML of the content without the page's frame, title). The result has no head, so no metadata leaks in."""
    within = "main" if re.search(r"<main[\s>]", page, re.IGNORECASE) else "body"
    if within == "body" and not re.search(r"<body[\s>]", page, re.IGNORECASE):
        page = f"<body>{page}"
    sieve = _Sieve(within)
    sieve.feed(page)
    sieve.close()
    title = " ".join(html.unescape("".join(sieve.title)).split())
    return f"<html><body>{''.join(sieve.out)}</body></html>", title
