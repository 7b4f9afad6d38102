"""How bytes become a document, or another name of one: submitted, fetched, or cut out of another one."""

from dataclasses import dataclass
from uuid import UUID

from contracts.blob import BlobRef
from contracts.document import DocumentAdded, DocumentDivided, DocumentFetched, DocumentNamed
from contracts.identity import document_id, event_id
from contracts.message import Event, Recorded
from services.ledger.processes.ingestion import DocumentState
from services.ledger.rows import Row
from services.ledger.turn import Turn


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file with its name."""

    project: UUID
    name: str
    blob: BlobRef
    upload: str | None = None
    url: str | None = None

    @property
    def document(self) -> UUID:
        return document_id(self.project, self.blob.sha256)


async def added(turn: Turn, tenant: str, file: Arrived) -> tuple[Row, Event]:
    """The stream of a file's document, made where it is new, and the event that says what the file is to it."""
    row = await turn.row(file.document)
    if row is not None and not is_gone(row):
        return row, DocumentNamed(
            document_id=file.document,
            project_id=file.project,
            name=file.name,
            upload_id=file.upload,
            reopened=isinstance(row.state, DocumentState) and row.state.status == "rejected",
        )
    row = row or turn.new_row(file.document, tenant, "document", project=file.project)
    return row, DocumentAdded(
        document_id=file.document,
        project_id=file.project,
        name=file.name,
        blob=file.blob,
        upload_id=file.upload,
        source_url=file.url,
    )


def is_gone(row: Row) -> bool:
    """Whether a document was deleted: its stream stays, for the case that it is submitted again."""
    return isinstance(row.state, DocumentState) and row.state.status == "deleted"


async def arrived(turn: Turn, tenant: str, recorded: Recorded[Event]) -> None:
    """Record the documents that an outcome brought."""
    for n, file in enumerate(_files(recorded.event)):
        row, event = await added(turn, tenant, file)
        said = turn.record(
            row, event, id=event_id(recorded.id, n), job=recorded.job_id, cause=recorded.id
        )
        if said is not None:
            await turn.fold(row, said)


def _files(event: Event) -> list[Arrived]:
    match event:
        case DocumentFetched():
            return [Arrived(event.project_id, event.name, event.blob, url=event.final_url)]
        case DocumentDivided():
            return [Arrived(event.project_id, part.name, part.blob) for part in event.parts]
        case _:
            return []
