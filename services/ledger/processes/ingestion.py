"""Documents, from submitted bytes to chunks, and the jobs that only parse and chunk.

A document is parsed once and chunked once for each way of cutting that was asked for; every job that needs it waits
for the same work. The newest chunking is the document's own until another is asked for.
"""

from typing import Literal
from uuid import UUID

from pydantic import field_validator

from contracts.blob import BlobRef
from contracts.chunks import ChunksDeleted
from contracts.document import (
    ChunkDocument,
    Chunking,
    DocumentAdded,
    DocumentChunked,
    DocumentDeleted,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
    DocumentReopened,
    ParseDocument,
)
from contracts.generation import PlanDocument
from contracts.identity import unit_id
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCompleted,
    JobFailed,
    JobRestarted,
    JobStarted,
)
from contracts.message import Event, Message, Recorded
from contracts.processing import ProcessingRequested
from contracts.unit import UnitFailed
from services.ledger.processes.decision import Decision

MOST_CUTS = 8
"""Chunk tables that a document's state remembers, the newest last."""


class Cut(Message):
    """A chunk table, and the way in which it was cut."""

    key: str
    table: BlobRef
    chunks: int


class DocumentState(Message):
    project_id: UUID
    name: str
    blob: BlobRef
    status: Literal["added", "parsed", "chunked", "rejected", "deleted"] = "added"
    asked: bool = False
    """Some job wants it; a document that was only submitted rests."""
    working: Literal["parse", "chunk"] | None = None
    wanted: tuple[Chunking, ...] = ()
    """The ways in which it is to be cut as soon as it is parsed, one after the other."""
    text: BlobRef | None = None
    structure: BlobRef | None = None
    language: str | None = None
    chunking: Chunking | None = None
    table: BlobRef | None = None
    chunks: int = 0
    cuts: tuple[Cut, ...] = ()
    """For jobs that asked for a way of their own while others ask for theirs."""
    pruned: bool = False
    """Chunks were deleted from the table; whoever asks for the same cut again gets it whole."""
    steps: int = 0
    """Commands issued for it, so that cutting it again in an earlier way is a unit of its own; deleting it and
    submitting it again does not begin to count anew.
    """
    code: str | None = None
    message: str | None = None

    @field_validator("wanted", mode="before")
    @classmethod
    def _of_an_older_version(cls, found: object) -> object:
        """Which kept at most one way, or none."""
        return found if isinstance(found, list | tuple) else () if found is None else (found,)


def evolve_document(state: DocumentState | None, recorded: Recorded[Event]) -> DocumentState | None:
    """Fold one event of a document's stream; None before it was added."""
    event = recorded.event
    if isinstance(event, DocumentAdded):
        return _begun(event.project_id, event.name, event.blob, state)
    if state is None or state.status == "deleted":
        return state
    match event:
        case DocumentNamed() if event.reopened:
            return _begun(state.project_id, event.name, state.blob, state)
        case DocumentReopened():
            return _begun(state.project_id, state.name, state.blob, state)
        case DocumentDeleted():
            gone = _begun(state.project_id, state.name, state.blob, state)
            return gone.model_copy(update={"status": "deleted"})
        case DocumentParsed():
            return state.model_copy(
                update={
                    "status": "parsed",
                    "working": None,
                    "text": event.text,
                    "structure": event.structure,
                    "language": event.language,
                }
            )
        case DocumentChunked():
            return _chunked(state, event)
        case ChunksDeleted():
            return state.model_copy(
                update={
                    "table": event.table,
                    "chunks": event.chunks,
                    "cuts": _with_cut(state.cuts, event),
                    "pruned": True,
                }
            )
        case DocumentRejected():
            return state.model_copy(
                update={
                    "status": "rejected",
                    "working": None,
                    "wanted": (),
                    "code": event.code,
                    "message": event.message,
                }
            )
        case _:
            return state


def _begun(project: UUID, name: str, blob: BlobRef, before: DocumentState | None) -> DocumentState:
    """A document as it begins, or begins anew: only the count of its commands goes on."""
    steps = before.steps if before else 0
    return DocumentState(project_id=project, name=name, blob=blob, steps=steps)


def _chunked(state: DocumentState, event: DocumentChunked) -> DocumentState:
    return state.model_copy(
        update={
            "status": "chunked",
            "working": None,
            "wanted": tuple(each for each in state.wanted if each != event.chunking),
            "chunking": event.chunking,
            "table": event.table,
            "chunks": event.chunks,
            "cuts": _with_cut(state.cuts, event),
            "pruned": False,
        }
    )


def _with_cut(cuts: tuple[Cut, ...], event: DocumentChunked | ChunksDeleted) -> tuple[Cut, ...]:
    made = Cut(key=event.chunking.key(), table=event.table, chunks=event.chunks)
    return (*(each for each in cuts if each.key != made.key), made)[-MOST_CUTS:]


def rejection(state: DocumentState, document: UUID, failed: UnitFailed) -> DocumentRejected:
    """A unit of a document that failed without a word of its own makes the document unusable."""
    stage: Literal["parse", "chunk"] = "chunk" if "chunk" in failed.command else "parse"
    return DocumentRejected(
        document_id=document,
        project_id=state.project_id,
        stage=stage,
        code=failed.code,
        message=failed.message,
    )


