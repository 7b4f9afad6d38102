"""Names for files and folders of a dataset, and the name under which this program is called. Looks, writes nothing."""

import re
import shlex
import shutil
import sys
from pathlib import Path

_UNFIT = re.compile(r"[^\w.-]+")
LONGEST = 60


def slug(words: str) -> str:
    """A name that is fit for a file and a command line."""
    return _UNFIT.sub("-", words).strip("-.")[:LONGEST].rstrip("-.") or "dataset"


def fresh_path(folder: Path, name: str, extension: str) -> Path:
    """``folder/name.extension``, or with the first number that no file has: nothing is written over."""
    path = folder / f"{name}.{extension}"
    n = 2
    while path.exists():
        path = folder / f"{name}-{n}.{extension}"
        n += 1
    return path


def file_extension(format: str, written: str) -> str:
    """Of a file that was written as ``written``: where that does not say the format, the format stands before it."""
    ending = written.rpartition(".")[2]
    return ending if ending == format else f"{format}.{ending}"


def program() -> str:
    """How to call this program from here: by its bare name where the shell finds it, else by its path."""
    script = Path(sys.executable).with_name("gristmill")
    on_path = shutil.which("gristmill")
    if on_path is not None and Path(on_path).resolve() == script.resolve():
        return "gristmill"
    return quoted(script)


def quoted(path: Path) -> str:
    """A path as a shell takes it: from here, where it lies below, else whole."""
    here = Path.cwd()
    whole = path if path.is_absolute() else here / path
    return shlex.quote(str(whole.relative_to(here) if whole.is_relative_to(here) else whole))
