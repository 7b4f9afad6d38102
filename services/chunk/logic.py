"""Cuts a parsed text into chunks as asked. Pure: the same input gives the same chunks, ids included."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never
from uuid import UUID

from contracts.document import DELIMITERS, Chunk, Chunking, PageSpan, Structure
from contracts.identity import chunk_id
from services.chunk.chunkers import (
    character,
    counted,
    delimiter,
    markdown,
    schema,
    semantic,
    sentence,
    tokens,
)
from services.chunk.chunkers.markdown import Piece
from services.chunk.chunkers.sections import Paths, sections

Span = tuple[int, int]


def cut(
    document_id: UUID,
    text: str,
    structure: Structure,
    chunking: Chunking,
    tokenizer: bytes | None = None,
) -> list[Chunk]:
    """The chunks of a text in order; a blank text has none.

    Offsets count code points of ``text``. Windows (``character``, ``sentence``, ``token``, ``contextual``) cover the
    whole text; pieces of the other strategies leave out white space and, with ``delimiter``, the delimiters. The
    heading path of a chunk is the one in force where it starts (``markdown`` knows more). The page is the one on which
    a chunk starts, None where the text has no pages. ``tokenizer`` is what ``chunking.tokenizer`` refers to.

    Raises:
        ChunkingRefused: a pattern or the tokenizer cannot be used.
    """
    if not text or text.isspace():
        return []
    pages = _Pages(structure.pages)
    key = chunking.key()
    found = list(_pieces(text, structure, chunking, tokenizer))
    before = _contexts(text, found, chunking.context)
    return [
        Chunk(
            chunk_id=chunk_id(document_id, key, index),
            index=index,
            start=start,
            end=end,
            heading_path=path,
            page=pages.at(start, end),
            context_start=context,
        )
        for index, ((start, end, path), context) in enumerate(zip(found, before, strict=True))
    ]


def _pieces(
    text: str, structure: Structure, chunking: Chunking, tokenizer: bytes | None
) -> Iterator[Piece]:
    if chunking.strategy == "markdown":
        return markdown.pieces(text, structure, chunking.size)
    return _under(_spans(text, structure, chunking, tokenizer), text, structure)


def _spans(
    text: str, structure: Structure, chunking: Chunking, tokenizer: bytes | None
) -> Iterator[Span]:
    size, overlap, language = chunking.size, chunking.overlap, structure.language
    match chunking.strategy:
        case "character":
            return character.windows(len(text), size, overlap)
        case "sentence":
            return sentence.windows(text, size, overlap, language)
        case "token":
            return counted.windows(tokens.token_borders(text, tokenizer), size, overlap)
        case "contextual":
            return counted.windows(tokens.word_borders(text), size, overlap)
        case "delimiter":
            marks = chunking.delimiters or DELIMITERS
            return delimiter.pieces(text, marks, size, language, merge=chunking.merge)
        case "semantic":
            starts = sentence.starts(text, language)
            return semantic.pieces(text, starts, size, chunking.similarity_drop, language)
        case "schema":
            return schema.pieces(text, structure, chunking)
        case "markdown":
            raise ValueError("sections know their heading paths themselves")
        case _:
            assert_never(chunking.strategy)


def _contexts(text: str, found: Sequence[Piece], words: int | None) -> Iterator[int | None]:
    """Where the context of each piece begins: the last words before it, of the piece before it at most."""
    before: Piece | None = None
    for piece in found:
        if words is None or before is None:
            yield None if words is None else piece.start
        else:
            yield tokens.last_words(text, before.start, piece.start, words)
        before = piece


def _under(spans: Iterable[Span], text: str, structure: Structure) -> Iterator[Piece]:
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
