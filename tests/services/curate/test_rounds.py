"""Later rounds ask about what no accepted evidence covers."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.generation import (
    PLAN_PAGE,
    GenerationSettings,
    PlannedDocument,
    PlanPage,
    Seed,
    Slot,
)
from services.curate.rounds import AVOID, FOCUS, Extension, extend, uncovered_sentences

SENTENCE = "The lock number {n} of the canal lifts ships over hill {n}. "
TEXT = "".join(SENTENCE.format(n=n) for n in range(12))
DOCUMENTS = (UUID(int=1), UUID(int=2))
KINDS = ("fact", "definition", "procedure")


def _page() -> PlanPage:
    """Two documents, three passages of four sentences in each."""
    size = TEXT.index("The lock number 4")
    cuts = [0, size, TEXT.index("The lock number 8"), len(TEXT)]
    seeds = tuple(
        Seed(
            index=n,
            round=1,
            sample=0,
            document_id=DOCUMENTS[n % 2],
            chunk_id=UUID(int=100 + n),
            chunk_index=n // 2,
            start=cuts[n // 2],
            end=cuts[n // 2 + 1],
            heading_path=("Locks",),
            page=None,
            slots=(Slot.model_validate({"kind": KINDS[n % 3]}),) * 2,
        )
        for n in range(6)
    )
    documents = tuple(
        PlannedDocument(
            document_id=document,
            name="locks.md",
            title="Locks",
            language="en",
            outline=(),
            summary="",
            text=BlobRef(kind="text", sha256="0" * 64, size=1, media="text/plain"),
        )
        for document in DOCUMENTS
    )
    return PlanPage(first=0, documents=documents, seeds=seeds)


def _round(
    covered: dict[UUID, list[tuple[int, int]]],
    questions: dict[UUID, list[str]] | None = None,
    wanted: int = 5,
) -> Extension:
    return extend(
        2,
        6,
        [_page()],
        covered,
        questions or {},
        dict.fromkeys(DOCUMENTS, TEXT),
        GenerationSettings(per_chunk=3),
        wanted,
    )


def test_every_sentence_covered_leaves_nothing_to_ask() -> None:
    covered = {seed.chunk_id: [(seed.start, seed.end)] for seed in _page().seeds}
    assert _round(covered) == Extension((), 0, 0, 0)


def test_a_seed_names_the_sentences_that_are_left() -> None:
    seed = _page().seeds[0]
    first = SENTENCE.format(n=0)
    covered = {other.chunk_id: [(other.start, other.end)] for other in _page().seeds[1:]}
    found = _round({**covered, seed.chunk_id: [(seed.start, seed.start + len(first))]})
    (page,) = found.pages
    (again,) = page.seeds
    assert found.uncovered == 3
    assert (again.index, again.round, again.sample, again.chunk_id) == (6, 2, 1, seed.chunk_id)
    assert [TEXT[span.start : span.end] for span in again.focus] == [
        SENTENCE.format(n=n).strip() for n in (1, 2, 3)
    ]
    assert len(again.slots) == 3
    assert [document.document_id for document in page.documents] == [seed.document_id]


def test_slots_are_others_than_in_the_round_before() -> None:
    (page,) = _round({}).pages
    before = [seed.slots[0].kind for seed in _page().seeds]
    assert all(seed.slots[0].kind != kind for seed, kind in zip(page.seeds, before, strict=True))


def test_questions_not_to_repeat_are_the_nearest_of_the_same_document() -> None:
    mine = [f"Which hill does lock {n} of the canal lift ships over?" for n in range(20)]
    questions = {
        DOCUMENTS[0]: ["What is bread made of?", *mine],
        DOCUMENTS[1]: ["Who sails ships?"],
    }
    (page,) = _round({}, questions).pages
    first = page.seeds[0]
    assert len(first.avoid) == AVOID
    assert set(first.avoid[:4]) == set(mine[:4])
    assert page.seeds[1].avoid == ("Who sails ships?",)


def test_documents_stay_spread_and_indexes_go_on() -> None:
    (page,) = _round({}).pages
    assert [seed.index for seed in page.seeds] == [6, 7, 8, 9, 10, 11]
    assert [seed.document_id for seed in page.seeds][:4] == [*DOCUMENTS, *DOCUMENTS]


def test_a_round_is_cut_into_pages_and_bounded_by_what_is_missing() -> None:
    page = _page()
    pages = [page] * 200
    found = extend(
        3, 50, pages, {}, {}, dict.fromkeys(DOCUMENTS, TEXT), GenerationSettings(per_chunk=1), 70
    )
    assert found.asked == found.seeds == 700
    assert [len(part.seeds) for part in found.pages] == [PLAN_PAGE, 200]
    assert found.pages[1].first == 50 + PLAN_PAGE
    assert found.uncovered == 200 * 24


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(1, 80)), max_size=12))
def test_focus_never_touches_what_is_covered(quotes: list[tuple[int, int]]) -> None:
    seed = _page().seeds[2]
    covered = [(start, start + length) for start, length in quotes]
    left = uncovered_sentences(seed, TEXT, covered)
    assert all(not (a <= s and e <= b) for s, e in left for a, b in covered)
    found = _round({seed.chunk_id: covered})
    assert all(len(one.focus) <= FOCUS for page in found.pages for one in page.seeds)
