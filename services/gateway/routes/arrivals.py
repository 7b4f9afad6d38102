"""Documents that are fetched from the web or cut out of others, and parsing by a parser's name."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.document import DocumentFetchRequested, DocumentSplitRequested
from contracts.processing import ProcessingRequested
from services.gateway import ids, looking, progress, showing
from services.gateway.accepting import begin, named_documents, named_project, room_for_bytes
from services.gateway.asking import IdempotencyKey, request_id
from services.gateway.deps import Deps, Here
from services.gateway.ids import ProjectId
from services.gateway.parsing import parser_meaning
from services.gateway.problems import first_of
from services.gateway.shapes import Split, Submitted
from services.gateway.views.job_reads import JobState
from services.gateway.views.rows import DocumentRow
from shared.clock import monotonic
from shared.errors import Refused, Unavailable

router = APIRouter(prefix="/documents", tags=["documents"])

PATIENCE = 10.0
"""Seconds that a split is waited for."""
QUEUED: dict[int | str, dict[str, Any]] = {202: {"model": Submitted}}


class UrlBody(BaseModel):
    """Addresses of the web, each to become a document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId
    url: str | None = Field(default=None, description="One address; or say urls.")
    urls: list[str] = Field(default=[], max_length=100)


class ParseBody(BaseModel):
    """Documents to be parsed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId
    document_ids: list[str] = Field(min_length=1, max_length=1000)
    parser: str | None = None


class SplitBody(BaseModel):
    """A PDF to be cut into documents of fewer pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pdf_path: str = Field(
        min_length=1,
        max_length=255,
        description="An uploaded document: its id, its source_file_path or its file name. Never a path of the server.",
    )
    pages_per_split: int = Field(default=200, ge=1, le=100_000)
    overlap_pages: int = Field(default=1, ge=0)
    project_id: ProjectId | None = Field(
        default=None, description="Where to look for it; needed where several projects have one."
    )


@router.post("/url", responses=QUEUED)
async def fetch_documents(
    deps: Here, response: Response, body: UrlBody, idempotency_key: IdempotencyKey = None
) -> Submitted:
    """Fetch web pages, files and YouTube transcripts as documents of a project."""
    urls = tuple(dict.fromkeys(([body.url] if body.url else []) + body.urls))
    if not urls:
        raise Refused("missing_parameter", "url is required.", field="url")
    project = await named_project(deps, body.project_id)
    try:
        request = DocumentFetchRequested(project_id=project, urls=urls)
    except ValidationError as problem:
        _, message = first_of(problem.errors())
        raise Refused("invalid_url", f"url: {message}", field="url") from None
    await room_for_bytes(deps, {})
    begun = await begin(deps, request, request_id(idempotency_key))
    response.status_code = begun.status
    return Submitted(
        job_id=begun.job_id,
        state=begun.state,
        message=f"Fetching started: {len(urls)} to be fetched",
    )


@router.post("/parse", responses=QUEUED)
async def parse_documents(
    deps: Here, response: Response, body: ParseBody, idempotency_key: IdempotencyKey = None
) -> Submitted:
    """Parse documents, without cutting them."""
    meaning = parser_meaning(body.parser)
    project = await named_project(deps, body.project_id)
    asked = await named_documents(deps, project, body.document_ids, project_said=body.project_id)
    request = ProcessingRequested(project_id=project, document_ids=asked)
    begun = await begin(deps, request, request_id(idempotency_key))
    response.status_code = begun.status
    return Submitted(
        job_id=begun.job_id,
        state=begun.state,
        message=f"Document parsing started: {len(asked)} to be parsed",
        debug_info={"parser": meaning},
    )


@router.post("/split-pdf", response_model=Split, responses=QUEUED)
async def split_pdf(deps: Here, body: SplitBody, idempotency_key: IdempotencyKey = None) -> Any:
    """Cut a PDF into parts, which become documents of its project. If that takes longer than 10 s, the answer is 202
    with the job that does it; ``GET /documents/split-pdf/{job_id}`` says its result.
    """
    if body.overlap_pages >= body.pages_per_split:
        raise Refused(
            "invalid_parameter",
            "overlap_pages: must be less than pages_per_split",
            field="overlap_pages",
        )
    project, document = await _pdf(deps, body)
    request = DocumentSplitRequested(
        project_id=project,
        document_id=document,
        pages_per_split=body.pages_per_split,
        overlap_pages=body.overlap_pages,
    )
    begun = await begin(deps, request, request_id(idempotency_key))
    job = begun.job_id
    if begun.state == "queued":
        return _going_on(job, "queued")
    until = monotonic() + PATIENCE
    state = await looking.state_of(deps, str(job))
    while state.job.status not in progress.ENDED and (left := until - monotonic()) > 0:
        await deps.reached.next(min(left, 0.5))
        state = await looking.state_of(deps, str(job))
    return _answered(state)


@router.get("/split-pdf/{job_id}", response_model=Split, responses={202: {"model": Submitted}})
async def split_result(deps: Here, job_id: str) -> Any:
    """What a split made; 202 while it is at work."""
    return _answered(await looking.state_of(deps, job_id, kind="document_split"))


def _answered(state: JobState) -> Split | JSONResponse:
    job, made = state.job, state.split
    if job.status not in progress.ENDED:
        return _going_on(job.job_id, "recorded")
    if made is None:
        message = job.message or f"The split was {job.status}."
        raise Refused(job.code or "split_failed", message, field="pdf_path")
    shown = showing.split_result(made)
    del shown["parts"]
    return Split(
        **shown,
        message=f"PDF split into {len(made.parts)} files",
        job_id=job.job_id,
        documents=[showing.document(each) for each in state.documents],
    )


def _going_on(job: UUID, state: Literal["recorded", "queued"]) -> JSONResponse:
    shown = Submitted(job_id=job, state=state, message="The file is being split.")
    return JSONResponse(
        shown.model_dump(mode="json"),
        status_code=202,
        headers={"Location": f"{showing.BASE}/documents/split-pdf/{job}"},
    )


async def _pdf(deps: Deps, body: SplitBody) -> tuple[UUID, UUID]:
    """The ids of the project and the document that are named. While the store is away both must be said by their ids,
    and the ledger judges them.
    """
    try:
        row = await _named(deps, body)
    except Unavailable:
        document = ids.uuid_of(body.pdf_path)
        if document is None or body.project_id is None:
            raise
        return await named_project(deps, body.project_id), document
    if not row.name.lower().endswith(".pdf"):
        raise Refused("not_a_pdf", "File must be a PDF", field="pdf_path")
    return row.project_id, row.document_id


async def _named(deps: Deps, body: SplitBody) -> DocumentRow:
    """The document that ``pdf_path`` names. Raise ``Refused`` where none or several do."""
    project = None
    if body.project_id is not None:
        project = (await ids.project(deps.views, body.project_id, field="project_id")).project_id
    id = ids.uuid_of(body.pdf_path)
    if id is not None:
        row = await deps.views.document(id)
        found = [row] if row is not None and project in (None, row.project_id) else []
    else:
        found = await deps.views.documents_called(body.pdf_path, project)
    if not found:
        raise Refused(
            "document_not_found",
            f"Document {body.pdf_path[:64]} not found: upload it, then name it by its id or file name",
            status=404,
            field="pdf_path",
        )
    if len(found) > 1:
        raise Refused(
            "ambiguous_name",
            f"Several documents are called {body.pdf_path[:64]}: name it by its id, or say project_id",
            field="pdf_path",
        )
    return found[0]
