"""The job of one more format as a pure process: given what happened, what follows."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from contracts.blob import BlobRef
from contracts.dataset import DatasetExported, ExportDataset
from contracts.export import ExportRequested
from contracts.identity import GRISTMILL, dataset_id, unit_id
from contracts.job import JobCancelled, JobCancelling, JobCompleted, JobFailed
from contracts.message import Event, Recorded
from contracts.unit import UnitFailed
from services.ledger.processes import export
from services.ledger.processes.export import ExportState

JOB, SOURCE = uuid5(GRISTMILL, "export"), uuid5(GRISTMILL, "source")
PLAN = BlobRef(kind="plan", sha256="a" * 64, size=1)
REQUEST = ExportRequested(dataset_id=dataset_id(SOURCE), format="alpaca")
ASKED = ExportState(source_job=SOURCE, head=7, plan=(PLAN,), name="tea")
EXPORTED = DatasetExported(
    dataset_id=dataset_id(SOURCE), format="alpaca", batch_size=0, head=7, files=(), entries=0
)
FAILED = UnitFailed(unit_id=JOB, command="x", code="disk_full", message="No room.")


def told(state: ExportState, *events: Event) -> ExportState:
    for event in events:
        recorded = Recorded[Event](
            event=event,
            id=UUID(int=1),
            stream=JOB,
            version=1,
            position="1.1",
            tenant="default",
            job_id=JOB,
            cause_id=None,
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        state = export.evolve(state, recorded)
    return state


def test_a_format_is_written_once_as_one_whole_file() -> None:
    decision = export.decide(ASKED, REQUEST, JOB)
    assert decision.events == ()
    [command] = decision.commands
    assert command == ExportDataset(
        job_id=JOB,
        units=(unit_id(JOB, "export/alpaca"),),
        dataset_id=dataset_id(SOURCE),
        head=7,
        plan=(PLAN,),
        format="alpaca",
        batch_size=0,
        source_job_id=SOURCE,
        name="tea",
    )
    again = export.decide(decision.state, REQUEST, JOB)
    assert (again.commands, again.events, again.state) == ((), (), decision.state)


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((EXPORTED,), JobCompleted()),
        ((FAILED,), JobFailed(code="disk_full", message="No room.")),
        ((JobCancelling(),), JobCancelled()),
        ((JobCancelling(), EXPORTED), JobCompleted()),
        ((JobCancelling(), FAILED), JobFailed(code="disk_full", message="No room.")),
    ],
)
def test_a_job_ends_once_as_its_unit_did(events: tuple[Event, ...], end: Event) -> None:
    state = told(export.decide(ASKED, REQUEST, JOB).state, *events)
    decision = export.decide(state, REQUEST, JOB)
    assert (decision.events, decision.commands) == ((end,), ())
    ended = export.decide(told(decision.state, end), REQUEST, JOB)
    assert ended.ended
    assert (ended.events, ended.commands) == ((), ())


def test_a_job_that_is_cancelled_before_it_began_writes_nothing() -> None:
    decision = export.decide(told(ASKED, JobCancelling()), REQUEST, JOB)
    assert (decision.events, decision.commands) == ((JobCancelled(),), ())
