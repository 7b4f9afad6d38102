"""Where Tesseract's language data lies on this machine. Looks at folders, and reads no file of them."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import GristmillError

FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
"""Where distributions put it."""


@dataclass(frozen=True, slots=True)
class Tessdata:
    """The languages that are asked for, those whose data was not found, and the folder of the others."""

    languages: tuple[str, ...]
    missing: tuple[str, ...]
    folder: str


NO_DATA = Tessdata(("eng",), ("eng",), "")


def find(languages: str, environment: Mapping[str, str] = os.environ) -> Tessdata:
    """Look for the data of ``languages`` (as in ``eng+deu``): in ``TESSDATA_PREFIX`` where that is set, else where
    distributions put it. Raise ``GristmillError`` where the languages are no names.
    """
    names = tuple(dict.fromkeys(name for name in re.split(r"[+, ]+", languages) if name))
    if not names or not all(re.fullmatch(r"[A-Za-z_]{2,20}", name) for name in names):
        raise GristmillError(
            "setting_invalid",
            f"GRISTMILL_OCR_LANGUAGES is {languages!r}; it names languages as Tesseract does, as in eng+deu.",
        )
    best = Tessdata(names, names, "")
    for folder in _folders(environment.get("TESSDATA_PREFIX")):
        missing = tuple(name for name in names if not (folder / f"{name}.traineddata").is_file())
        if len(missing) < len(best.missing):
            best = Tessdata(names, missing, str(folder))
    return best


def _folders(said: str | None) -> list[Path]:
    if said:
        return [Path(said), Path(said) / "tessdata"]
    root = Path("/")
    return [found for pattern in FOLDERS for found in sorted(root.glob(pattern[1:]), reverse=True)]
