"""Files that a process was writing when it was killed, found by their age in the folders for what is unfinished.

Never looks anywhere else, and never at what is finished.
"""

import contextlib
import shutil
from datetime import datetime
from pathlib import Path

FOLDERS = ("blobs/incoming", "incoming", "tmp")
"""Below the data folder: of the blob folder, of uploads to S3, of exports."""


def sweep(data: Path, before: datetime) -> int:
    """Remove what nobody has written to since ``before``; the number of files and folders removed.

    A folder goes with all that is in it once nothing in it is younger.
    """
    removed = 0
    for name in FOLDERS:
        folder = data / name
        for each in folder.iterdir() if folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):  # it was finished meanwhile
                if _newest(each) >= before.timestamp():
                    continue
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each)
                else:
                    each.unlink()
                removed += 1
    return removed


def _newest(path: Path) -> float:
    """The latest change of a file, or of a folder and whatever is in it."""
    newest: float = path.lstat().st_mtime
    for each in path.rglob("*") if path.is_dir() and not path.is_symlink() else ():
        newest = max(newest, each.lstat().st_mtime)
    return newest
