"""What may be said in Gristmill: every request, event and command, by wire type.

Nouns name files, ``message.py`` holds the naming and versioning rules. Imports pydantic and the standard library only.
"""

from contracts.call import CallSettled
from contracts.chunks import ChunksDeleted, ChunksDeletionRequested
from contracts.dataset import (
    CloseDataset,
    DatasetCompleted,
    DatasetDeleted,
    DatasetDeletionRequested,
    DatasetExported,
    ExportDataset,
)
from contracts.document import (
    ChunkDocument,
    DivideDocument,
    DocumentAdded,
    DocumentChunked,
    DocumentDeleted,
    DocumentDeletionRequested,
    DocumentDivided,
    DocumentFetched,
    DocumentFetchRequested,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
    DocumentReopened,
    DocumentSplitRequested,
    DocumentSubmitted,
    FetchDocument,
    ParseDocument,
)
from contracts.entries import (
    AdmitEntries,
    CurateEntries,
    EntriesAdmitted,
    EntriesCurated,
    EntriesGenerated,
    GenerateEntries,
)
from contracts.export import ExportRequested
from contracts.generation import (
    ExtendGeneration,
    GenerationExtended,
    GenerationPlanned,
    GenerationRequested,
    PlanGeneration,
)
from contracts.job import (
    JobCancelled,
    JobCancelling,
    JobCancelRequested,
    JobCompleted,
    JobContinued,
    JobFailed,
    JobForked,
    JobForkRequested,
    JobPaused,
    JobPauseRequested,
    JobPausing,
    JobRestarted,
    JobRestartRequested,
    JobResumed,
    JobResumeRequested,
    JobStarted,
    JobWaiting,
)
from contracts.letter import (
    LetterDropped,
    LetterDropRequested,
    LetterRetried,
    LetterRetryRequested,
)
from contracts.message import Command, Event, Request, wire_type
from contracts.model import ModelAnswered
from contracts.processing import ProcessingRequested
from contracts.project import (
    ProjectCreated,
    ProjectDeleted,
    ProjectDeletionRequested,
    ProjectRequested,
    ProjectUpdated,
    ProjectUpdateRequested,
)
from contracts.result import ResultIgnored
from contracts.unit import UnitDeferred, UnitFailed, UnitFinished

REQUESTS: dict[str, type[Request]] = {
    wire_type(cls): cls
    for cls in (
        ProjectRequested,
        ProjectUpdateRequested,
        ProjectDeletionRequested,
        DocumentSubmitted,
        DocumentDeletionRequested,
        ChunksDeletionRequested,
        DatasetDeletionRequested,
        DocumentFetchRequested,
        DocumentSplitRequested,
        ProcessingRequested,
        GenerationRequested,
        ExportRequested,
        JobCancelRequested,
        JobRestartRequested,
        JobPauseRequested,
        JobResumeRequested,
        LetterRetryRequested,
        LetterDropRequested,
        JobForkRequested,
    )
}
"""What the outside world may ask."""

EVENTS: dict[str, type[Event]] = REQUESTS | {
    wire_type(cls): cls
    for cls in (
        ProjectCreated,
        ProjectUpdated,
        ProjectDeleted,
        DocumentAdded,
        DocumentNamed,
        DocumentReopened,
        DocumentFetched,
        DocumentDivided,
        DocumentParsed,
        DocumentRejected,
        DocumentChunked,
        DocumentDeleted,
        ChunksDeleted,
        GenerationPlanned,
        GenerationExtended,
        EntriesGenerated,
        EntriesCurated,
        EntriesAdmitted,
        DatasetCompleted,
        DatasetExported,
        DatasetDeleted,
        CallSettled,
        UnitFailed,
        ResultIgnored,
        JobStarted,
        JobWaiting,
        JobResumed,
        JobCancelling,
        JobCancelled,
        JobCompleted,
        JobFailed,
        JobRestarted,
        JobPausing,
        JobPaused,
        JobContinued,
        LetterRetried,
        LetterDropped,
        JobForked,
    )
}
"""What the log may hold (requests are events of it)."""

REPORTS: dict[str, type[Event]] = {
    wire_type(cls): cls for cls in (UnitFinished, UnitDeferred, ModelAnswered)
}
"""What workers say on INBOX."""

