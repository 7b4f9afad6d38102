"""Documents and the jobs that process them as pure processes: given what happened, what follows."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.document import (
    ChunkDocument,
    Chunking,
    DocumentAdded,
    DocumentChunked,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
    ParseDocument,
)
from contracts.identity import GRISTMILL
from contracts.job import JobCancelled, JobCancelling, JobCompleted, JobFailed, JobStarted
from contracts.message import Event, Recorded
from contracts.processing import ProcessingRequested
from contracts.unit import UnitFailed
from services.ledger.processes import ingestion
from services.ledger.processes.ingestion import DocumentState, ProcessingState

DOCUMENT, PROJECT = uuid5(GRISTMILL, "document"), uuid5(GRISTMILL, "project")
BLOB = BlobRef(kind="upload", sha256="a" * 64, size=1)
SMALL, LARGE = Chunking(strategy="character", size=10), Chunking(strategy="character", size=99)
ADDED = DocumentAdded(
    document_id=DOCUMENT, project_id=PROJECT, name="a.txt", blob=BLOB, upload_id=None
)
PARSED = DocumentParsed(
    document_id=DOCUMENT, project_id=PROJECT, text=BLOB, structure=BLOB, title="A", language="en",
    pages=None, characters=9, words=2, parser="x/1",
)  # fmt: skip
REJECTED = DocumentRejected(
    document_id=DOCUMENT, project_id=PROJECT, stage="parse", code="empty", message="No text."
)


def chunked(chunking: Chunking, chunks: int = 3) -> DocumentChunked:
    return DocumentChunked(
        document_id=DOCUMENT, project_id=PROJECT, chunking=chunking, table=BLOB, chunks=chunks
    )


def recorded(event: Event, version: int = 1) -> Recorded[Event]:
    return Recorded[Event](
        event=event,
        id=UUID(int=version),
        stream=DOCUMENT,
        version=version,
        position=f"1.{version}",
        tenant="default",
        job_id=None,
        cause_id=None,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def document(*events: Event) -> DocumentState:
    state: DocumentState | None = None
    for version, event in enumerate((ADDED, *events), 1):
        state = ingestion.evolve_document(state, recorded(event, version))
    assert state is not None
    return state


def asked(state: DocumentState, *ways: Chunking | None) -> DocumentState:
    for way in ways:
        state = ingestion.want(state, way)
    return state


def step(state: DocumentState) -> tuple[DocumentState, ParseDocument | ChunkDocument | None]:
    decision = ingestion.decide_document(state, DOCUMENT)
    assert decision.events == ()
    assert len(decision.commands) <= 1
    for command in decision.commands:
        assert isinstance(command, ParseDocument | ChunkDocument)
        return decision.state, command
    return decision.state, None


def test_a_document_that_nobody_asked_for_rests() -> None:
    state = document()
    assert step(state) == (state, None)
    assert not ingestion.is_settled(state)


def test_a_document_is_parsed_and_then_cut() -> None:
    state, parse = step(asked(document(), SMALL))
    assert isinstance(parse, ParseDocument)
    assert (parse.blob, parse.name, parse.job_id) == (BLOB, "a.txt", DOCUMENT)
    assert step(state) == (state, None)

    after = ingestion.evolve_document(state, recorded(PARSED))
    assert after is not None
    state, cut = step(after)
    assert isinstance(cut, ChunkDocument)
    assert (cut.chunking, cut.text) == (SMALL, BLOB)
    assert step(state) == (state, None)

    end = ingestion.evolve_document(state, recorded(chunked(SMALL)))
    assert end is not None
    assert ingestion.is_settled(end)
    assert step(end) == (end, None)
    plan = ingestion.plan_document(end, DOCUMENT, None)
    assert plan is not None
    assert (plan.chunks, plan.language, plan.name) == (3, "en", "a.txt")


def test_each_job_gets_the_cut_that_it_asked_for_and_others_the_newest() -> None:
    state = document()
    other = BLOB.model_copy(update={"sha256": "1" * 64})
    for event in (PARSED, chunked(SMALL), chunked(LARGE).model_copy(update={"table": other})):
        after = ingestion.evolve_document(state, recorded(event))
        assert after is not None
        state = after

    def table(chunking: Chunking | None) -> BlobRef | None:
        plan = ingestion.plan_document(state, DOCUMENT, chunking)
        return plan.table if plan else None

    assert [table(SMALL), table(LARGE), table(None), table(Chunking())] == [
        BLOB,
        other,
        other,
        other,
    ]


def test_a_document_remembers_a_few_cuts_only() -> None:
    state = document()
    for size in range(1, 20):
        event = chunked(Chunking(strategy="character", size=size))
        after = ingestion.evolve_document(state, recorded(event))
        assert after is not None
        state = after
    assert len(state.cuts) == ingestion.MOST_CUTS
    assert state.cuts[-1].key == "character/19/0"


def test_a_document_that_is_to_be_parsed_only_is_settled_when_it_is() -> None:
    state, parse = step(asked(document(), None))
    assert isinstance(parse, ParseDocument)
    after = ingestion.evolve_document(state, recorded(PARSED))
    assert after is not None
    assert step(after) == (after, None)
    assert ingestion.is_settled(after)
    assert ingestion.plan_document(after, DOCUMENT, None) is None


def test_a_document_that_is_cut_so_already_is_settled_at_once() -> None:
    state = document(PARSED, chunked(SMALL))
    assert ingestion.is_settled(asked(state, SMALL))
    assert ingestion.is_settled(asked(state, None))
    assert not ingestion.is_settled(asked(state, LARGE))


@pytest.mark.parametrize("events", [(), (PARSED,), (PARSED, chunked(SMALL))])
def test_a_rejected_document_stays_so_and_asks_for_nothing(events: Sequence[Event]) -> None:
    state = document(*events, REJECTED)
    assert (state.status, state.code, state.message) == ("rejected", "empty", "No text.")
    assert ingestion.is_settled(state)
    assert step(asked(state, SMALL, None)) == (state, None)


def test_another_name_changes_nothing() -> None:
    named = DocumentNamed(document_id=DOCUMENT, project_id=PROJECT, name="b.txt", upload_id=None)
    assert document(named) == document()


def test_nothing_is_known_of_a_document_before_it_was_added() -> None:
    assert ingestion.evolve_document(None, recorded(PARSED)) is None


@pytest.mark.parametrize(
    ("command", "stage"),
    [("gristmill.document.parse.v1", "parse"), ("gristmill.document.chunk.v1", "chunk")],
)
def test_a_unit_that_fails_without_a_word_of_its_own_rejects_its_document(
    command: str, stage: str
) -> None:
    failed = UnitFailed(unit_id=DOCUMENT, command=command, code="worker_lost", message="Lost.")
    rejected = ingestion.rejection(document(), DOCUMENT, failed)
    assert (rejected.stage, rejected.code, rejected.message) == (stage, "worker_lost", "Lost.")
    assert (rejected.document_id, rejected.project_id) == (DOCUMENT, PROJECT)


WAYS = st.sampled_from([None, SMALL, LARGE, Chunking(), Chunking(strategy="sentence", size=5)])


@given(
    st.lists(st.one_of(WAYS.map(lambda way: ("ask", way)), st.just(("done", None))), max_size=30)
)
def test_whatever_is_asked_when_all_of_it_is_done_once_and_one_thing_at_a_time(
    course: list[tuple[str, Chunking | None]],
) -> None:
    state, working, units, cuts = document(), None, [], list[Chunking]()
    wanted = set[Chunking]()
    for what, way in [*course, *[("done", None)] * 30]:
        if what == "ask":
            before = state
            state = ingestion.want(state, way)
            if way is not None and not ingestion.is_cut(before, way):
                wanted.add(way)
        elif working is not None:
            outcome: Event = (
                PARSED if isinstance(working, ParseDocument) else chunked(working.chunking)
            )
            if isinstance(working, ChunkDocument):
                cuts.append(working.chunking)
            after = ingestion.evolve_document(state, recorded(outcome))
            assert after is not None
            state, working = after, None
        state, command = step(state)
        if command is not None:
            assert working is None
            working = command
            units.append(command.units[0])
    assert len(set(units)) == len(units)
    assert set(cuts) == wanted
    assert all(first != second for first, second in itertools.pairwise(cuts))
    assert ingestion.is_settled(state) == any(what == "ask" for what, _ in course)


# -- jobs ------------------------------------------------------------------------------------------

REQUEST = ProcessingRequested(project_id=PROJECT, document_ids=(DOCUMENT,))


def told(state: ProcessingState, event: Event) -> ProcessingState:
    return ingestion.evolve(state, recorded(event))


def decided(state: ProcessingState) -> tuple[Event, ...]:
    decision = ingestion.decide(state)
    assert decision.commands == ()
    return decision.events


def test_a_job_starts_waits_for_its_documents_and_completes() -> None:
    state = ingestion.start(REQUEST, documents=2, waiting=2)
    assert decided(state) == (JobStarted(documents=2),)
    state = told(state, JobStarted(documents=2))
    assert decided(state) == ()
    state = ingestion.settled(state, document(PARSED, chunked(SMALL)))
    assert decided(state) == ()
    state = ingestion.settled(state, document(REJECTED))
    assert decided(state) == (JobCompleted(),)
    state = told(state, JobCompleted())
    assert ingestion.decide(state).ended
    assert decided(state) == ()


def test_a_job_fails_with_the_first_reason_when_no_document_could_be_used() -> None:
    state = told(ingestion.start(REQUEST, documents=2, waiting=2), JobStarted(documents=2))
    other = REJECTED.model_copy(update={"code": "password_protected", "message": "Locked."})
    state = ingestion.settled(state, document(REJECTED))
    state = ingestion.settled(state, document(other))
    assert decided(state) == (JobFailed(code="empty", message="No text."),)


def test_a_job_that_is_cancelled_waits_for_nothing() -> None:
    state = told(ingestion.start(REQUEST, documents=2, waiting=2), JobCancelling())
    assert decided(state) == (JobCancelled(),)


def test_what_does_not_concern_a_job_changes_nothing() -> None:
    state = ingestion.start(REQUEST, documents=1, waiting=1)
    assert told(state, PARSED) is state
