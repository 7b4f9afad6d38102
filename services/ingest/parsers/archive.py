"""A look into an Office file's archive before anything is unpacked. Reads the directory only, never a member."""

import io
import zipfile

from services.ingest.parsers.outcome import Unreadable

MAX_UNPACKED = 512 * 1024 * 1024
SUSPECT_UNPACKED = 50 * 1024 * 1024
SUSPECT_RATIO = 100
MAX_MEMBERS = 20_000

_KINDS = (
    ("word/document.xml", ".docx"),
    ("ppt/presentation.xml", ".pptx"),
    ("xl/workbook.xml", ".xlsx"),
    ("xl/workbook.bin", ".xlsb"),
    ("content.xml", "OpenDocument"),
    ("META-INF/container.xml", ".epub"),
)


def office_kind(data: bytes) -> str:
    """Tell what an archive is: ``.docx``, ``.pptx``, ``.xlsx``, another name, or ``""`` for an archive of anything.

    Raise ``Unreadable``: ``corrupt_file``, ``encrypted_file`` or ``archive_bomb``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Unreadable(
            "corrupt_file", "The file is damaged: its archive cannot be opened."
        ) from error
    _refuse_bomb(members, len(data))
    if any(member.flag_bits & 0x1 for member in members):
        raise Unreadable(
            "encrypted_file", "The file is encrypted. Save it without a password and add it again."
        )
    names = {member.filename for member in members}
    return next((kind for part, kind in _KINDS if part in names), "")


def _refuse_bomb(members: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    # Members that share bytes add up to more than the file holds: the trick of bombs without nesting.
    overlapping = packed > size
    dense = unpacked > SUSPECT_UNPACKED and unpacked > SUSPECT_RATIO * size
    if unpacked > MAX_UNPACKED or dense or overlapping or len(members) > MAX_MEMBERS:
        raise Unreadable(
            "archive_bomb",
            f"The file is {size:,} bytes but unpacks to {unpacked:,}: an archive bomb, not opened.",
        )
