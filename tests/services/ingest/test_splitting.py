"""PDFs cut into parts: which pages, which names, the same bytes each time."""

from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.parsers import Unreadable, parse
from services.ingest.parsers.splitting import ranges, split_pdf
from services.ingest.pool import ParserPool


@given(pages=st.integers(1, 500), size=st.integers(1, 60), overlap=st.integers(0, 59))
def test_parts_cover_every_page_and_share_what_was_asked(
    pages: int, size: int, overlap: int
) -> None:
    overlap = min(overlap, size - 1)

    found = ranges(pages, size, overlap)

    assert found[0][0] == 1
    assert found[-1][1] == pages
    assert all(last - first < size for first, last in found)
    assert all(two[0] == one[1] + 1 - overlap for one, two in pairwise(found))


async def test_a_pdf_is_cut_into_pdfs_that_can_be_read(documents: Path) -> None:
    data = (documents / "panama-canal.pdf").read_bytes()
    pool = ParserPool()
    pages, parts = await pool.split(data, "canal.pdf", pages_per_part=2, overlap=1)
    again = split_pdf(data, "canal.pdf", pages_per_part=2, overlap=1)
    await pool.close()

    assert pages == 4
    assert [part.name for part in parts] == [
        "canal_part_001_pages_1-2.pdf",
        "canal_part_002_pages_2-3.pdf",
        "canal_part_003_pages_3-4.pdf",
    ]
    assert tuple(parts) == again.parts
    assert len(parse("part.pdf", parts[0].data).structure.pages) == 2
    assert parse("part.pdf", parts[1].data).text.startswith("# The French attempt")


@pytest.mark.parametrize(
    ("build", "code"),
    [("locked_pdf", "encrypted_file"), ("word", "type_mismatch"), ("noise_pdf", "corrupt_file")],
)
def test_what_cannot_be_cut_says_why(bad_files: ModuleType, build: str, code: str) -> None:
    data = b"%PDF-1.7\n" + b"\x01" * 900 if build == "noise_pdf" else getattr(bad_files, build)()
    with pytest.raises(Unreadable) as caught:
        split_pdf(data, "a.pdf", pages_per_part=1, overlap=0)
    assert caught.value.code == code
