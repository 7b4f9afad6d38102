"""Which process folds and decides for a stream, by its state: the one list of them. Records nothing by itself."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from contracts.document import DocumentFetchRequested, DocumentSplitRequested
from contracts.export import ExportRequested
from contracts.generation import GenerationRequested, PlanDocument
from contracts.message import Event, Recorded
from contracts.processing import ProcessingRequested
from services.ledger import writing
from services.ledger.processes import arrivals, export, generation, generation_state, ingestion
from services.ledger.processes.arrivals import ArrivalState
from services.ledger.processes.decision import Decision
from services.ledger.processes.export import ExportState
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState, ProcessingState
from services.ledger.rows import Row
from shared.errors import GristmillError

if TYPE_CHECKING:
    from services.ledger.turn import Turn


BUGS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
)
"""What code raises that met what its writer did not think of."""


class Undecidable(Exception):
    """What follows for this job cannot be decided."""

    def __init__(self, job: UUID) -> None:
        super().__init__(str(job))
        self.job = job


@contextlib.contextmanager
def blamed(job: UUID) -> Iterator[None]:
    """Raise ``Undecidable`` for what the process of this job raises and nobody foresaw."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, GristmillError):
        raise
    except BUGS as problem:
        raise Undecidable(job) from problem


def fold(row: Row, recorded: Recorded[Event]) -> bool:
    """Let the process of a document or a job fold an event that concerns it; whether there is one."""
    match row.state:
        case DocumentState() | None if row.kind == "document":
            row.become(ingestion.evolve_document(row.state, recorded))
        case GenerationState() as state:
            row.become(generation_state.evolve(state, recorded))
        case ProcessingState() as state:
            row.become(ingestion.evolve(state, recorded))
        case ExportState() as state:
            row.become(export.evolve(state, recorded))
        case ArrivalState() as state:
            row.become(arrivals.evolve(state, recorded))
        case _:
            return False
    return True


async def decision(
    turn: "Turn", row: Row, documents: Sequence[PlanDocument] | None
) -> Decision[Any]:
    """What follows for a job. ``documents``: given when its process asked for them."""
    match row.state, await turn.request_of(row.stream):
        case GenerationState() as state, GenerationRequested() as request:
            return generation.decide(
                state,
                request,
                row.stream,
                credit=await turn.credit(row.tenant) if state.phase == "running" else 0,
                workers=max(1, turn.house.workers.get("generate", 1)),
                documents=documents,
                busy=await turn.busy(row.stream) if state.pause == "pausing" else 0,
                missing=await writing.missing_seeds(turn.connection, turn.house, row.stream, state),
            )
        case ProcessingState() as state, ProcessingRequested():
            return ingestion.decide(state)
        case ExportState() as state, ExportRequested() as request:
            return export.decide(state, request, row.stream)
        case (
            ArrivalState() as state,
            DocumentFetchRequested() | DocumentSplitRequested() as request,
        ):
            return arrivals.decide(state, request, row.stream)
        case _:
            raise LookupError(f"stream {row.stream} of kind {row.kind} is no job")
