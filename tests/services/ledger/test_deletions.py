"""Deletion: a recorded fact that every later request abides by, never of what an open job works on."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from contracts.blob import BlobRef
from contracts.chunks import ChunksDeleted, ChunksDeletionRequested
from contracts.dataset import DatasetDeleted, DatasetDeletionRequested
from contracts.document import (
    ChunkDocument,
    Chunking,
    DocumentAdded,
    DocumentDeleted,
    DocumentDeletionRequested,
    DocumentNamed,
    DocumentSubmitted,
    ParseDocument,
)
from contracts.export import ExportRequested
from contracts.generation import GenerationRequested, GenerationSettings
from contracts.identity import dataset_id
from contracts.job import JobCancelRequested, JobCompleted
from contracts.message import Request
from contracts.processing import ProcessingRequested
from contracts.project import (
    ProjectCreated,
    ProjectDeleted,
    ProjectDeletionRequested,
    ProjectRequested,
    ProjectUpdateRequested,
)
from contracts.result import ResultIgnored
from shared.worker import Done, Task
from tests.services.ledger.mill import BLOB, Mill, job

FEWER = BlobRef(kind="chunks", sha256="b" * 64, size=1)
NOBODY = UUID(int=9)


@pytest.fixture(autouse=True)
async def _leads(mill: Mill) -> None:
    await mill.ledger()


async def cut(mill: Mill, project: UUID, content: str, name: str = "a.txt") -> UUID:
    """A document of so many chunks."""
    document = await mill.document(project, content, name)
    await mill.ended(await mill.process(project, document))
    return document


async def test_a_deleted_document_is_unknown_and_its_bytes_are_a_document_again(
    mill: Mill,
) -> None:
    mill.documents()
    project = await mill.project()
    document = await cut(mill, project, "3")
    assert (await mill.ask(DocumentDeletionRequested(document_id=document))).code is None
    assert await mill.said(DocumentDeleted) == [
        DocumentDeleted(document_id=document, project_id=project, name="a.txt", chunks=3)
    ]
    for request in (
        DocumentDeletionRequested(document_id=document),
        ProcessingRequested(project_id=project, document_ids=(document,)),
        GenerationRequested(project_id=project, document_ids=(document,)),
        ChunksDeletionRequested(document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=0),
    ):
        answer = await mill.ask(request)
        assert (answer.code, answer.status) == ("document_not_found", 404)
    assert (await mill.ask(GenerationRequested(project_id=project))).code == "no_chunks"

    assert await mill.document(project, "3", "b.txt") == document
    assert [each.name for each in await mill.said(DocumentAdded)] == ["a.txt", "b.txt"]
    assert await mill.said(DocumentNamed) == []
    assert (await mill.state(document))["status"] == "added"
    assert await mill.ended(await mill.process(project, document)) == [JobCompleted()]
    assert (await mill.state(document))["chunks"] == 3


async def test_what_an_open_job_works_on_is_not_deleted_until_the_job_is_cancelled(
    mill: Mill,
) -> None:
    """And what was in flight then changes nothing any more."""
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slow(task: Task[ParseDocument]) -> Done:
        held.set()
        await go_on.wait()
        return await mill.parse(task)

    mill.documents(parse=slow)
    project = await mill.project()
    document = await mill.document(project, "3")
    working = await mill.process(project, document)
    await held.wait()
    for request, code in (
        (DocumentDeletionRequested(document_id=document), "document_in_use"),
        (ProjectDeletionRequested(project_id=project), "project_in_use"),
    ):
        answer = await mill.ask(request)
        assert (answer.code, answer.status) == (code, 409)
        assert f"cancel job {working} first" in (answer.message or "")
    await mill.ask(JobCancelRequested(target=working))
    await mill.ended(working)
    assert (await mill.ask(DocumentDeletionRequested(document_id=document))).code is None
    assert await mill.work(document) == []
    assert await mill.document(project, "3") == document
    go_on.set()

    async def too_late() -> bool:
        return bool(await mill.said(ResultIgnored))

    await mill.until(too_late)
    assert (await mill.state(document))["status"] == "added"
    assert await mill.ended(await mill.process(project, document)) == [JobCompleted()]


async def test_a_deleted_project_is_unknown_with_all_that_it_held(mill: Mill) -> None:
    mill.documents()
    mill.generation()
    project = job(await mill.ask(ProjectRequested(name="mills")))
    document = await cut(mill, project, "3")
    await cut(mill, project, "2", "b.txt")
    making = job(await mill.ask(GenerationRequested(project_id=project)))
    await mill.ended(making)
    other = job(await mill.ask(GenerationRequested(project_id=project)))
    await mill.ended(other)
    await mill.ask(DatasetDeletionRequested(dataset_id=dataset_id(other)))
    assert (await mill.ask(ProjectDeletionRequested(project_id=project))).code is None
    assert await mill.said(ProjectDeleted) == [
        ProjectDeleted(project_id=project, name="mills", documents=2, chunks=5, datasets=1, jobs=4)
    ]
    gone: list[tuple[Request, str]] = [
        (ProjectDeletionRequested(project_id=project), "project_not_found"),
        (ProjectUpdateRequested(project_id=project, name="x"), "project_not_found"),
        (DocumentSubmitted(project_id=project, name="c", content="x"), "project_not_found"),
        (ProcessingRequested(project_id=project, document_ids=(document,)), "project_not_found"),
        (GenerationRequested(project_id=project), "project_not_found"),
        (DocumentDeletionRequested(document_id=document), "document_not_found"),
        (
            ChunksDeletionRequested(
                document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=1
            ),
            "document_not_found",
        ),
        (ExportRequested(dataset_id=dataset_id(making), format="json"), "dataset_not_found"),
    ]
    for request, code in gone:
        answer = await mill.ask(request)
        assert (answer.code, answer.status) == (code, 404), request


async def test_the_name_of_a_deleted_project_is_free_and_its_alias_is_not(mill: Mill) -> None:
    for _ in range(2):
        project = job(await mill.ask(ProjectRequested(name="mills")))
        assert (await mill.ask(ProjectDeletionRequested(project_id=project))).code is None
    await mill.ask(ProjectRequested(name="mills"))
    assert [each.alias for each in await mill.said(ProjectCreated)] == [1, 2, 3]


async def test_deleted_chunks_are_left_out_until_somebody_asks_for_the_same_cut_again(
    mill: Mill,
) -> None:
    mill.documents()
    project = await mill.project()
    document = await cut(mill, project, "3")
    fewer = ChunksDeletionRequested(
        document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=2
    )
    assert (await mill.ask(fewer)).code is None
    assert await mill.said(ChunksDeleted) == [
        ChunksDeleted(
            document_id=document,
            project_id=project,
            chunking=Chunking(),
            before=BLOB,
            table=FEWER,
            deleted=1,
            chunks=2,
        )
    ]
    # A generation job takes the document as it is, also one that asks for this very cut.
    settings = GenerationSettings(recut=True)
    making = job(await mill.ask(GenerationRequested(project_id=project, settings=settings)))
    await mill.until(lambda: mill.envelopes("gristmill.commands.generate"))
    assert FEWER.sha256 in mill.envelopes("gristmill.commands.generate")[0].body.decode()
    assert (await mill.ask(fewer)).code == "document_in_use"
    await mill.ask(JobCancelRequested(target=making))
    mill.generation()
    await mill.ended(making)

    await mill.ended(await mill.process(project, document))
    state = await mill.state(document)
    assert (state["chunks"], state["table"]["sha256"]) == (3, BLOB.sha256)


async def test_of_two_who_delete_chunks_of_the_same_table_one_is_refused(mill: Mill) -> None:
    mill.documents()
    project = await mill.project()
    document = await cut(mill, project, "3")
    first = ChunksDeletionRequested(
        document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=2
    )
    other = first.model_copy(update={"chunks": 1})
    answers = await asyncio.gather(mill.ask(first), mill.ask(other))
    assert sorted(answer.code or "" for answer in answers) == ["", "chunks_changed"]
    empty = first.model_copy(update={"replaces": FEWER.sha256, "table": BLOB, "chunks": 0})
    assert (await mill.ask(empty)).code is None
    assert (await mill.ask(GenerationRequested(project_id=project))).code == "no_chunks"


@pytest.mark.parametrize(
    ("request_of", "code", "status"),
    [
        (lambda _: ProjectDeletionRequested(project_id=NOBODY), "project_not_found", 404),
        (lambda found: ProjectDeletionRequested(project_id=found), "project_not_found", 404),
        (lambda _: DocumentDeletionRequested(document_id=NOBODY), "document_not_found", 404),
        (
            lambda found: ChunksDeletionRequested(
                document_id=found, replaces=BLOB.sha256, table=FEWER, chunks=0
            ),
            "no_chunks",
            404,
        ),
    ],
)
async def test_what_is_not_there_is_not_deleted(
    mill: Mill, request_of: Callable[[UUID], Request], code: str, status: int
) -> None:
    document = await mill.document(await mill.project(), "3")
    before = len(await mill.log())
    answer = await mill.ask(request_of(document))
    assert (answer.code, answer.status) == (code, status)
    assert len(await mill.log()) == before


async def test_more_chunks_than_there_are_cannot_be_left(mill: Mill) -> None:
    mill.documents()
    document = await cut(mill, await mill.project(), "3")
    answer = await mill.ask(
        ChunksDeletionRequested(document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=3)
    )
    assert (answer.code, answer.field) == ("invalid_parameter", "chunks")


async def test_a_tenant_deletes_nothing_of_anothers(mill: Mill) -> None:
    mill.documents()
    project = await mill.project()
    document = await cut(mill, project, "3")
    for request in (
        ProjectDeletionRequested(project_id=project),
        DocumentDeletionRequested(document_id=document),
        ChunksDeletionRequested(document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=0),
    ):
        assert (await mill.ask(request, tenant="acme")).status == 404


async def test_a_chunking_that_is_under_way_does_not_lose_to_a_deletion(mill: Mill) -> None:
    held, go_on = asyncio.Event(), asyncio.Event()
    first = True

    async def slow(task: Task[ChunkDocument]) -> Done:
        nonlocal first
        if not first:
            held.set()
            await go_on.wait()
        first = False
        return await mill.chunk(task)

    mill.documents(chunk=slow)
    project = await mill.project()
    document = await cut(mill, project, "3")
    other = await mill.process(project, document, chunking=Chunking(strategy="sentence", size=5))
    await held.wait()
    await mill.ask(JobCancelRequested(target=other))
    await mill.ended(other)
    fewer = ChunksDeletionRequested(
        document_id=document, replaces=BLOB.sha256, table=FEWER, chunks=2
    )
    assert (await mill.ask(fewer)).code == "chunks_changed"
    go_on.set()


async def test_a_deleted_dataset_is_unknown_and_one_that_is_made_or_written_stays(
    mill: Mill,
) -> None:
    mill.documents()
    project = await mill.project()
    await cut(mill, project, "2")
    making = job(await mill.ask(GenerationRequested(project_id=project)))
    deletion = DatasetDeletionRequested(dataset_id=dataset_id(making))
    answer = await mill.ask(deletion)
    assert (answer.code, answer.status) == ("dataset_in_use", 409)
    assert str(making) in (answer.message or "")
    assert (await mill.ask(deletion, tenant="others")).code == "dataset_not_found"
    await mill.ask(JobCancelRequested(target=making))
    mill.generation()
    await mill.ended(making)

    assert (await mill.ask(deletion)).code is None
    assert await mill.said(DatasetDeleted) == [
        DatasetDeleted(dataset_id=dataset_id(making), project_id=project, job_id=making)
    ]
    again = [deletion, ExportRequested(dataset_id=dataset_id(making), format="json")]
    for request in again:
        refused = await mill.ask(request)
        assert (refused.code, refused.status) == ("dataset_not_found", 404)
