"""Where the blobs of a data folder lie: in it, in the embedded S3 server, or in somebody's own. The folder remembers.

A folder whose blobs lie elsewhere than it is asked to look would start and miss every one of them; so that is refused.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import GristmillError, Refused
from shared.settings import Settings
from shared.stack.folder import write

FILE = "blobs.json"


class Place(BaseModel):
    """``endpoint`` and ``bucket`` are those of an S3 server that is not ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["folder", "seaweedfs", "s3"]
    endpoint: str | None = None
    bucket: str | None = None

    def __str__(self) -> str:
        if self.kind == "s3":
            return f"bucket {self.bucket} at {self.endpoint}"
        return "the embedded S3 server (--s3)" if self.kind == "seaweedfs" else "the folder itself"


def place(folder: Path, settings: Settings, *, embedded: bool = False) -> Place:
    """Where the blobs of this data folder lie; decided at its first start and written down.

    ``embedded`` asks for the embedded S3 server; an endpoint in the settings asks for that one; neither takes what is
    there, or the folder.

    Raises:
        Refused: ``conflicting_options``; ``blobs_elsewhere`` where the folder's blobs lie in another place.
    """
    wanted = None
    if settings.s3_endpoint is not None:
        wanted = Place(kind="s3", endpoint=settings.s3_endpoint, bucket=settings.s3_bucket)
        if embedded:
            raise Refused(
                "conflicting_options",
                f"--s3 starts an S3 server, and S3_ENDPOINT names yours ({wanted}): leave one of them out.",
                field="s3",
            )
    elif embedded:
        wanted = Place(kind="seaweedfs")
    kept = _kept(folder)
    found = decided(kept, wanted, folder / FILE)
    if found != kept or not (folder / FILE).exists():
        write(folder / FILE, found.model_dump_json(exclude_none=True))
    return found


def decided(kept: Place | None, wanted: Place | None, file: Path) -> Place:
    """What was kept and what is wanted, where they agree. Raise ``Refused`` (blobs_elsewhere) where they do not."""
    if kept is None:
        return wanted or Place(kind="folder")
    if wanted is None and kept.kind == "s3":
        raise Refused(
            "blobs_elsewhere",
            f"The blobs of {file.parent} lie in {kept}: set S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY.",
        )
    if wanted in {None, kept}:
        return kept
    raise Refused(
        "blobs_elsewhere",
        f"The blobs of {file.parent} lie in {kept}, not in {wanted}. Start it as before, or name another folder "
        f"with --data. (If you have copied them there yourself, delete {file}.)",
    )


def _kept(folder: Path) -> Place | None:
    path = folder / FILE
    try:
        return Place.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        # Folders from before this was written down, or killed in their first moment.
        return Place(kind="folder") if (folder / "blobs").is_dir() else None
    except ValidationError:
        raise GristmillError(
            "blobs_place_unreadable", f"{path} is not what Gristmill wrote there; restore it."
        ) from None
