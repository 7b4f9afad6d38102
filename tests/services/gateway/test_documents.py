"""Documents and their chunks over REST: read in pages, left out, deleted, with what went with them."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from contracts.chunks import ChunksDeletionRequested
from contracts.document import (
    Chunk,
    Chunking,
    DocumentChunked,
    DocumentDeletionRequested,
    DocumentNamed,
    DocumentParsed,
    DocumentRejected,
)
from contracts.identity import chunk_id
from contracts.job import JobCompleted, JobStarted
from contracts.message import Event
from contracts.project import ProjectDeletionRequested
from shared.blobs import FolderBlobs
from shared.bus import Answer
from shared.clock import fresh_id
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import TENANT, Line

UNKNOWN = "00000000-0000-0000-0000-000000000009"
TEXT = "# Mühle\n\nDas Rad dreht sich 3,5 Mal.\nEs ist alt.\n"
SPANS = ((0, 9), (9, 37), (37, len(TEXT)))


@dataclass
class Made:
    """A document of a project, parsed and cut into three chunks."""

    project: str
    id: str
    text: str

    def chunk(self, index: int) -> str:
        return str(chunk_id(UUID(self.id), Chunking().key(), index))


async def said(gateway: Gateway, ledger: FakeLedger, document: str, *events: Event) -> None:
    lines = [Line(UUID(document), "document", event, UUID(document)) for event in events]
    await gateway.seen(await ledger.append(lines, salt=str(fresh_id())))


async def parsed(gateway: Gateway, ledger: FakeLedger, document: str, text: str) -> None:
    blobs = gateway.deps.blobs
    await said(
        gateway,
        ledger,
        document,
        DocumentParsed(
            document_id=UUID(document),
            project_id=UUID(document),
            text=await blobs.put(TENANT, "text", text.encode(), "text/markdown"),
            structure=await blobs.put(TENANT, "structure", b"{}", "application/json"),
            title="Mühle",
            language="de",
            pages=None,
            characters=len(text),
            words=len(text.split()),
            parser="plain/1",
        ),
    )


async def chunked(gateway: Gateway, ledger: FakeLedger, document: str) -> None:
    id, chunking = UUID(document), Chunking()
    table = b"".join(
        Chunk(
            chunk_id=chunk_id(id, chunking.key(), n),
            index=n,
            start=start,
            end=end,
            heading_path=("Mühle",),
            page=None,
        )
        .model_dump_json()
        .encode()
        + b"\n"
        for n, (start, end) in enumerate(SPANS)
    )
    cut = DocumentChunked(
        document_id=id,
        project_id=id,
        chunking=chunking,
        table=await gateway.deps.blobs.put(TENANT, "chunks", table, "application/x-ndjson"),
        chunks=3,
    )
    await said(gateway, ledger, document, cut)


@pytest.fixture
async def mill(gateway: Gateway, ledger: FakeLedger, rivers: str) -> Made:
    up = await gateway.upload(rivers, ("mühle.md", f"{fresh_id()}".encode()))
    made = Made(rivers, up["uploaded_files"][0]["id"], TEXT)
    await parsed(gateway, ledger, made.id, TEXT)
    await chunked(gateway, ledger, made.id)
    return made


# -- content -----------------------------------------------------------------------------------------


async def test_content_is_listed_whole_or_in_pages(gateway: Gateway, mill: Made) -> None:
    what = await gateway.get(f"/documents/{mill.id}/content")
    assert (what["total_files"], what["file_name"]) == (1, "mühle.md")
    assert what["manifest_path"].startswith("structure/")
    [file] = what["parsed_files"]
    whole = await gateway.get(f"/documents/{mill.id}/content?parsed_file={file}")
    assert (whole["content"], whole["total_length"], whole["line_count"]) == (TEXT, len(TEXT), 4)
    assert (whole["word_count"], whole["current_file"]) == (len(TEXT.split()), file)
    assert "page" not in whole
    pages = [
        await gateway.get(f"/documents/{mill.id}/content?page={n}&page_size=20") for n in (1, 2, 3)
    ]
    assert "".join(page["content"] for page in pages) == TEXT
    assert [page["total_pages"] for page in pages] == [3, 3, 3]
    assert [(page["has_previous"], page["has_next"]) for page in pages] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    beyond = await gateway.get(f"/documents/{mill.id}/content?page=1000000000")
    assert (beyond["content"], beyond["has_next"]) == ("", False)


async def test_a_document_without_text_says_so(gateway: Gateway, rivers: str) -> None:
    up = await gateway.upload(rivers, ("a.txt", b"alpha"))
    id = up["uploaded_files"][0]["id"]
    said = await gateway.get(f"/documents/{id}/content", 400)
    assert said["detail"] == f"Document {id} is not parsed yet (status: uploaded)"


async def test_a_file_that_a_document_does_not_have_is_404(gateway: Gateway, mill: Made) -> None:
    said = await gateway.get(f"/documents/{mill.id}/content?parsed_file=text/0", 404)
    assert (said["code"], said["field"]) == ("parsed_file_not_found", "parsed_file")


async def test_a_text_that_is_too_long_for_one_answer_is_read_in_pages(
    gateway: Gateway, ledger: FakeLedger, rivers: str
) -> None:
    id = (await gateway.upload(rivers, ("long.txt", b"long")))["uploaded_files"][0]["id"]
    text = "ä" * 999_999 + "\nend"
    await parsed(gateway, ledger, id, text)
    [file] = (await gateway.get(f"/documents/{id}/content"))["parsed_files"]
    said = await gateway.get(f"/documents/{id}/content?parsed_file={file}", 413)
    assert said["code"] == "content_too_large"
    last = await gateway.get(f"/documents/{id}/content?page=2&page_size=1000000")
    assert (last["content"], last["line_count"]) == ("end", 2)


# -- chunks ------------------------------------------------------------------------------------------


async def test_chunks_of_a_document_are_listed_in_pages(gateway: Gateway, mill: Made) -> None:
    every = await gateway.get(f"/chunks/document/{mill.id}")
    assert (every["document_id"], every["total"]) == (mill.id, 3)
    assert [each["id"] for each in every["chunks"]] == [mill.chunk(n) for n in range(3)]
    assert [each["chunk_index"] for each in every["chunks"]] == [0, 1, 2]
    middle = every["chunks"][1]
    assert middle["content_preview"] == "Das Rad dreht sich 3,5 Mal.\n"
    assert (middle["token_count"], middle["chunk_strategy"]) == (7, "markdown")
    page = await gateway.get(f"/chunks/document/{mill.id}?page=2&per_page=1")
    assert (page["chunks"], page["total"]) == ([middle], 3)
    assert (await gateway.get(f"/chunks/document/{mill.id}?page=9"))["chunks"] == []


async def test_chunks_of_a_project_are_listed_up_to_a_limit(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    other = (await gateway.upload(mill.project, ("b.txt", b"b")))["uploaded_files"][0]["id"]
    await parsed(gateway, ledger, other, TEXT)
    await chunked(gateway, ledger, other)
    every = await gateway.get(f"/chunks/project/{mill.project}")
    assert (len(every["chunks"]), every["total"]) == (6, 6)
    four = await gateway.get(f"/chunks/project/{mill.project}?limit=4")
    assert four["chunks"] == every["chunks"][:4]
    assert four["chunks"][-1]["document_id"] == other


async def test_a_chunk_is_shown_whole_with_its_place(gateway: Gateway, mill: Made) -> None:
    found = await gateway.get(f"/chunks/{mill.chunk(2)}")
    assert (found["content"], found["start"], found["end"]) == ("Es ist alt.\n", 37, len(TEXT))
    assert (found["heading_path"], found["file_name"]) == (["Mühle"], "mühle.md")
    assert (found["present"], found["chunking"]) == (True, "markdown/2000/0")


async def test_a_document_that_is_not_cut_has_no_chunks(gateway: Gateway, rivers: str) -> None:
    id = (await gateway.upload(rivers, ("a.txt", b"alpha")))["uploaded_files"][0]["id"]
    said = await gateway.get(f"/chunks/document/{id}")
    assert (said["chunks"], said["total"]) == ([], 0)
    assert (await gateway.delete(f"/chunks/document/{id}"))["deleted_count"] == 0


async def test_a_deleted_chunk_is_gone_and_the_others_keep_their_ids(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    before = await gateway.get(f"/chunks/document/{mill.id}")
    said = await gateway.delete(f"/chunks/{mill.chunk(1)}")
    assert said == {"message": "Successfully deleted 1 chunks", "deleted_count": 1}
    request = ledger.asked[-1][1]
    assert isinstance(request, ChunksDeletionRequested)
    assert (str(request.document_id), request.chunks) == (mill.id, 2)
    assert before["chunks"][0]["file_path"] == f"chunks/{request.replaces}"
    after = await gateway.get(f"/chunks/document/{mill.id}")
    assert [each["id"] for each in after["chunks"]] == [mill.chunk(0), mill.chunk(2)]
    assert [each["chunk_index"] for each in after["chunks"]] == [0, 2]
    assert after["total"] == 2
    assert (await gateway.get(f"/documents/{mill.id}"))["chunks"] == 2
    await gateway.get(f"/chunks/{mill.chunk(1)}", 404)
    assert (await gateway.delete(f"/chunks/{mill.chunk(1)}", status=404))["code"] == (
        "chunk_not_found"
    )


async def test_many_chunks_are_deleted_and_each_failure_is_named(
    gateway: Gateway, mill: Made
) -> None:
    await gateway.delete(f"/chunks/{mill.chunk(1)}")
    asked = {"chunk_ids": [mill.chunk(0), mill.chunk(1), mill.chunk(0), "nonsense", UNKNOWN]}
    said = await gateway.delete("/chunks/batch", asked)
    assert (said["message"], said["deleted_count"]) == ("Successfully deleted 1 chunks", 1)
    assert {(each["id"], each["code"]) for each in said["failed"]} == {
        (mill.chunk(1), "chunk_not_found"),
        ("nonsense", "chunk_not_found"),
        (UNKNOWN, "chunk_not_found"),
    }
    assert (await gateway.delete("/chunks/batch", {"chunk_ids": []}, 400))["detail"] == (
        "No chunk IDs provided"
    )


async def test_all_chunks_of_a_document_are_deleted_and_the_document_stays(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    await gateway.delete(f"/chunks/document/{mill.id}")
    request = ledger.asked[-1][1]
    assert isinstance(request, ChunksDeletionRequested)
    assert (request.chunks, request.table.size) == (0, 0)
    assert (await gateway.get(f"/chunks/document/{mill.id}"))["chunks"] == []
    assert (await gateway.get(f"/documents/{mill.id}"))["status"] == "chunked"


async def test_a_chunk_of_an_earlier_cut_is_shown_and_not_deleted(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    blobs = gateway.deps.blobs
    assert isinstance(blobs, FolderBlobs)
    anew = DocumentChunked(
        document_id=UUID(mill.id),
        project_id=UUID(mill.id),
        chunking=Chunking(strategy="sentence", size=5),
        table=await blobs.put(TENANT, "chunks", b"", "application/x-ndjson"),
        chunks=0,
    )
    await said(gateway, ledger, mill.id, anew)
    assert (await gateway.get(f"/chunks/{mill.chunk(0)}"))["present"] is False
    refused = await gateway.delete(f"/chunks/{mill.chunk(0)}", status=409)
    assert refused["code"] == "chunk_of_earlier_cut"


async def test_what_the_ledger_refuses_is_the_failure_of_each_chunk_concerned(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    ledger.answers[ChunksDeletionRequested] = Answer(
        code="document_in_use", message="Job x works on it", status=409
    )
    assert (await gateway.delete(f"/chunks/{mill.chunk(0)}", status=409))["code"] == (
        "document_in_use"
    )
    many = await gateway.delete("/chunks/batch", {"chunk_ids": [mill.chunk(0), mill.chunk(1)]})
    assert [each["code"] for each in many["failed"]] == ["document_in_use"] * 2


# -- deletion ----------------------------------------------------------------------------------------


async def test_a_deleted_document_is_gone_with_its_chunks(gateway: Gateway, mill: Made) -> None:
    said = await gateway.delete(f"/documents/{mill.id}")
    assert said == {
        "message": "Deleted 1 document",
        "deleted": [mill.id],
        "removed": {"documents": 1, "chunks": 3, "datasets": 0, "jobs": 0},
    }
    await gateway.get(f"/documents/{mill.id}", 404)
    await gateway.get(f"/chunks/{mill.chunk(0)}", 404)
    assert (await gateway.get(f"/documents?project_id={mill.project}"))["total"] == 0
    await gateway.delete(f"/documents/{mill.id}", status=404)


async def test_many_documents_are_deleted_and_each_failure_is_named(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    said = await gateway.delete("/documents", {"document_ids": [UNKNOWN, mill.id, "x"]})
    assert said["deleted"] == [mill.id]
    assert [(each["id"], each["code"]) for each in said["failed"]] == [
        (UNKNOWN, "document_not_found"),
        ("x", "document_not_found"),
    ]
    empty = await gateway.delete("/documents/", {"document_ids": []}, 400)
    assert (empty["detail"], empty["field"]) == ("No document IDs provided", "document_ids")
    other = (await gateway.upload(mill.project, ("b.txt", b"b")))["uploaded_files"][0]["id"]
    ledger.answers[DocumentDeletionRequested] = Answer(
        code="document_in_use", message="Job j works on it: cancel job j first", status=409
    )
    held = await gateway.delete("/documents", {"document_ids": [other]})
    assert (held["deleted"], held["failed"][0]["code"]) == ([], "document_in_use")


async def test_a_deleted_project_is_gone_and_the_answer_says_what_went_with_it(
    gateway: Gateway, mill: Made
) -> None:
    id = (await gateway.get(f"/projects/{mill.project}"))["id"]
    said = await gateway.delete(f"/projects/{mill.project}/")
    assert said == {
        "message": "Deleted 1 project",
        "deleted": [id],
        "removed": {"documents": 2, "chunks": 5, "datasets": 1, "jobs": 3},
    }
    for path in (f"/projects/{id}", f"/projects/{mill.project}", f"/documents/{mill.id}"):
        await gateway.get(path, 404)
    assert id not in {each["id"] for each in (await gateway.get("/projects"))["projects"]}


async def test_many_projects_are_named_by_id_alias_or_number(
    gateway: Gateway, ledger: FakeLedger
) -> None:
    made = [await gateway.post("/projects", {"name": f"P {fresh_id()}"}) for _ in range(3)]
    names = [made[0]["id"], str(made[1]["alias"]), made[2]["alias"], 77]
    said = await gateway.delete("/projects", {"project_ids": names})
    assert said["deleted"] == [each["id"] for each in made]
    assert said["failed"] == [
        {"id": "77", "error": "Project with ID 77 not found", "code": "project_not_found"}
    ]
    empty = await gateway.delete("/projects", {"project_ids": []}, 400)
    assert (empty["detail"], empty["field"]) == ("No project IDs provided", "project_ids")
    ledger.answers[ProjectDeletionRequested] = Answer(
        code="project_in_use", message="Job j works on it", status=409
    )
    held = await gateway.post("/projects", {"name": f"P {fresh_id()}"})
    assert (await gateway.delete(f"/projects/{held['id']}", status=409))["code"] == (
        "project_in_use"
    )


# -- names, jobs, debug ------------------------------------------------------------------------------


async def test_further_names_of_a_document_show_in_every_list(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    again = DocumentNamed(
        document_id=UUID(mill.id), project_id=UUID(mill.id), name="moulin.md", upload_id=None
    )
    await said(gateway, ledger, mill.id, again)
    for path in (f"/documents?project_id={mill.project}", f"/projects/{mill.project}/documents"):
        [shown] = (await gateway.get(path))["documents"]
        assert shown["other_names"] == ["moulin.md"]
        assert shown == await gateway.get(f"/documents/{mill.id}")


async def test_jobs_of_documents_say_how_far_they_are(
    gateway: Gateway, ledger: FakeLedger, rivers: str
) -> None:
    up = await gateway.upload(rivers, ("a.txt", b"alpha"), ("b.txt", b"beta"))
    done = await gateway.get(f"/documents/upload/{up['job_id']}/status")
    assert (done["status"], done["progress"], done["processed_files"]) == ("completed", 100, 2)
    await gateway.get(f"/documents/process/{up['job_id']}/status", 404)
    first, second = (each["id"] for each in up["uploaded_files"])
    asked = {"project_id": int(rivers), "document_ids": [first, second]}
    job = (await gateway.post("/documents/process", asked))["job_id"]
    path = f"/documents/process/{job}/status"
    assert (await gateway.get(path))["processed_files"] == 0
    await parsed(gateway, ledger, first, TEXT)
    started = [Line(UUID(job), "processing", JobStarted(documents=2), UUID(job))]
    await gateway.seen(await ledger.append(started, salt="started"))
    half = await gateway.get(path)
    assert (half["status"], half["progress"], half["processed_files"]) == ("running", 50, 1)
    assert half["current_step"] == "Processing (1/2 documents)"
    ended = [Line(UUID(job), "processing", JobCompleted(), UUID(job))]
    await gateway.seen(await ledger.append(ended, salt="ended"))
    assert (await gateway.get(path))["status"] == "completed"


async def test_debug_says_what_processing_would_do_and_starts_nothing(
    gateway: Gateway, ledger: FakeLedger, mill: Made
) -> None:
    up = await gateway.upload(mill.project, ("a.txt", b"alpha"), ("b.txt", b"beta"))
    fresh, bad = (each["id"] for each in up["uploaded_files"])
    refused = DocumentRejected(
        document_id=UUID(bad), project_id=UUID(bad), stage="parse", code="no_text", message="empty"
    )
    await said(gateway, ledger, bad, refused)
    before = len(ledger.asked)
    asked = {"project_id": mill.project, "document_ids": [mill.id, fresh, bad, UNKNOWN]}

    async def would(**more: object) -> list[str]:
        shown = await gateway.post("/documents/process/debug", asked | more)
        return [each["would"] for each in shown["documents"]]

    assert (await would())[:2] == ["nothing: it is parsed", "parse it"]
    assert await would(chunk_strategy="markdown", chunk_size=2000) == [
        "nothing: it is cut in this way",
        "parse it, then cut it into chunks",
        "try again only what the machine lacked; it cannot be used (no_text: empty)",
        "refuse the request (404): it is not of this project",
    ]
    assert (await would(chunk_strategy="sentence"))[0] == "cut it into chunks"
    assert (await would(skip_parsing=True))[1] == "refuse the request (400): it is not parsed yet"
    assert len(ledger.asked) == before
    await gateway.delete(f"/chunks/{mill.chunk(1)}")
    again = await would(chunk_strategy="markdown", chunk_size=2000)
    assert again[0] == "cut it again, which brings its deleted chunks back"
