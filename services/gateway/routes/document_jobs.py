"""How far jobs of documents are, and what processing would do, without doing it."""

from uuid import UUID

from fastapi import APIRouter

from contracts.document import Chunking
from contracts.job import JobKind
from services.gateway import ids, looking, progress
from services.gateway.deps import Deps, Here
from services.gateway.document_shapes import Debug, DocumentJob, WouldDo
from services.gateway.examples import answers
from services.gateway.processing import ProcessBody
from services.gateway.routes.documents import chunking_of
from services.gateway.views.chunk_reads import ChunkingRow
from services.gateway.views.rows import DocumentRow

router = APIRouter(prefix="/documents", tags=["documents"])

_JOB = {
    "job_id": "df8e2d7e-7b1c-5a41-9d52-0c4c7c1b2f3a",
    "status": "running",
    "progress": 50,
    "current_step": "Processing (3/6 documents)",
    "estimated_completion": None,
    "processed_files": 3,
}
_DONE = {**_JOB, "status": "completed", "progress": 100, "current_step": "Completed"}


@router.get("/upload/{job_id}/status", responses=answers({**_DONE, "processed_files": 6}))
async def upload_status(deps: Here, job_id: str) -> DocumentJob:
    """An upload is done as soon as its documents are recorded."""
    return await _status(deps, job_id, "document_upload")


@router.get("/process/{job_id}/status", responses=answers(_JOB))
async def process_status(deps: Here, job_id: str) -> DocumentJob:
    """How many of the documents of a processing job are parsed, and cut where that was asked for."""
    return await _status(deps, job_id, "document_processing")


async def _status(deps: Deps, id: str, kind: JobKind) -> DocumentJob:
    state = await looking.state_of(deps, id, kind=kind)
    shown = looking.status(deps, state, full=False)
    processed = state.counts.settled
    if kind == "document_upload":
        processed = len(state.documents)
    elif shown.status in progress.ENDED:
        processed = sum(each.status != "uploaded" for each in state.documents)
    return DocumentJob(
        job_id=shown.job_id,
        status=shown.status,
        progress=shown.progress,
        current_step=shown.current_step,
        estimated_completion=shown.estimated_completion,
        processed_files=processed,
    )


@router.post(
    "/process/debug",
    responses=answers(
        {
            "project_id": "fe75540b-4203-5805-a546-3f20545a2925",
            "message": "Nothing was started: this is what POST /documents/process would do.",
            "settings": {
                "parser": "grok",
                "skip_parsing": False,
                "chunking": {"strategy": "markdown", "size": 2000, "overlap": 0},
            },
            "documents": [
                {
                    "document_id": "ad422f39-0d9e-5f0e-8d7c-5a1f7d1f8a10",
                    "file_name": "panama-canal.pdf",
                    "status": "parsed",
                    "would": "cut it into chunks",
                }
            ],
        }
    ),
)
async def debug_processing(deps: Here, body: ProcessBody) -> Debug:
    """What ``POST /documents/process`` makes of the same body, document by document. Starts nothing."""
    chunking = await chunking_of(deps, body)
    project = await ids.project(deps.views, body.project_id, field="project_id")
    names = [name for id in body.document_ids if (name := ids.uuid_of(id))]
    rows = await deps.views.some_documents(names)
    present = await deps.store.chunkings.present(names)
    documents = []
    for id in dict.fromkeys(body.document_ids):
        row = _of_project(rows, project.project_id, ids.uuid_of(id))
        documents.append(
            WouldDo(
                document_id=id[:100],
                file_name=row.name if row else None,
                status=row.status if row else "not_found",
                would=_would(row, present, chunking, skip_parsing=bool(body.skip_parsing)),
            )
        )
    return Debug(
        project_id=project.project_id,
        message="Nothing was started: this is what POST /documents/process would do.",
        settings={
            "parser": body.parser,
            "skip_parsing": bool(body.skip_parsing),
            "chunking": chunking.model_dump() if chunking else None,
        },
        documents=documents,
    )


def _of_project(
    rows: dict[UUID, DocumentRow], project: UUID, name: UUID | None
) -> DocumentRow | None:
    row = rows.get(name) if name else None
    return row if row is not None and row.project_id == project else None


def _would(
    row: DocumentRow | None,
    present: dict[UUID, ChunkingRow],
    chunking: Chunking | None,
    *,
    skip_parsing: bool,
) -> str:
    if row is None:
        return "refuse the request (404): it is not of this project"
    if row.status == "rejected":
        return (
            f"try again only what the machine lacked; it cannot be used ({row.code}: {row.message})"
        )
    if row.body is None:
        if skip_parsing:
            return "refuse the request (400): it is not parsed yet"
        return "parse it, then cut it into chunks" if chunking else "parse it"
    if chunking is None:
        return "nothing: it is parsed"
    cut = present.get(row.document_id)
    if cut is None or cut.chunking != chunking.key():
        return "cut it into chunks"
    if cut.chunks < cut.cut:
        return "cut it again, which brings its deleted chunks back"
    return "nothing: it is cut in this way"
