"""Distractors are near in words, elsewhere in the document, and not the same again."""

from uuid import UUID, uuid5

from contracts.document import Chunk
from services.generate.distractors import distractors

SUBJECTS = {
    "gatun": "The Gatun locks lift ships in three steps to the lake; each chamber is flooded by gravity.",
    "miraflores": "The Miraflores locks lift ships in two steps; the chamber nearest the sea has tall gates.",
    "pedro": "The Pedro Miguel locks have one step between the lake Miraflores and the cut.",
    "tolls": "Tolls are paid by weight, and the highest of them was charged for a container vessel.",
    "mosquito": "Mosquitoes carried malaria, and draining the marshes ended the fever among workers.",
    "railway": "A railway crossed the isthmus before, and workers came by it from the port of Colon.",
}


def document(parts: list[str]) -> tuple[str, list[Chunk]]:
    text, chunks = "", []
    for index, part in enumerate(parts):
        identity = uuid5(UUID(int=0), str(index))
        start = len(text)
        text += part + "\n"
        chunks.append(
            Chunk(
                chunk_id=identity,
                index=index,
                start=start,
                end=len(text),
                heading_path=(),
                page=None,
            )
        )
    return text, chunks


def test_each_passage_gets_two_to_four_others_with_the_nearest_first() -> None:
    text, chunks = document(list(SUBJECTS.values()))

    found = distractors(chunks, text)

    for chunk, spans in zip(chunks, found, strict=True):
        assert 2 <= len(spans) <= 4
        assert len(set(spans)) == len(spans)
        assert all(span.end <= chunk.start or span.start >= chunk.end for span in spans)
    assert "Miraflores" in text[found[0][0].start : found[0][0].end]


def test_overlapping_and_equal_passages_are_no_distractors() -> None:
    text, chunks = document([*SUBJECTS.values(), SUBJECTS["gatun"]])
    wide = chunks[0].model_copy(update={"end": chunks[1].end})

    spans = distractors([wide, *chunks[1:]], text)[0]
    same = distractors(chunks, text)[0]

    assert all(span.start >= chunks[1].end for span in spans)
    assert chunks[-1].start not in {span.start for span in same}


def test_a_document_of_one_passage_has_none() -> None:
    text, chunks = document(["Only one passage stands here."])

    assert distractors(chunks, text) == [()]
    assert distractors([], "") == []


def test_the_same_document_gives_the_same_distractors() -> None:
    text, chunks = document(list(SUBJECTS.values()) * 3)

    assert distractors(chunks, text) == distractors(chunks, text)
