"""Stretches of texts read in flat memory, and chunks found by computing their ids."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.identity import chunk_id
from services.gateway.chunk_search import find
from services.gateway.texts import line_count, lines, passages, tokens
from shared.blobs import FolderBlobs

REF = BlobRef(kind="text", sha256="0" * 64, size=0)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


class Small(FolderBlobs):
    """Bytes that come in pieces of any size."""

    def __init__(self, data: bytes, piece: int) -> None:
        super().__init__(Path())
        self._data = data
        self._piece = piece
        self.sent = 0

    async def stream(
        self,
        tenant: str,
        ref: BlobRef,
        start: int = 0,
        end: int | None = None,
    ) -> AsyncIterator[bytes]:
        for place in range(start, len(self._data) if end is None else end, self._piece):
            piece = self._data[place : place + self._piece]
            self.sent += len(piece)
            yield piece


@given(TEXTS, st.integers(1, 9), st.data())
async def test_passages_are_the_slices_of_the_text_however_its_bytes_come(
    text: str, piece: int, data: st.DataObject
) -> None:
    place = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(place, place).map(lambda two: (min(two), max(two)))))
    found = {n: part async for n, part in passages(Small(text.encode(), piece), "t", REF, spans)}
    assert [found[n] for n in range(len(spans))] == [text[start:end] for start, end in spans]


async def test_no_more_of_a_text_is_read_than_the_last_passage_needs() -> None:
    blobs = Small(b"x" * 10_000, 100)
    assert [part async for _, part in passages(blobs, "t", REF, [(150, 160), (10, 20)])] == [
        "x" * 10,
        "x" * 10,
    ]
    assert blobs.sent == 200


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
async def test_lines_come_out_as_they_went_in(table: list[bytes], piece: int) -> None:
    data = b"".join(line + b"\n" for line in table)
    assert [line async for line in lines(Small(data, piece), "t", REF)] == [
        line + b"\n" for line in table
    ]


@given(TEXTS.map(lambda text: text.replace("\r", "")), st.integers(1, 9))
async def test_lines_are_counted_as_an_editor_does(text: str, piece: int) -> None:
    shown = text.removesuffix("\n")
    expected = shown.count("\n") + 1 if text else 0
    assert await line_count(Small(text.encode(), piece), "t", REF) == expected


def test_tokens_are_words_numbers_and_marks() -> None:
    assert tokens("The wheel turned 1,823.5 times, didn't it?") == 11
    assert tokens("") == 0


@dataclass(frozen=True)
class Cut:
    document_id: UUID
    chunking: str
    cut: int


def test_a_chunk_is_found_in_the_document_that_it_was_cut_from() -> None:
    cuts = [Cut(uuid5(UUID(int=1), str(n)), f"sentence/{n + 1}/0", 50) for n in range(20)]
    wanted = {chunk_id(cut.document_id, cut.chunking, 7): cut for cut in cuts[::3]}
    nobodys = chunk_id(cuts[0].document_id, cuts[0].chunking, 50)
    found = find(cuts, {*wanted, nobodys})
    assert {id: (each.row, each.index) for id, each in found.items()} == {
        id: (cut, 7) for id, cut in wanted.items()
    }
