"""EPUB books: the chapters of the spine in reading order, each by way of the reader of web pages.

Reads members of an archive whose sizes were checked before. Never follows a link out of it.
Source: EPUB 3.3, sections 4 (OCF) and 5 (package document).
"""

import io
import posixpath
import re
import zipfile
import zlib
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from services.ingest.parsers.converted import converter, read_html
from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.structured import xml_tree

_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml"))
_INNER_LINK = re.compile(r"!?\[([^\]\n]*)\]\((?!https?:)[^)\n]*\)")
_DOCTYPE = re.compile(rb"<!DOCTYPE[^>\[]*>", re.IGNORECASE)


def read_epub(data: bytes) -> Extract:
    """The book's text. Raise ``Unreadable``: corrupt_file, encrypted_file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
        raise Unreadable(
            "corrupt_file", "The file is damaged: a part cannot be unpacked."
        ) from error


def _read(archive: zipfile.ZipFile) -> Extract:
    container = _tree(archive, "META-INF/container.xml")
    rootfile = container.find(".//rootfile")
    package = rootfile.get("full-path", "") if rootfile is not None else ""
    opf = _tree(archive, package)
    chapters = _spine(opf, posixpath.dirname(package))
    if not chapters:
        raise Unreadable("corrupt_file", "The file is damaged: the book lists no chapters.")
    locked = _locked(archive)
    if locked.intersection(chapters):
        raise Unreadable(
            "encrypted_file", "The book is locked by its seller (DRM). Add a copy without it."
        )
    texts = [read_html(_member(archive, name)).text for name in chapters]
    plain = (_INNER_LINK.sub(r"\1", text).strip("\n") for text in texts)
    title = opf.find(".//title")
    return Extract(
        text="\n\n".join(text for text in plain if text.strip()) + "\n",
        parser=f"gristmill-epub/1+{converter()}",
        title=" ".join("".join(title.itertext()).split()) if title is not None else "",
        titled_by_name=True,
    )


def _spine(opf: ET.Element, folder: str) -> list[str]:
    """Names of the chapters in reading order; what is marked as not linear stands at its place all the same."""
    items = {item.get("id", ""): item for item in opf.iterfind(".//manifest/item")}
    names: dict[str, None] = {}
    for reference in opf.iterfind(".//spine/itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.get("media-type") not in _PAGES:
            continue
        if "nav" in (item.get("properties") or "").split():
            continue
        path = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        names[path] = None
    return list(names)


def _locked(archive: zipfile.ZipFile) -> set[str]:
    """Members that are encrypted. (Fonts often are, which matters to nobody here.)"""
    name = "META-INF/encryption.xml"
    if name not in archive.namelist():
        return set()
    references = _tree(archive, name).iterfind(".//CipherReference")
    return {unquote(reference.get("URI", "")) for reference in references}


def _tree(archive: zipfile.ZipFile, name: str) -> ET.Element:
    # The standard allows a document type here; only one that declares nothing is passed over.
    return xml_tree(_DOCTYPE.sub(b"", _member(archive, name), count=1))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError as error:
        raise Unreadable(
            "corrupt_file", f"The file is damaged: its part {name or '(unnamed)'} is missing."
        ) from error
