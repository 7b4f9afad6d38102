"""Lays finished files as plain files into a folder below the data folder, where people and other programs pick them up.

Every folder on the way is opened beneath the one before it and never through a link, so that nobody who can write
there can lead a file out of the data folder, not even between the check and the writing.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.clock import fresh_id
from shared.errors import Rejected

EXPORTS = "exports"
"""Of the data folder; all that is laid lies below it."""
PART = ".part"
"""Ends the name of a file that is being written."""
STALE = 3600.0
"""Seconds after which a file that was never finished is swept: its writer was killed."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def lay(data: Path, output_dir: str, files: Sequence[Path]) -> None:
    """Lay copies of ``files`` (one at least) under their names into ``data/exports/output_dir``.

    Folders are made where they are missing. Each file appears whole or not at all, and replaces one of its name;
    laying again is laying once.

    Raises:
        Rejected: ``output_dir_leads_out`` where a link lies on the way; ``output_dir_disk_full``;
            ``output_dir_not_writable`` for whatever else the system says.
    """
    try:
        with _opened(data, (EXPORTS, *output_dir.split("/"))) as folder:
            for file in files:
                _lay_one(file, folder)
            _sweep(files, folder)
            os.fsync(folder)
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        code = "output_dir_disk_full" if full else "output_dir_not_writable"
        raise Rejected(
            code, f"Folder {EXPORTS}/{output_dir} cannot be written: {problem.strerror}."
        ) from None


@contextlib.contextmanager
def _opened(data: Path, parts: Sequence[str]) -> Iterator[int]:
    """The folder at the end of ``parts``; the data folder itself may be a link, for that is the operator's say."""
    held = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for n, part in enumerate(parts, start=1):
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=held)
                os.fsync(held)
            below = _below(part, held, "/".join(parts[:n]))
            os.close(held)
            held = below
        yield held
    finally:
        os.close(held)


def _below(part: str, folder: int, shown: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=folder)
    except OSError:
        # A link is told as ELOOP by one system and as ENOTDIR by another, so it is looked at.
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            raise Rejected(
                "output_dir_leads_out",
                f"{shown} of the data folder is a link: put a folder in its place, or name another output_dir.",
            ) from None
        raise


def _lay_one(file: Path, folder: int) -> None:
    part = f".{file.name}.{fresh_id()}{PART}"
    try:
        with (
            file.open("rb") as source,
            os.fdopen(os.open(part, _NEW, 0o644, dir_fd=folder), "wb") as out,
        ):
            shutil.copyfileobj(source, out)
            out.flush()
            os.fsync(out.fileno())
        # A link of the file's name is replaced itself; what it points to stays as it is.
        os.replace(part, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise


def _sweep(files: Sequence[Path], folder: int) -> None:
    """Remove what writers of these files left when they were killed, and nothing that another may still be writing."""
    begun = tuple(f".{file.name}." for file in files)
    # What was just written says what time it is to the file system, whose clock may be another machine's.
    latest = os.stat(files[-1].name, dir_fd=folder, follow_symlinks=False).st_mtime
    for name in os.listdir(folder):
        if name.endswith(PART) and name.startswith(begun):
            with contextlib.suppress(FileNotFoundError):
                if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < latest - STALE:
                    os.unlink(name, dir_fd=folder)