COMMANDS: dict[str, type[Command]] = {
    wire_type(cls): cls
    for cls in (
        FetchDocument,
        DivideDocument,
        ParseDocument,
        ChunkDocument,
        PlanGeneration,
        ExtendGeneration,
        GenerateEntries,
        CurateEntries,
        AdmitEntries,
        CloseDataset,
        ExportDataset,
    )
}
"""What the ledger may ask of a service."""

SERVICES: dict[type[Command], str] = {
    FetchDocument: "ingest",
    DivideDocument: "ingest",
    ParseDocument: "ingest",
    ChunkDocument: "chunk",
    PlanGeneration: "generate",
    GenerateEntries: "generate",
    CurateEntries: "curate",
    AdmitEntries: "curate",
    ExtendGeneration: "curate",
    CloseDataset: "curate",
    ExportDataset: "export",
}
"""Which service does a command."""

SAYS: dict[str, tuple[type[Event], ...]] = {
    "ingest": (DocumentFetched, DocumentDivided, DocumentParsed, DocumentRejected, UnitFailed),
    "chunk": (DocumentChunked, DocumentRejected, UnitFailed),
    "generate": (GenerationPlanned, EntriesGenerated, UnitFailed),
    "curate": (EntriesCurated, EntriesAdmitted, GenerationExtended, DatasetCompleted, UnitFailed),
    "export": (DatasetExported, UnitFailed),
}
"""Which outcomes each service may say; the ledger records no others from it."""

SAYS_BESIDES: dict[str, tuple[type[Event], ...]] = {
    "gateway": tuple(REQUESTS.values()),
    "generate": (CallSettled,),
    "ledger": (
        ProjectCreated,
        ProjectUpdated,
        DatasetDeleted,
        ProjectDeleted,
        DocumentAdded,
        DocumentNamed,
        DocumentReopened,
        DocumentRejected,
        DocumentDeleted,
        ChunksDeleted,
        JobStarted,
        JobWaiting,
        JobResumed,
        JobCancelling,
        JobCancelled,
        JobCompleted,
        JobFailed,
        JobRestarted,
        JobPausing,
        JobPaused,
        JobContinued,
        JobForked,
        UnitFailed,
        ResultIgnored,
        LetterRetried,
        LetterDropped,
    ),
}
"""What is said besides outcomes: requests on behalf of users, calls that ride with an outcome, and what the ledger
itself decides. A test compares it with the code."""

_ENTRIES = (EntriesGenerated, EntriesCurated, EntriesAdmitted)
_MADE = (GenerationPlanned, GenerationExtended, *_ENTRIES, DatasetCompleted, DatasetExported)
_DOCUMENTS = (
    DocumentAdded,
    DocumentParsed,
    DocumentRejected,
    DocumentChunked,
    DocumentDeleted,
    ChunksDeleted,
)
_ARRIVALS = (DocumentFetched, DocumentDivided)
_JOBS = (
    JobStarted,
    JobWaiting,
    JobResumed,
    JobCancelling,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobRestarted,
    JobPausing,
    JobPaused,
    JobContinued,
    JobForked,
)

HEARS: dict[str, tuple[type[Event], ...]] = {
    "ledger": (
        *REQUESTS.values(),
        *REPORTS.values(),
        DocumentNamed,
        DocumentReopened,
        *_DOCUMENTS,
        *_ARRIVALS,
        *_MADE,
        *_JOBS,
        UnitFailed,
    ),
    "gateway": (
        DocumentFetchRequested,
        DocumentSplitRequested,
        ProcessingRequested,
        GenerationRequested,
        ExportRequested,
        JobCancelRequested,
        ProjectCreated,
        ProjectUpdated,
        DatasetDeleted,
        ProjectDeleted,
        DocumentNamed,
        DocumentReopened,
        *_DOCUMENTS,
        *_ARRIVALS,
        *_MADE,
        *_JOBS,
        UnitFailed,
        CallSettled,
    ),
    "curate": _ENTRIES,
    "export": _ENTRIES,
}
"""Which requests, reports and events change what a service does or shows: the ledger's processes and the gateway's
views fold them, curate and export read them in the log. A test compares it with the code."""
