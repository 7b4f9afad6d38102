"""File names without tricks, and multipart bodies read in flat memory."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from services.gateway.file_names import file_name, media_of
from services.gateway.multipart import Multipart
from services.gateway.uploading import Upload
from shared.errors import Refused

TYPE = 'multipart/form-data; boundary="frontier"'


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"plain.txt", "plain.txt"),
        (b"../../etc/passwd.txt", "passwd.txt"),
        (b"C:\\Windows\\evil.md", "evil.md"),
        (b"/abs/olute.pdf", "olute.pdf"),
        (b"nul\x00byte\r\n.txt", "nulbyte.txt"),
        ("u\u0308ber.txt".encode(), "\u00fcber.txt"),
        (b"caf\xe9.txt", "caf\u00e9.txt"),
        ("a\u202etxt.exe.md".encode(), "atxt.exe.md"),
        (b"  spaced.txt ", "spaced.txt"),
        (b"..%2F..%2F%C3%BCber.txt", "\u00fcber.txt"),
        (b"100%.txt", "100%.txt"),
    ],
)
def test_only_the_base_name_is_kept_and_nothing_that_deceives(raw: bytes, name: str) -> None:
    assert file_name(raw) == name


@pytest.mark.parametrize(
    "raw", [b"", b"..", b"../", b"a/..", b"\x00", b" . ", b"x" * 252 + b".txt"]
)
def test_a_name_that_leaves_nothing_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        file_name(raw)
    assert caught.value.code == "bad_file_name"


@given(st.binary(max_size=300))
def test_no_name_leads_out_of_its_folder(raw: bytes) -> None:
    try:
        name = file_name(raw)
    except Refused:
        return
    assert name not in ("", ".", "..")
    assert not {"/", "\\", "\x00", "\n"} & set(name)


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("old.dot", "legacy_format", ".docx"),
        ("OLD.XLSB", "legacy_format", ".xlsx"),
        ("run.exe", "unsupported_file_type", "Unsupported file type: .exe. Allowed: .pdf"),
        ("README", "unsupported_file_type", "(none)"),
    ],
)
def test_files_that_no_parser_reads_are_refused_by_name(name: str, code: str, says: str) -> None:
    with pytest.raises(Refused) as caught:
        media_of(name)
    assert caught.value.code == code
    assert says in caught.value.message


def body(*parts: tuple[str, bytes], end: str = "--frontier--\r\n") -> bytes:
    made = b"".join(
        f"--frontier\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return made + end.encode()


async def pieces_of(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@given(
    st.lists(st.binary(max_size=200).filter(lambda data: b"--frontier" not in data), max_size=4),
    st.integers(min_value=1, max_value=50),
)
async def test_parts_come_out_as_they_went_in_however_the_body_is_cut(
    contents: list[bytes], size: int
) -> None:
    data = body(*((f'name="files"; filename="{n}.txt"', c) for n, c in enumerate(contents)))
    reader = Multipart(pieces_of(data, size), TYPE)
    found = []
    while (part := await reader.next_part()) is not None:
        found.append((part.file, b"".join([piece async for piece in reader.pieces()])))
    assert found == [(f"{n}.txt".encode(), c) for n, c in enumerate(contents)]


async def test_what_is_not_taken_of_a_part_is_skipped() -> None:
    data = body(('name="files"; filename="a.txt"', b"aaa"), ('name="project_id"', b"7"))
    reader = Multipart(pieces_of(data, 4), TYPE)
    first, second = await reader.next_part(), await reader.next_part()
    assert first is not None and first.file == b"a.txt"  # noqa: PT018 - one thing: the first part
    assert second is not None and second.name == "project_id"  # noqa: PT018 - one thing: the second
    assert b"".join([piece async for piece in reader.pieces()]) == b"7"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/plain", b""),
        ("multipart/form-data", b""),
        (TYPE, b"nonsense that is no multipart at all"),
    ],
)
async def test_a_body_that_is_no_multipart_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(Refused):
        await Multipart(pieces_of(data, 10), kind).next_part()


async def test_a_body_that_ends_in_the_midst_of_a_file_is_refused() -> None:
    cut = body(('name="files"; filename="a.txt"', b"a" * 100), end="")[:-40]
    reader = Multipart(pieces_of(cut, 10), TYPE)
    await reader.next_part()
    with pytest.raises(Refused) as caught:
        [piece async for piece in reader.pieces()]
    assert caught.value.code == "malformed_multipart"


async def test_a_large_file_takes_flat_memory() -> None:
    size, piece = 48 * 1024 * 1024, b"x" * 65536
    head = b'--frontier\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'

    async def large() -> AsyncIterator[bytes]:
        yield head
        for _ in range(size // len(piece)):
            yield piece
        yield b"\r\n--frontier--\r\n"

    reader = Multipart(large(), TYPE)
    await reader.next_part()
    digest, seen = hashlib.sha256(), 0
    tracemalloc.start()
    async for part in reader.pieces():
        digest.update(part)
        seen += len(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == size
    assert peak < 1024 * 1024


def test_an_upload_of_other_files_is_another_upload() -> None:
    blobs = [BlobRef(kind="document", sha256=letter * 64, size=1) for letter in "ab"]
    one = Upload("1", (("a.txt", blobs[0]),))
    assert one.digest == Upload("1", (("a.txt", blobs[0]),)).digest
    others = (
        Upload("2", (("a.txt", blobs[0]),)),
        Upload("1", (("b.txt", blobs[0]),)),
        Upload("1", (("a.txt", blobs[1]),)),
        Upload("1", (("a.txt", blobs[0]), ("b.txt", blobs[1]))),
    )
    assert len({one.digest, *(each.digest for each in others)}) == 5
