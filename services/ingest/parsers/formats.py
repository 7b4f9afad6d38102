"""Which format a file has, told by its name and checked against its first bytes. Decides, and reads no content."""

from pathlib import PurePath

from services.ingest.parsers.archive import office_kind
from services.ingest.parsers.outcome import ALLOWED, MAX_BYTES, Unreadable

_LEGACY = {".dot": ".docx", ".pps": ".pptx", ".xlt": ".xlsx", ".xlsb": ".xlsx"}
_OLD = frozenset({".doc", ".ppt", ".xls"})
_ARCHIVES = frozenset({".docx", ".pptx", ".xlsx", ".epub"})
_ALIASES = {".htm": ".html", ".jpeg": ".jpg", ".tiff": ".tif"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED_SLIDES = b"\xdf\xc4\xd1\xf3"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_IMAGES = {
    ".png": "PNG image",
    ".jpg": "JPEG image",
    ".gif": "GIF image",
    ".bmp": "BMP image",
    ".tif": "TIFF image",
    ".webp": "WebP image",
}
_BINARY = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "archive"),
    (_OLE, "old Office"),
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"BM", "BMP image"),
    (b"II*\x00", "TIFF image"),
    (b"MM\x00*", "TIFF image"),
    (b"RIFF", "WebP image"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\x7fELF", "program"),
)


def format_of(name: str, data: bytes) -> str:
    """Give the format as its lower-case ending, ``.htm`` as ``.html``. Raise ``Unreadable`` with a stable code."""
    ending = PurePath(name).suffix.lower()
    if ending in _LEGACY:
        better = _LEGACY[ending]
        raise Unreadable(
            "legacy_format",
            f"{ending} files are not read. Save the document as {better} and add it again.",
        )
    if ending not in ALLOWED:
        raise Unreadable(
            "unsupported_type",
            f"{ending or 'A name without an ending'} is not a format that can be read. Allowed: {', '.join(ALLOWED)}.",
        )
    if len(data) > MAX_BYTES:
        raise Unreadable(
            "too_large",
            f"The file has {len(data):,} bytes; at most {MAX_BYTES:,} are read. Split it.",
        )
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Unreadable("empty_file", "The file is empty.")
    ending = _ALIASES.get(ending, ending)
    if ending == ".pdf":
        _check_pdf(data)
    elif ending in _ARCHIVES:
        _check_archive(ending, data)
    elif ending in _IMAGES:
        _check_image(ending, data)
    elif ending in _OLD:
        _check_old(ending, data)
    else:
        _check_text(ending, data)
    return ending


def _mismatch(ending: str, found: str) -> Unreadable:
    return Unreadable(
        "type_mismatch",
        f"The name ends in {ending}, but the content is {found}. Give the file the right name ending.",
    )


def _magic(data: bytes) -> str:
    """What the first bytes say. Those of BMP and RIFF are letters that a text may begin with, so more is asked."""
    found = next((found for magic, found in _BINARY if data.startswith(magic)), "")
    if found == "BMP image" and data[6:10] != b"\x00\x00\x00\x00":
        return ""
    if found == "WebP image" and data[8:12] != b"WEBP":
        return ""
    return found


def _looks_like_text(data: bytes) -> bool:
    try:
        head = data[:4096].decode("utf-8", "strict" if len(data) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return False
    return sum(character < " " and character not in "\t\n\r\f" for character in head) == 0


def _check_pdf(data: bytes) -> None:
    # The standard lets the header stand anywhere in the first 1,024 bytes.
    if b"%PDF-" in data[:1024]:
        return
    found = _magic(data)
    if found == "archive":
        found = f"{office_kind(data) or 'an archive'}"
    if found:
        raise _mismatch(".pdf", found)
    if _looks_like_text(data):
        raise _mismatch(".pdf", "plain text")
    raise Unreadable("corrupt_file", "The file is damaged: it has no PDF header.")


def _check_archive(ending: str, data: bytes) -> None:
    found = _magic(data)
    if found == "old Office":
        if _ENCRYPTED_PACKAGE in data:
            raise _encrypted()
        raise _mismatch(ending, "of the old Office format")
    if found == "archive":
        kind = office_kind(data)
        if kind == ending:
            return
        if kind:
            raise _mismatch(ending, kind)
        raise Unreadable(
            "corrupt_file", f"The file is an archive, but no {ending} document is in it."
        )
    if found:
        raise _mismatch(ending, found)
    if _looks_like_text(data):
        raise _mismatch(ending, "plain text")
    raise Unreadable("corrupt_file", f"The file is damaged: it is no {ending} archive.")


def _check_old(ending: str, data: bytes) -> None:
    """Source: MS-DOC 2.5.1 (FibBase), MS-PPT 2.3.2 (CurrentUserAtom); Excel's own reader tells a locked file."""
    found = _magic(data)
    if found == "old Office":
        heads = (data[at : at + 12] for at in range(512, min(len(data), 4 * 1024 * 1024), 512))
        locked_word = any(
            head[:2] == b"\xec\xa5" and head[11:12] and head[11] & 1 for head in heads
        )
        if locked_word or _LOCKED_SLIDES in data or _ENCRYPTED_PACKAGE in data:
            raise _encrypted()
        return
    if found == "archive":
        found = office_kind(data) or found
    if found:
        raise _mismatch(ending, found)
    if data.lstrip().startswith(b"{\\rtf"):
        raise _mismatch(ending, ".rtf")
    if _looks_like_text(data):
        raise _mismatch(ending, "plain text")
    raise Unreadable("corrupt_file", f"The file is damaged: it is no {ending} file.")


def _encrypted() -> Unreadable:
    return Unreadable(
        "encrypted_file", "The file is encrypted. Save it without a password and add it again."
    )


def _check_image(ending: str, data: bytes) -> None:
    found = _magic(data)
    if found == _IMAGES[ending]:
        return
    if found == "archive":
        found = office_kind(data) or found
    if found:
        raise _mismatch(ending, found)
    if _looks_like_text(data):
        raise _mismatch(ending, "plain text")
    raise Unreadable("corrupt_file", f"The file is damaged: it is no {_IMAGES[ending]}.")


def _check_text(ending: str, data: bytes) -> None:
    found = _magic(data)
    if found in {"PDF", "old Office"}:
        raise _mismatch(ending, found)
    if found == "archive":
        kind = office_kind(data)
        if kind:
            raise _mismatch(ending, kind)
    if found:
        raise Unreadable("binary_file", f"The file holds binary data ({found}), not text.")
    if ending == ".rtf" and not data.lstrip().startswith(b"{\\rtf"):
        if _looks_like_text(data):
            raise _mismatch(ending, "plain text")
        raise Unreadable("corrupt_file", "The file is damaged: it has no RTF header.")
