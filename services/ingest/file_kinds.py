"""What a fetched thing is called as a file, by its media type, its first bytes and its address. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from services.ingest.parsers.outcome import ALLOWED, Unreadable

_OFFICE = "application/vnd.openxmlformats-officedocument."
ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    _OFFICE + "wordprocessingml.document": ".docx",
    _OFFICE + "presentationml.presentation": ".pptx",
    _OFFICE + "spreadsheetml.sheet": ".xlsx",
    "application/msword": ".doc",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.ms-excel": ".xls",
    "text/csv": ".csv",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/plain": ".txt",
    "application/epub+zip": ".epub",
    "message/rfc822": ".eml",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/webp": ".webp",
}
MEDIA = {ending: media for media, ending in reversed(ENDINGS.items())}
"""The media type that is kept with a file, by its ending."""

_VAGUE = frozenset(
    ("", "application/octet-stream", "binary/octet-stream", "text/plain", "application/zip")
)
_TEXT = frozenset((".txt", ".md", ".csv", ".json", ".jsonl", ".xml", ".rtf", ".eml"))
_UNSEEN = ("Cc", "Cs", "Cf", "Zl", "Zp")
_LONGEST = 200


def ending_of(media: str, url: str, head: bytes) -> str:
    """The ending of the format. Raise ``Unreadable`` (unsupported_type) where nothing here reads it.

    The first bytes decide over the media type where they are a PDF's; a vague type yields to the address's ending.
    """
    media = media.lower()
    if head.startswith(b"%PDF-"):
        return ".pdf"
    said = PurePosixPath(unquote(urlsplit(url).path)).suffix.lower()
    if media in _VAGUE and said in ALLOWED and (media != "text/plain" or said in _TEXT):
        return said
    if media in ENDINGS:
        return ENDINGS[media]
    if media.endswith("+json"):
        return ".json"
    if media.endswith("+xml") and not media.startswith("image/"):
        return ".xml"
    if media in _VAGUE and re.match(rb"\s*(?:<!doctype html|<html)", head, re.IGNORECASE):
        return ".html"
    raise Unreadable(
        "unsupported_type",
        f"What lies there is {media or 'of no named type'}, which is not a format that can be read.",
    )


def name_of(url: str, ending: str, said: str = "") -> str:
    """A file name: what the server calls it, else the end of the path, else the host; with ``ending``."""
    parts = urlsplit(url)
    last = unquote(PurePosixPath(parts.path).name)
    base = re.split(r"[/\\]", said or last)[-1] or parts.hostname or "page"
    base = "".join(c for c in base if unicodedata.category(c) not in _UNSEEN)
    base = unicodedata.normalize("NFC", base).strip(" .") or "page"
    same = {".htm": ".html", ".jpeg": ".jpg", ".tiff": ".tif"}
    now = PurePosixPath(base).suffix.lower()
    if same.get(now, now) == ending:
        return base[: _LONGEST - len(now)] + now if len(base) > _LONGEST else base
    if now in ALLOWED:
        base = base[: -len(now)]
    return base[:_LONGEST] + ending
