"""Text out of pictures by Tesseract, which kreuzberg carries; its language data must be on the machine.

Which data is there is said by the caller. Never looks at a folder, and never fetches data.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.ingest.parsers.outcome import Extract, Unreadable

PIXELS = 40_000_000
"""Of one picture that is looked at; a page of paper at 300 dots per inch has 9 million."""
MOST_PICTURES = 1000
_BROKEN = re.compile(r"(\w)[-\N{SOFT HYPHEN}]\n(?=[a-zà-öø-ÿ])")


@dataclass(frozen=True, slots=True)
class Ocr:
    """The languages to recognise, as Tesseract names them, and those of them whose data is not on the machine."""

    languages: tuple[str, ...] = ("eng",)
    missing: tuple[str, ...] = ("eng",)

    def refusal(self, what: str) -> Unreadable:
        packages = " ".join(f"tesseract-ocr-{name.replace('_', '-')}" for name in self.missing)
        return Unreadable(
            "ocr_not_available",
            f"{what} Reading images takes Tesseract's data for: {', '.join(self.missing)}. Install it where ingest "
            f"runs (Debian: apt-get install {packages}) or name its folder in TESSDATA_PREFIX; then process "
            "the document again.",
        )


NO_OCR = Ocr()


@dataclass(frozen=True, slots=True)
class Means:
    """What reading may use besides the bytes."""

    ocr: Ocr = NO_OCR
    progress: Callable[[], None] = lambda: None
    """Called after each picture, so that whoever limits the time may count from there."""


def recognise(picture: bytes, media: str, languages: tuple[str, ...]) -> str:
    """The text of one picture: paragraphs parted by empty lines, their lines joined. Raise ``Unreadable``."""
    import kreuzberg

    language = "+".join(languages)
    tesseract = kreuzberg.TesseractConfig(language=language, use_cache=False)
    config = kreuzberg.ExtractionConfig(
        output_format="plain",
        use_cache=False,
        enable_quality_processing=False,
        force_ocr=True,
        ocr=kreuzberg.OcrConfig(backend="tesseract", language=language, tesseract_config=tesseract),
    )
    try:
        result = kreuzberg.extract_bytes_sync(picture, media, config=config)
    except (kreuzberg.KreuzbergError, OSError, RuntimeError, ValueError) as error:
        raise Unreadable("corrupt_file", "The image is damaged: it cannot be read.") from error
    return paragraphs(result.content)


def paragraphs(text: str) -> str:
    """Join the lines of each paragraph; a word that was broken at a line's end is whole again."""
    blocks = (_BROKEN.sub(r"\1", block) for block in re.split(r"\n\s*\n", text.strip()))
    return "\n\n".join(" ".join(block.split()) for block in blocks if block.strip())


def version() -> str:
    import kreuzberg

    return f"tesseract (kreuzberg/{kreuzberg.__version__})"


MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def read_image(data: bytes, ending: str, means: Means) -> Extract:
    """The text of an image; each picture of a TIFF file is a page. Raise ``Unreadable``: ocr_not_available,
    corrupt_file, too_large, no_text.
    """
    if means.ocr.missing:
        raise means.ocr.refusal("The file is an image.")
    pictures = tiff_pages(data) if ending in {".tif", ".tiff"} else [data]
    texts: list[str] = []
    for picture in pictures:
        texts.append(recognise(picture, MEDIA[ending], means.ocr.languages))
        means.progress()
    if not any(texts):
        raise Unreadable("no_text", "No text could be made out in the image.")
    text, starts = joined(texts)
    return Extract(text=text, parser=version(), pages=starts if len(pictures) > 1 else ())


def joined(texts: list[str]) -> tuple[str, tuple[int, ...]]:
    """Pages after each other, with the offset at which each begins."""
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    for text in texts:
        starts.append(length)
        if text:
            pieces.append(text + "\n\n")
            length += len(text) + 2
    return "".join(pieces), tuple(starts)


def tiff_pages(data: bytes) -> list[bytes]:
    """Each picture of a TIFF file as a file that begins with it. Raise ``Unreadable``.

    The header says where the first directory is, and each directory where the next one is (TIFF 6.0, section 2); with
    another number in the header, a reader of single pictures reads another picture.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    pages: list[bytes] = []
    seen: set[int] = set()
    at = int.from_bytes(data[4:8], order)
    while at and at not in seen and at + 2 <= len(data):
        if len(pages) == MOST_PICTURES:
            raise Unreadable("too_large", f"The file holds more than {MOST_PICTURES:,} pictures.")
        seen.add(at)
        pages.append(data[:4] + at.to_bytes(4, order) + data[8:])
        following = at + 2 + 12 * int.from_bytes(data[at : at + 2], order)
        at = int.from_bytes(data[following : following + 4], order)
    return pages or [data]
