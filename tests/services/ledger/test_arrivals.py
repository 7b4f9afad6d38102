"""Jobs that bring documents in, over the bus; and documents that get another try."""

from uuid import UUID

from contracts.document import (
    DivideDocument,
    DocumentAdded,
    DocumentDivided,
    DocumentFetched,
    DocumentFetchRequested,
    DocumentNamed,
    DocumentPart,
    DocumentRejected,
    DocumentReopened,
    DocumentSplitRequested,
    FetchDocument,
    ParseDocument,
)
from contracts.identity import document_id
from contracts.job import JobCompleted, JobFailed
from services.ledger.processes import arrivals
from services.ledger.processes.arrivals import WINDOW, ArrivalState
from shared.errors import GristmillError
from shared.worker import Done, Task, Work
from tests.services.ledger.mill import BLOB, Mill, job

ID = UUID(int=3)


def fetches(mill: Mill) -> Work:
    """An address yields its own last letter; one that ends in x is refused."""

    async def fetch(task: Task[FetchDocument]) -> Done:
        command = task.command
        if command.url.endswith("x"):
            raise GristmillError("fetch_refused", f"{command.url}: no.")
        name = command.url[-1]
        blob = await mill.blobs.put(task.tenant, "document", name.encode(), "text/plain")
        return Done(
            (
                DocumentFetched(
                    project_id=command.project_id,
                    url=command.url,
                    final_url=f"{command.url}?final",
                    name=f"{name}.txt",
                    blob=blob,
                ),
            )
        )

    return Work(FetchDocument, fetch)


async def test_what_is_fetched_becomes_documents_once_and_what_cannot_be_fails_alone(
    mill: Mill,
) -> None:
    await mill.ledger()
    mill.worker("ingest", fetches(mill))
    project = await mill.project()
    urls = tuple(f"https://a.example/{name}" for name in "abxab")
    asked = job(await mill.ask(DocumentFetchRequested(project_id=project, urls=urls)))

    assert await mill.ended(asked) == [JobCompleted()]
    added = await mill.said(DocumentAdded, asked)
    assert sorted(each.name for each in added) == ["a.txt", "b.txt"]
    assert {each.source_url for each in added} == {f"{url}?final" for url in urls[:2]}
    assert len(await mill.said(DocumentNamed, asked)) == 2
    state = await mill.state(asked)
    assert (state["done"], state["failed"]) == (4, 1)
    document = await mill.state(document_id(project, added[0].blob.sha256))
    assert (document["status"], document["name"]) == ("added", added[0].name)


async def test_a_fetch_of_which_nothing_comes_fails_with_the_reason(mill: Mill) -> None:
    await mill.ledger()
    mill.worker("ingest", fetches(mill))
    project = await mill.project()
    request = DocumentFetchRequested(project_id=project, urls=("https://a.example/x",))

    [end] = await mill.ended(job(await mill.ask(request)))

    assert end == JobFailed(code="fetch_refused", message="https://a.example/x: no.")
    other = DocumentFetchRequested(project_id=ID, urls=("https://a.example/a",))
    assert (await mill.ask(other)).code == "project_not_found"


async def test_the_parts_of_a_pdf_become_documents_of_its_project(mill: Mill) -> None:
    async def divide(task: Task[DivideDocument]) -> Done:
        command = task.command
        parts = []
        for n in (1, 2):
            data = f"{command.name} {n}".encode()
            blob = await mill.blobs.put(task.tenant, "document", data, "application/pdf")
            parts.append(DocumentPart(name=f"{n}.pdf", blob=blob, first_page=n, last_page=n))
        divided = DocumentDivided(
            document_id=command.document_id,
            project_id=command.project_id,
            pages=2,
            parts=tuple(parts),
            manifest=BLOB,
        )
        return Done((divided,))

    await mill.ledger()
    mill.worker("ingest", Work(DivideDocument, divide))
    project = await mill.project()
    whole = await mill.document(project, "pdf", "whole.PDF")
    text = await mill.document(project, "text", "a.txt")

    request = DocumentSplitRequested(project_id=project, document_id=whole)
    asked = job(await mill.ask(request))

    assert await mill.ended(asked) == [JobCompleted()]
    assert [each.name for each in await mill.said(DocumentAdded, asked)] == ["1.pdf", "2.pdf"]
    refused = await mill.ask(DocumentSplitRequested(project_id=project, document_id=text))
    assert (refused.code, refused.message) == ("not_a_pdf", "File must be a PDF")
    unknown = await mill.ask(DocumentSplitRequested(project_id=project, document_id=ID))
    assert unknown.code == "document_not_found"


async def test_processing_again_tries_again_what_the_machine_was_to_blame_for(mill: Mill) -> None:
    codes = ["worker_lost", "corrupt_file"]

    async def parse(task: Task[ParseDocument]) -> Done:
        command = task.command
        if not codes:
            return await mill.parse(task)
        rejected = DocumentRejected(
            document_id=command.document_id,
            project_id=command.project_id,
            stage="parse",
            code=codes.pop(0),
            message="no",
        )
        return Done((rejected,))

    await mill.ledger()
    mill.documents(parse=parse)
    project = await mill.project()
    document = await mill.document(project, "3")
    ends = [(await mill.ended(await mill.process(project, document)))[0] for _ in range(3)]

    reasons = [end.code if isinstance(end, JobFailed) else "" for end in ends]
    assert reasons == ["worker_lost", "corrupt_file", "corrupt_file"]
    assert len(await mill.said(DocumentReopened)) == 1
    await mill.document(project, "3")
    assert await mill.ended(await mill.process(project, document)) == [JobCompleted()]


def test_a_large_fetch_is_issued_by_the_window_and_its_state_stays_small() -> None:
    urls = tuple(f"https://a.example/{'x' * 1900}/{n}" for n in range(100))
    request = DocumentFetchRequested(project_id=ID, urls=urls)
    state = arrivals.start(request).model_copy(update={"started": True})

    first = arrivals.decide(state, request, ID)
    again = arrivals.decide(first.state, request, ID)
    later = arrivals.decide(first.state.model_copy(update={"done": 3}), request, ID)

    assert len(first.commands) == WINDOW
    assert again.commands == ()
    assert len(later.commands) == 3
    commands = [*first.commands, *later.commands]
    assert len({command.units for command in commands}) == len(commands)
    full = ArrivalState(units=100, source=("x" * 255, BLOB), refusal=("fetch_failed", "y" * 500))
    assert len(full.model_dump_json()) <= 2048
