"""The first round: every useful passage once, spread over documents, the same for the same input."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.document import Chunk, Heading, Structure
from contracts.generation import PLAN_PAGE, GenerationSettings, PlanDocument, Seed
from services.generate.planning import (
    DocumentForPlan,
    Plan,
    arrange,
    candidates,
    document_context,
    spread,
)
from services.generate.prompts.length import tokens

PROJECT = UUID(int=7)
REF = BlobRef(kind="text", sha256="0" * 64, size=0)
MODEL = GenerationSettings(model="openai/some-model")
WORDS = re.findall(
    r"\S+",
    "The lock of the canal lifts a ship to the lake by gravity, and water from the river fills"
    " its chambers between the gates, which engineers built of steel in the years before the war.",
)


def document(
    name: str, chunks: int, *, words: int = 120, language: str | None = "en", lead: str = ""
) -> DocumentForPlan:
    """A document of sections that are alike but for their numbers."""
    identity, text = uuid5(PROJECT, name), lead
    made: list[Chunk] = []
    headings: list[Heading] = []
    for index in range(chunks):
        start, heading = len(text), f"Part {index} of {name}"
        body = " ".join(WORDS[(index + place) % len(WORDS)] for place in range(words))
        text += f"## {heading}\n\n{body}.\n\n"
        headings.append(Heading(level=2, text=heading, start=start, end=start + 3 + len(heading)))
        made.append(
            Chunk(
                chunk_id=uuid5(identity, str(index)),
                index=index,
                start=start,
                end=len(text),
                heading_path=(heading,),
                page=None,
            )
        )
    return DocumentForPlan(
        document=PlanDocument(
            document_id=identity,
            name=f"{name}.md",
            language=language,
            text=BlobRef(kind="text", sha256=sha256(name.encode()).hexdigest(), size=0),
            structure=REF,
            table=REF,
            chunks=chunks,
        ),
        text=text,
        structure=Structure(title=name, language=language, headings=tuple(headings), pages=()),
        chunks=tuple(made),
    )


def plan_documents(documents: Sequence[DocumentForPlan], settings: GenerationSettings) -> Plan:
    """A plan with its pages made."""
    plan = arrange([candidates(document, settings) for document in documents], settings)
    return replace(plan, pages=tuple(plan.pages))


def seeds(plan: Plan) -> list[Seed]:
    return list(chain.from_iterable(page.seeds for page in plan.pages))


def test_every_useful_chunk_is_asked_about_once_and_the_figures_add_up() -> None:
    plan = plan_documents([document("canal", 7), document("tea", 3)], MODEL)

    assert len({seed.chunk_id for seed in seeds(plan)}) == 10
    assert plan.seeds + sum(plan.skipped.values()) == plan.chunks == 10
    assert plan.asked == sum(len(seed.slots) for seed in seeds(plan)) == 30
    assert [seed.index for seed in seeds(plan)] == list(range(10))
    assert {(seed.round, seed.sample) for seed in seeds(plan)} == {(1, 0)}


def test_a_preview_asks_what_the_whole_plan_asks_first() -> None:
    documents = [document("canal", 30), document("tea", 10)]
    whole = plan_documents(documents, MODEL)
    part = plan_documents(documents, MODEL.model_copy(update={"preview": 3}))

    assert seeds(part) == seeds(whole)[:3]
    assert (part.seeds, part.chunks, part.skipped) == (3, 40, whole.skipped)
    assert part.asked == sum(len(seed.slots) for seed in seeds(part))


def test_a_seed_keeps_the_context_of_its_chunk() -> None:
    made = document("canal", 2)
    chunks = tuple(
        c.model_copy(update={"context_start": c.start - 5 * c.index}) for c in made.chunks
    )
    plan = plan_documents([replace(made, chunks=chunks)], MODEL)
    assert {s.chunk_index: s.start - (s.context_start or 0) for s in seeds(plan)} == {0: 0, 1: 5}


def test_documents_come_up_in_proportion_to_their_chunks_from_the_start() -> None:
    plan = plan_documents([document("long", 90), document("short", 10), document("mid", 50)], MODEL)

    first = Counter(seed.document_id for seed in seeds(plan)[:30])

    for name, share in (("long", 18), ("short", 2), ("mid", 10)):
        assert abs(first[uuid5(PROJECT, name)] - share) <= 1


def test_the_first_seeds_of_a_document_lie_all_over_it() -> None:
    plan = plan_documents([document("canal", 64)], MODEL)

    for count in (4, 8, 16):
        quarters = Counter(seed.chunk_index // 16 for seed in seeds(plan)[:count])
        assert set(quarters.values()) == {count // 4}


@given(st.integers(0, 300), st.integers(0, 300))
def test_spreading_is_an_order_of_all(count: int, offset: int) -> None:
    assert sorted(spread(count, offset)) == list(range(count))


def test_the_same_input_gives_the_same_plan_and_another_seed_another_order() -> None:
    documents = [document("canal", 20), document("tea", 10)]

    once, again = plan_documents(documents, MODEL), plan_documents(documents, MODEL)
    other = plan_documents(documents, MODEL.model_copy(update={"seed": 1}))

    assert once == again
    assert [s.chunk_id for s in seeds(once)] != [s.chunk_id for s in seeds(other)]
    assert {s.chunk_id for s in seeds(once)} == {s.chunk_id for s in seeds(other)}


@pytest.mark.parametrize(("words", "asked"), [(30, 1), (79, 1), (85, 2), (130, 3), (900, 3)])
def test_a_short_passage_is_asked_for_less(words: int, asked: int) -> None:
    plan = plan_documents([document("canal", 1, words=words)], MODEL)

    assert plan.asked == asked


def test_a_summary_is_asked_for_once_and_only_of_long_passages() -> None:
    settings = MODEL.model_copy(update={"mode": "summarization"})

    long = plan_documents([document("canal", 3, words=400)], settings)
    short = plan_documents([document("canal", 3, words=80)], settings)

    assert (long.seeds, long.asked) == (3, 3)
    assert short.skipped == {"too_short": 3}


def test_the_same_files_in_another_project_are_asked_the_same() -> None:
    here, there = document("canal", 9), document("canal", 9)
    other = there.document.model_copy(update={"document_id": UUID(int=5)})
    chunks = tuple(
        chunk.model_copy(update={"chunk_id": UUID(int=chunk.index)}) for chunk in there.chunks
    )
    there = DocumentForPlan(other, there.text, there.structure, chunks)
    one, two = (seeds(plan_documents([each], MODEL)) for each in (here, there))
    assert [(seed.start, seed.slots) for seed in one] == [(seed.start, seed.slots) for seed in two]


def test_a_page_holds_so_many_seeds_and_the_documents_that_they_need() -> None:
    documents = [document(f"d{n}", 130, words=30) for n in range(8)]

    plan = plan_documents(documents, MODEL)

    assert [page.first for page in plan.pages] == [0, PLAN_PAGE, 2 * PLAN_PAGE]
    assert [len(page.seeds) for page in plan.pages] == [500, 500, 40]
    assert (plan.seeds, plan.asked) == (1040, sum(len(each.slots) for each in seeds(plan)))
    for page in plan.pages:
        assert {d.document_id for d in page.documents} == {s.document_id for s in page.seeds}


def test_no_useful_chunk_makes_an_empty_plan() -> None:
    plan = plan_documents([document("canal", 4, words=5)], MODEL)

    assert (plan.pages, plan.seeds, plan.asked) == ((), 0, 0)
    assert plan.skipped == {"too_short": 4}
    assert plan_documents([], MODEL) == Plan((), 0, 0, 0, {})


@pytest.mark.parametrize(("language", "seeds_made"), [("en", 4), ("de", 0), (None, 4)])
def test_the_built_in_model_is_asked_about_english_only(
    language: str | None, seeds_made: int
) -> None:
    plan = plan_documents([document("canal", 4, language=language)], GenerationSettings())

    assert plan.seeds == seeds_made
    assert plan.skipped == ({} if seeds_made else {"language_not_supported": 4})


def test_a_language_that_nobody_could_tell_is_judged_by_its_words() -> None:
    german = document("kanal", 4, language=None)
    words = "Der Kanal verbindet die Nordsee mit der Ostsee und wird oft befahren. " * 200
    german = DocumentForPlan(german.document, words, german.structure, german.chunks)

    assert plan_documents([german], GenerationSettings()).skipped == {"language_not_supported": 4}
    assert "language_not_supported" not in plan_documents([german], MODEL).skipped


def test_distractors_are_planned_only_where_they_are_asked_for() -> None:
    documents = [document("canal", 12)]
    settings = MODEL.model_copy(update={"context": "distractors"})

    without, with_them = plan_documents(documents, MODEL), plan_documents(documents, settings)

    assert not any(seed.distractors for seed in seeds(without))
    for seed in seeds(with_them):
        assert len(seed.distractors) <= 4
        assert all(span.end <= seed.start or span.start >= seed.end for span in seed.distractors)


def test_a_document_is_introduced_by_title_outline_and_first_prose() -> None:
    lead = (
        "# Canal\n\n![a ship](ship.png)\n\n- a list\n\n**The canal** joins [two](x) oceans and is"
        " old. It was opened in 1914! Ships use it. Others do not.\n\n"
    )

    planned = document_context(document("Canal", 3, lead=lead))

    assert planned.title == "Canal"
    assert planned.outline == ("Part 0 of Canal", "Part 1 of Canal", "Part 2 of Canal")
    assert planned.summary == (
        "The canal joins two oceans and is old. It was opened in 1914! Ships use it."
    )


def test_an_outline_of_any_length_and_a_text_without_prose_fit_a_prompt() -> None:
    planned = document_context(document("Canal", 300, words=0))

    assert 0 < sum(map(tokens, planned.outline)) <= 120
    assert planned.summary.startswith("Canal; Part 0 of Canal; ")
    assert len(planned.summary) < 500


def test_chunks_that_were_deleted_are_not_asked_about() -> None:
    whole, emptied = document("a", 6), document("b", 3)
    fewer = replace(whole, chunks=whole.chunks[:2] + whole.chunks[3:])
    plan = plan_documents([fewer, replace(emptied, chunks=())], MODEL)
    asked = {seed.chunk_id for page in plan.pages for seed in page.seeds}
    assert asked == {chunk.chunk_id for chunk in fewer.chunks}