def want(state: DocumentState, chunking: Chunking | None, *, whole: bool = False) -> DocumentState:
    """Ask for a document to be parsed (None) or cut in some way; ``whole``: with the chunks that were deleted since."""
    if state.status == "rejected":
        return state
    wanted = state.wanted
    if chunking is not None and chunking not in wanted and not is_cut(state, chunking, whole=whole):
        wanted = (*wanted, chunking)
    return state.model_copy(update={"asked": True, "wanted": wanted})


MACHINE_REASONS = frozenset(
    (
        *("worker_lost", "internal_error", "unavailable", "unrecordable", "ocr_not_available"),
        *("parse_timeout", "parse_memory", "parse_crashed"),
    )
)
"""Codes of rejections that may be owed to the machine of that day rather than to the document."""


def may_be_reopened(state: DocumentState) -> bool:
    """Whether asking for it to be processed gives it another try; one that is itself bad has to be handed over anew."""
    return state.status == "rejected" and state.code in MACHINE_REASONS


def is_cut(state: DocumentState, chunking: Chunking | None, *, whole: bool = False) -> bool:
    """Whether it was cut in this way, and, if ``whole``, has all the chunks of it; None asks for no cut."""
    lacks = state.status != "chunked" or (whole and state.pruned)
    return chunking is None or (not lacks and chunking == state.chunking)


def is_settled(state: DocumentState) -> bool:
    """Nothing more is to be done for it."""
    return state.status in ("rejected", "deleted") or (
        state.working is None and not state.wanted and state.status != "added"
    )


def decide_document(state: DocumentState, document: UUID) -> Decision[DocumentState]:
    """The next step towards what is wanted, if none is under way."""
    if not state.asked or state.working is not None or state.status in ("rejected", "deleted"):
        return Decision(state)
    if state.text is None or state.structure is None:
        parse = ParseDocument(
            job_id=document,
            units=(unit_id(document, f"parse/{state.steps}"),),
            document_id=document,
            project_id=state.project_id,
            name=state.name,
            blob=state.blob,
        )
        return Decision(
            state.model_copy(update={"working": "parse", "steps": state.steps + 1}),
            commands=(parse,),
        )
    if not state.wanted:
        return Decision(state)
    chunk = ChunkDocument(
        job_id=document,
        units=(unit_id(document, f"chunk/{state.steps}"),),
        document_id=document,
        project_id=state.project_id,
        text=state.text,
        structure=state.structure,
        chunking=state.wanted[0],
    )
    return Decision(
        state.model_copy(update={"working": "chunk", "steps": state.steps + 1}), commands=(chunk,)
    )


def plan_document(
    state: DocumentState, document: UUID, chunking: Chunking | None
) -> PlanDocument | None:
    """A document as the planner needs it, cut as ``chunking`` says (None: as it was last); None: it cannot be used."""
    if state.text is None or state.structure is None or state.table is None:
        return None
    newest = Cut(key="", table=state.table, chunks=state.chunks)
    key = chunking.key() if chunking is not None else None
    cut = next((each for each in state.cuts if each.key == key), newest)
    return PlanDocument(
        document_id=document,
        name=state.name,
        language=state.language,
        text=state.text,
        structure=state.structure,
        table=cut.table,
        chunks=cut.chunks,
    )


class ProcessingState(Message):
    phase: Literal["waiting", "ended"] = "waiting"
    documents: int
    waiting: int
    rejected: int = 0
    started: bool = False
    cancelling: bool = False
    refusal: tuple[str, str] | None = None
    """Code and message of the first document that was rejected."""


def start(_request: ProcessingRequested, *, documents: int, waiting: int) -> ProcessingState:
    return ProcessingState(documents=documents, waiting=waiting)


def settled(state: ProcessingState, document: DocumentState) -> ProcessingState:
    refused = document.status == "rejected"
    refusal = (document.code or "", document.message or "") if refused else None
    return state.model_copy(
        update={
            "waiting": state.waiting - 1,
            "rejected": state.rejected + refused,
            "refusal": state.refusal or refusal,
        }
    )


def evolve(state: ProcessingState, recorded: Recorded[Event]) -> ProcessingState:
    match recorded.event:
        case JobStarted():
            return state.model_copy(update={"started": True})
        case JobCancelling():
            return state.model_copy(update={"cancelling": True})
        case JobCompleted() | JobFailed() | JobCancelled():
            return state.model_copy(update={"phase": "ended"})
        case JobRestarted() as event:
            return ProcessingState(documents=event.documents, waiting=event.waiting)
        case _:
            return state


def decide(state: ProcessingState) -> Decision[ProcessingState]:
    """A job of documents ends when all of them are settled; it fails only when none could be used."""
    if state.phase == "ended":
        return Decision(state, ended=True)
    if state.cancelling:
        return Decision(state, events=(JobCancelled(),))
    if not state.started:
        return Decision(state, events=(JobStarted(documents=state.documents),))
    if state.waiting:
        return Decision(state)
    if state.refusal is not None and state.rejected == state.documents:
        code, message = state.refusal
        return Decision(state, events=(JobFailed(code=code, message=message),))
    return Decision(state, events=(JobCompleted(),))
