"""Chunks as a whole: ids, indices, pages, heading paths, the same for every strategy."""

from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.document import Chunking, Heading, PageSpan, Structure
from contracts.identity import chunk_id
from services.chunk.logic import cut

DOCUMENT = UUID("5b0e2f0e-6a53-5a1b-9a33-3f3d3c3b3a39")
Strategy = Literal["character", "sentence", "markdown"]
STRATEGIES: st.SearchStrategy[Strategy] = st.sampled_from(["character", "sentence", "markdown"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Structure]:
    pages = draw(
        st.lists(st.text(alphabet="aB.é \n#", min_size=1, max_size=60), min_size=1, max_size=6)
    )
    text = "\n".join(pages)
    spans, at = [], 0
    for number, page in enumerate(pages, 1):
        spans.append(PageSpan(number=number, start=at, end=at + len(page)))
        at += len(page) + 1
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=5))
    headings = tuple(
        Heading(level=draw(st.integers(1, 4)), text=f"H{n}", start=n, end=min(n + 3, len(text)))
        for n in starts
    )
    structure = Structure(title="T", language=None, headings=headings, pages=tuple(spans))
    return text, structure


@st.composite
def chunkings(draw: st.DrawFn) -> Chunking:
    strategy, size = draw(STRATEGIES), draw(st.integers(1, 50))
    overlap = 0 if strategy == "markdown" else draw(st.integers(0, size - 1))
    return Chunking(strategy=strategy, size=size, overlap=overlap)


@given(documents(), chunkings())
def test_chunks_are_numbered_named_and_cover_the_text(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document

    chunks = cut(DOCUMENT, text, structure, chunking)

    assert chunks == cut(DOCUMENT, text, structure, chunking)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.chunk_id == chunk_id(DOCUMENT, chunking.key(), chunk.index)
    covered = {n for chunk in chunks for n in range(chunk.start, chunk.end)}
    assert all(n in covered for n, char in enumerate(text) if not char.isspace())
    if chunks and chunking.strategy != "markdown":
        assert covered == set(range(len(text)))


@given(documents(), chunkings())
def test_a_chunk_has_the_page_on_which_it_starts(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document
    for chunk in cut(DOCUMENT, text, structure, chunking):
        page = next((p for p in structure.pages if p.start <= chunk.start < p.end), None)
        if page:
            assert chunk.page == page.number


def test_a_chunk_that_starts_between_pages_has_the_page_it_reaches() -> None:
    pages = (PageSpan(number=1, start=0, end=4), PageSpan(number=2, start=6, end=10))
    structure = Structure(title="", language=None, headings=(), pages=pages)

    chunks = cut(DOCUMENT, "aaaa\n\nbbbb", structure, Chunking(strategy="character", size=5))
    inner = cut(DOCUMENT, "aaaa\n\nbbbb", structure, Chunking(strategy="character", size=1))

    assert [chunk.page for chunk in chunks] == [1, 2]
    assert [chunk.page for chunk in inner] == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_window_has_the_heading_path_in_force_where_it_starts() -> None:
    text = "before # A inside A ## B inside B"
    headings = (
        Heading(level=1, text="A", start=7, end=10),
        Heading(level=2, text="B", start=20, end=24),
    )
    structure = Structure(title="", language=None, headings=headings, pages=())

    chunks = cut(DOCUMENT, text, structure, Chunking(strategy="character", size=10))

    assert [chunk.heading_path for chunk in chunks] == [(), ("A",), ("A", "B"), ("A", "B")]


@pytest.mark.parametrize("strategy", ["character", "sentence", "markdown"])
@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_blank_text_has_no_chunks(strategy: Strategy, text: str) -> None:
    structure = Structure(title="", language=None, headings=(), pages=())
    assert cut(DOCUMENT, text, structure, Chunking(strategy=strategy)) == []


def test_offsets_count_code_points() -> None:
    structure = Structure(title="", language=None, headings=(), pages=())
    text = "𝔘𝔫𝔦 👩‍👩‍👧 é"

    chunks = cut(DOCUMENT, text, structure, Chunking(strategy="character", size=3))

    assert "".join(text[chunk.start : chunk.end] for chunk in chunks) == text
    assert text[chunks[0].start : chunks[0].end] == "𝔘𝔫𝔦"
