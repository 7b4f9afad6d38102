"""Datasets: asked for, followed while they are made, described."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.generation import MOST_PREVIEWED, GenerationRequested
from contracts.identity import dataset_id
from services.gateway import generating, ids, showing
from services.gateway.accepting import begin, named_documents, named_project
from services.gateway.asking import IdempotencyKey, request_id
from services.gateway.chunking import keep_tokenizer
from services.gateway.deps import Deps, Here
from services.gateway.previewing import Previewed, preview
from services.gateway.shapes import Dataset, DatasetDetails, Submitted
from services.gateway.views.rows import DatasetRow, ExportRow
from shared.errors import Refused

router = APIRouter(prefix="/datasets", tags=["datasets"])
asked_for = APIRouter(prefix="/datasets", tags=["datasets"])
BUILTIN = "builtin/extractive"


@asked_for.post("/generate", responses={202: {"model": Submitted}})
async def generate_dataset(
    deps: Here,
    response: Response,
    body: generating.GenerateBody,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """Make a dataset from the documents of a project. Documents that were not processed are processed first."""
    from shared.llm.registry import check_model

    default = deps.settings.default_model or BUILTIN
    check_model(body.model or default, deps.settings)
    # What is wrong with the request itself comes before what is wrong with what it names, so that a client can have
    # its settings checked before it makes or uploads anything.
    settings = generating.settings_from(body, default)
    if (name := generating.tokenizer_of(body.chunking)) is not None:
        folder = deps.settings.data
        ref = await keep_tokenizer(deps.blobs, deps.tenant, folder, name, "chunking.tokenizer")
        cut = settings.chunking.model_copy(update={"tokenizer": ref})
        settings = settings.model_copy(update={"chunking": cut})
    deps.bus_is_there()
    project = await named_project(deps, body.project_id, judged=True)
    documents = None
    if body.document_ids:
        documents = await named_documents(
            deps, project, body.document_ids, project_said=body.project_id
        )
    request = GenerationRequested(
        project_id=project,
        document_ids=documents,
        name=body.dataset_name,
        settings=settings,
    )
    try:
        begun = await begin(deps, request, request_id(idempotency_key))
    except Refused as problem:
        if problem.code == "project_not_found":
            message = f"Project with ID {body.project_id} not found"
        elif problem.code == "no_chunks":
            message = f"No chunks found for project {body.project_id}"
        else:
            raise
        raise Refused(problem.code, message, status=problem.status, field="project_id") from None
    response.status_code = begun.status
    return Submitted(
        job_id=begun.job_id,
        state=begun.state,
        message="Dataset generation started",
        dataset_id=dataset_id(begun.job_id),
        debug_info={
            "model": request.settings.model,
            "concurrency": request.settings.concurrency,
            "mode": request.settings.mode,
            "older_fields": generating.older_fields(body),
        },
    )


@router.get("/{id}")
async def get_dataset(deps: Here, id: str) -> Dataset:
    shown, _, _ = await _shown(deps, id)
    return shown


@router.get("/{id}/preview")
async def preview_dataset(
    deps: Here, id: str, limit: Annotated[int, Query(ge=1, le=MOST_PREVIEWED)] = MOST_PREVIEWED
) -> Previewed:
    """The first chunks that were asked: prompt, raw answers, and the verdict on each entry.

    Ask ``POST /datasets/generate`` with ``"preview": 3`` for a dataset that pays for three chunks and ends.
    """
    return await preview(deps, await ids.dataset(deps.views, id), limit)


@router.get("/{id}/details")
async def dataset_details(deps: Here, id: str) -> DatasetDetails:
    """All that is known of a dataset: its settings, figures, and files in every format."""
    shown, row, exports = await _shown(deps, id)
    return showing.details(row, shown, exports)


async def _shown(deps: Deps, id: str) -> tuple[Dataset, DatasetRow, list[ExportRow]]:
    row = await ids.dataset(deps.views, id)
    job = await deps.views.job(row.job_id)
    exports = await deps.views.exports([row.dataset_id])
    rejected: dict[str, int] = {}
    failed: dict[str, int] = {}
    if row.closing is None:
        rejected = await deps.store.entries.rejections(row.dataset_id)
        failed = await deps.views.failures(row.job_id)
    status = job.status if job else "completed"
    return showing.dataset(row, status, exports, rejected, failed), row, exports
