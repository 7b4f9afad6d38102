"""Cuts a parsed text into chunks as asked. Pure: the same input gives the same chunks, ids included."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import assert_never
from uuid import UUID

from contracts.document import Chunk, Chunking, PageSpan, Structure
from contracts.identity import chunk_id
from services.chunk.chunkers import character, markdown, sentence
from services.chunk.chunkers.markdown import Piece
from services.chunk.chunkers.sections import Paths, sections


def cut(document_id: UUID, text: str, structure: Structure, chunking: Chunking) -> list[Chunk]:
    """The chunks of a text in order; a blank text has none.

    Offsets count code points of ``text``. ``character`` and ``sentence`` windows cover the whole text; ``markdown``
    pieces lie end to end and leave out blank stretches only. The heading path of a window is the one in force where
    the window starts. The page is the one on which a chunk starts, None where the text has no pages.
    """
    if not text or text.isspace():
        return []
    pages = _Pages(structure.pages)
    key = chunking.key()
    return [
        Chunk(
            chunk_id=chunk_id(document_id, key, index),
            index=index,
            start=start,
            end=end,
            heading_path=path,
            page=pages.at(start, end),
        )
        for index, (start, end, path) in enumerate(_pieces(text, structure, chunking))
    ]


def _pieces(text: str, structure: Structure, chunking: Chunking) -> Iterator[Piece]:
    size, overlap = chunking.size, chunking.overlap
    match chunking.strategy:
        case "markdown":
            return markdown.pieces(text, structure, size)
        case "character":
            return _under(character.windows(len(text), size, overlap), text, structure)
        case "sentence":
            spans = sentence.windows(text, size, overlap, structure.language)
            return _under(spans, text, structure)
        case _:
            assert_never(chunking.strategy)


def _under(spans: Iterable[tuple[int, int]], text: str, structure: Structure) -> Iterator[Piece]:
    """Give each span the heading path in force where it starts."""
    paths = Paths(sections(len(text), structure.headings))
    for start, end in spans:
        yield Piece(start, end, paths.at(start))


class _Pages:
    """The page of a span, by the pages' own spans."""

    def __init__(self, pages: tuple[PageSpan, ...]) -> None:
        self._pages = sorted(pages, key=lambda page: page.start)
        self._starts = [page.start for page in self._pages]

    def at(self, start: int, end: int) -> int | None:
        """The page that ``start`` lies on; between two pages, the next one if the span reaches it."""
        place = bisect_right(self._starts, start)
        if place and start < self._pages[place - 1].end:
            return self._pages[place - 1].number
        if place < len(self._pages) and self._starts[place] < end:
            return self._pages[place].number
        return self._pages[place - 1].number if place else None
