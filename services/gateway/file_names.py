"""What an uploaded file may be called: a base name without tricks, with an ending that some parser reads. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

from shared.errors import Refused

MEDIA = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
    ".htm": "text/html",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".epub": "application/epub+zip",
    ".eml": "message/rfc822",
    ".rtf": "application/rtf",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".xml": "application/xml",
    ".doc": "application/msword",
    ".ppt": "application/vnd.ms-powerpoint",
    ".xls": "application/vnd.ms-excel",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
"""Endings that are read, with the media type that they stand for; what a client claims is not believed."""

LEGACY = {".dot": ".docx", ".pps": ".pptx", ".xlt": ".xlsx", ".xlsb": ".xlsx"}

MOST_NAME = 255

_SEPARATORS = re.compile(r"[/\\]")
_UNSEEN = ("Cc", "Cs", "Cf", "Zl", "Zp")
"""Kinds of characters that break a line, or make a name read other than it is, or like another one."""
_JOINERS = "\u200c\u200d"
"""Of kind Cf, but parts of words and of emoji."""


def file_name(raw: bytes) -> str:
    """The base name of what a client called a file. Raise ``Refused`` where nothing is left of it.

    Clients send UTF-8, or percent-encode it (RFC 7578, section 2).
    """
    data = unquote_to_bytes(raw)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    base = _SEPARATORS.split(text)[-1]
    base = "".join(c for c in base if c in _JOINERS or unicodedata.category(c) not in _UNSEEN)
    name = unicodedata.normalize("NFC", base).strip()
    if name.strip(". " + _JOINERS) == "":
        raise Refused("bad_file_name", "A file has no usable name: give it one.", field="files")
    if len(name) > MOST_NAME:
        raise Refused(
            "bad_file_name",
            f"The file name {name[:40]}… is longer than {MOST_NAME} characters: shorten it.",
            field="files",
        )
    return name


def media_of(name: str) -> str:
    """The media type of a file by its ending. Raise ``Refused`` where no parser reads such files."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in MEDIA:
        return MEDIA[ending]
    if ending in LEGACY:
        raise Refused(
            "legacy_format",
            f"{name}: the old {ending} format cannot be read; save it as {LEGACY[ending]}.",
            field="files",
        )
    allowed = " ".join(MEDIA)
    shown = ending or "(none)"
    raise Refused(
        "unsupported_file_type",
        f"Unsupported file type: {shown}. Allowed: {allowed} ({name})",
        field="files",
    )
