"""Jobs that parse and cut documents, over the bus: the same work is done once, whoever asked for it."""

import asyncio
from uuid import UUID

from contracts.document import (
    ChunkDocument,
    Chunking,
    DocumentChunked,
    DocumentParsed,
    DocumentRejected,
    ParseDocument,
)
from contracts.generation import GenerationRequested, GenerationSettings
from contracts.job import JobCompleted, JobFailed, JobStarted
from shared.errors import GristmillError
from shared.worker import Done, Task
from tests.services.ledger.mill import Mill, job

SHORT, LONG = Chunking(strategy="character", size=10), Chunking(strategy="character", size=100)


async def rejects(task: Task[ParseDocument]) -> Done:
    command = task.command
    rejected = DocumentRejected(
        document_id=command.document_id,
        project_id=command.project_id,
        stage="parse",
        code="password_protected",
        message="It cannot be opened without its password.",
    )
    return Done((rejected,))


async def test_jobs_that_wait_for_one_document_have_it_parsed_and_cut_once(mill: Mill) -> None:
    await mill.ledger()
    project = await mill.project()
    document = await mill.document(project, "3")
    jobs = [await mill.process(project, document) for _ in range(3)]
    mill.documents()
    mill.generation()
    jobs.append(job(await mill.ask(GenerationRequested(project_id=project))))
    assert await mill.ended(*jobs) == [JobCompleted()] * 4
    assert len(await mill.said(DocumentParsed)) == len(await mill.said(DocumentChunked)) == 1


async def test_a_document_that_is_cut_already_settles_a_job_at_once(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    project = await mill.project()
    document = await mill.document(project, "3")
    assert await mill.ended(await mill.process(project, document)) == [JobCompleted()]
    await mill.stop_workers()
    assert await mill.ended(await mill.process(project, document)) == [JobCompleted()]
    assert len(await mill.said(DocumentChunked)) == 1


async def test_a_document_is_cut_again_in_another_way_without_being_parsed_again(
    mill: Mill,
) -> None:
    await mill.ledger()
    mill.documents()
    project = await mill.project()
    document = await mill.document(project, "3")
    for chunking in (SHORT, LONG, SHORT):
        await mill.ended(await mill.process(project, document, chunking=chunking))
    assert len(await mill.said(DocumentParsed)) == 1
    assert [each.chunking for each in await mill.said(DocumentChunked)] == [SHORT, LONG, SHORT]
    assert (await mill.state(document))["chunking"]["size"] == 10
    assert await mill.pool.fetchval("select count(*) from ledger.work") == 0
    assert await mill.pool.fetchval("select count(*) from ledger.commands") == 0


async def test_a_document_that_two_jobs_want_cut_in_two_ways_is_cut_in_both(mill: Mill) -> None:
    """Also when the second asks while the first is being done."""
    await mill.ledger()
    project = await mill.project()
    document = await mill.document(project, "3")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(task: Task[ChunkDocument]) -> Done:
        begun.set()
        await go_on.wait()
        return await mill.chunk(task)

    mill.documents(chunk=slow)
    first = await mill.process(project, document, chunking=SHORT)
    await begun.wait()
    second = await mill.process(project, document, chunking=LONG)
    go_on.set()
    assert await mill.ended(first, second) == [JobCompleted()] * 2
    assert [each.chunking for each in await mill.said(DocumentChunked)] == [SHORT, LONG]


async def test_a_dataset_that_names_a_way_of_cutting_has_its_documents_cut_so(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    project = await mill.project()
    document = await mill.document(project, "3")
    await mill.ended(await mill.process(project, document, chunking=SHORT))
    for chunking, recut in ((LONG, False), (LONG, True), (LONG, True)):
        settings = GenerationSettings(chunking=chunking, recut=recut)
        asked = GenerationRequested(project_id=project, settings=settings)
        assert await mill.ended(job(await mill.ask(asked))) == [JobCompleted()]
    assert [each.chunking for each in await mill.said(DocumentChunked)] == [SHORT, LONG]


async def test_a_rejected_document_settles_its_jobs_with_its_reason(mill: Mill) -> None:
    await mill.ledger()
    mill.documents(parse=rejects)
    project = await mill.project()
    document = await mill.document(project, "3")
    jobs = [await mill.process(project, document) for _ in range(2)]
    failed = JobFailed(
        code="password_protected", message="It cannot be opened without its password."
    )
    assert await mill.ended(*jobs) == [failed] * 2
    assert await mill.ended(await mill.process(project, document)) == [failed]
    assert len(await mill.said(DocumentRejected)) == 1

    answer = await mill.ask(GenerationRequested(project_id=project))
    assert answer.code == "no_chunks"


async def test_a_job_goes_on_with_the_documents_that_can_be_used(mill: Mill) -> None:
    await mill.ledger()
    project = await mill.project()
    good = await mill.document(project, "3")
    bad = await mill.document(project, "no number")
    mill.documents()
    mill.generation()
    assert await mill.ended(await mill.process(project, good, bad)) == [JobCompleted()]
    [rejected] = await mill.said(DocumentRejected)
    assert (rejected.document_id, rejected.stage, rejected.code) == (bad, "chunk", "no_number")
    generation = job(await mill.ask(GenerationRequested(project_id=project)))
    assert await mill.ended(generation) == [JobCompleted()]
    assert await mill.said(JobStarted, generation) == [JobStarted(documents=1)]


async def test_a_unit_of_a_document_that_fails_rejects_it_with_the_units_code(mill: Mill) -> None:
    await mill.ledger()

    async def fails(task: Task[ParseDocument]) -> Done:
        raise GristmillError("too_large", "It has more pages than can be read.")

    mill.documents(parse=fails)
    project = await mill.project()
    document = await mill.document(project, "3")
    ended = await mill.ended(await mill.process(project, document))
    assert ended == [JobFailed(code="too_large", message="It has more pages than can be read.")]


async def test_a_generation_over_documents_that_all_turn_out_useless_fails_with_no_chunks(
    mill: Mill,
) -> None:
    await mill.ledger()
    project = await mill.project()
    await mill.document(project, "0")
    generation = job(await mill.ask(GenerationRequested(project_id=project)))
    mill.documents()
    [ended] = await mill.ended(generation)
    assert isinstance(ended, JobFailed)
    assert ended.code == "no_chunks"
    assert (await mill.ask(GenerationRequested(project_id=project))).code == "no_chunks"


async def test_documents_of_another_project_are_left_alone(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    ours, theirs = await mill.project(), await mill.project()
    mine, other = await mill.document(ours, "3"), await mill.document(theirs, "3")
    assert mine != other
    generation = job(await mill.ask(GenerationRequested(project_id=ours)))
    await mill.ended(generation)
    parsed: list[UUID] = [each.document_id for each in await mill.said(DocumentParsed)]
    assert parsed == [mine]
