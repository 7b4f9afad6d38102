"""Addresses, parsers' names and parts of PDFs over REST, with a ledger that answers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from contracts.blob import BlobRef
from contracts.document import (
    DocumentAdded,
    DocumentDivided,
    DocumentFetched,
    DocumentFetchRequested,
    DocumentPart,
    DocumentSplitRequested,
)
from contracts.identity import document_id
from contracts.job import JobCompleted, JobFailed, JobStarted
from contracts.message import Request, wire_type
from contracts.processing import ProcessingRequested
from contracts.unit import UnitFailed
from services.gateway.parsing import parser_meaning
from services.ingest.parsers import ALLOWED
from shared.errors import Refused
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import Line

URL = "https://lamps.example/lamp"


def blob(letter: str) -> BlobRef:
    return BlobRef(kind="document", sha256=letter * 64, size=3, media="application/pdf")


def fetched(request: Request, job: UUID) -> Sequence[Line]:
    assert isinstance(request, DocumentFetchRequested)
    project = request.project_id
    came = DocumentFetched(
        project_id=project, url=URL, final_url=f"{URL}/", name="lamp.pdf", blob=blob("a")
    )
    document = document_id(project, "a" * 64)
    added = DocumentAdded(
        document_id=document,
        project_id=project,
        name="lamp.pdf",
        blob=blob("a"),
        upload_id=None,
        source_url=f"{URL}/",
    )
    failed = UnitFailed(
        unit_id=UUID(int=5), command="gristmill.document.fetch.v1", code="fetch_failed", message="x"
    )
    return [
        Line(job, "arrival", JobStarted(documents=2), job),
        Line(job, "arrival", came, job),
        Line(document, "document", added, job),
        Line(job, "arrival", failed, job),
        Line(job, "arrival", JobCompleted(), job),
    ]


async def test_addresses_become_documents_and_the_job_says_what_did_not(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    ledger.follow[DocumentFetchRequested] = fetched
    asked = {"project_id": rivers, "url": URL, "urls": [URL, "https://lamps.example/none"]}

    said = await gateway.post("/documents/url", asked)

    request = ledger.asked[-1][1]
    assert isinstance(request, DocumentFetchRequested)
    assert request.urls == (URL, "https://lamps.example/none")
    job = await gateway.get(f"/jobs/status/{said['job_id']}")
    assert (job["job_type"], job["status"], job["progress"]) == ("document_fetch", "completed", 100)
    assert [each["file_name"] for each in job["result"]["documents"]] == ["lamp.pdf"]
    assert job["result"]["failures"] == [{"code": "fetch_failed", "message": "x"}]
    document = await gateway.get(f"/documents/{job['result']['documents'][0]['document_id']}")
    assert document["source_url"] == f"{URL}/"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "missing_parameter"),
        ({"url": "ftp://a.example/"}, "invalid_url"),
        ({"url": "http://a:b@a.example/"}, "invalid_url"),
        ({"urls": ["http://a.example/ x"]}, "invalid_url"),
        ({"url": "http://a.example/" + "x" * 3000}, "invalid_url"),
        ({"urls": ["http://a.example/"] * 101}, "invalid_parameter"),
        ({"path": "/etc/passwd"}, "unknown_parameter"),
    ],
)
async def test_what_is_no_address_of_the_web_is_refused(
    gateway: Gateway, rivers: str, ledger: FakeLedger, more: dict[str, Any], code: str
) -> None:
    ledger.asked.clear()
    said = await gateway.post("/documents/url", {"project_id": rivers, **more}, 400)
    assert said["code"] == code
    assert ledger.asked == []


def divided(request: Request, job: UUID) -> Sequence[Line]:
    assert isinstance(request, DocumentSplitRequested)
    project = request.project_id
    parts = tuple(
        DocumentPart(name=f"part_{n}.pdf", blob=blob(letter), first_page=n, last_page=n)
        for n, letter in enumerate("bc", 1)
    )
    made = DocumentDivided(
        document_id=request.document_id,
        project_id=project,
        pages=2,
        parts=parts,
        manifest=BlobRef(kind="manifest", sha256="d" * 64, size=9),
    )
    lines = [Line(job, "arrival", made, job)]
    for part in parts:
        id = document_id(project, part.blob.sha256)
        added = DocumentAdded(
            document_id=id, project_id=project, name=part.name, blob=part.blob, upload_id=None
        )
        lines.append(Line(id, "document", added, job))
    return [*lines, Line(job, "arrival", JobCompleted(), job)]


async def test_a_pdf_is_cut_by_whatever_names_it(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    [document] = (await gateway.upload(rivers, ("atlas.pdf", b"%PDF-1.4 atlas")))["uploaded_files"]
    ledger.follow[DocumentSplitRequested] = divided
    for name in (document["id"], document["source_file_path"], "atlas.pdf"):
        said = await gateway.post(
            "/documents/split-pdf", {"pdf_path": name, "pages_per_split": 1, "overlap_pages": 0}
        )
        request = ledger.asked[-1][1]
        assert isinstance(request, DocumentSplitRequested)
        assert str(request.document_id) == document["id"]
        assert said["split_files"] == [f"document/{'b' * 64}", f"document/{'c' * 64}"]
        assert (said["total_splits"], said["pages"]) == (2, 2)
        assert said["manifest_path"] == f"manifest/{'d' * 64}"
        assert [each["file_name"] for each in said["documents"]] == ["part_1.pdf", "part_2.pdf"]
        assert await gateway.get(f"/documents/split-pdf/{said['job_id']}") == said
        ledger.follow[DocumentSplitRequested] = lambda request, job: [
            line for line in divided(request, job) if line.kind == "arrival"
        ]


async def test_what_cannot_be_cut_is_refused_with_the_reason(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    [pdf] = (await gateway.upload(rivers, ("bad.pdf", b"%PDF-1.4 bad")))["uploaded_files"]
    await gateway.upload(rivers, ("page.txt", b"text"))

    async def refused(status: int, **asked: Any) -> str:
        found: str = (await gateway.post("/documents/split-pdf", asked, status))["code"]
        return found

    said = await gateway.post("/documents/split-pdf", {"pdf_path": "page.txt"}, 400)
    assert (said["detail"], said["field"]) == ("File must be a PDF", "pdf_path")
    assert await refused(404, pdf_path="/etc/passwd") == "document_not_found"
    assert await refused(404, pdf_path="nowhere.pdf") == "document_not_found"
    assert await refused(400, pdf_path="bad.pdf", pages_per_split=1) == "invalid_parameter"
    ledger.follow[DocumentSplitRequested] = lambda _, job: [
        Line(job, "arrival", JobFailed(code="corrupt_file", message="It is damaged."), job)
    ]
    assert await refused(400, pdf_path=pdf["id"]) == "corrupt_file"


async def test_documents_are_parsed_by_a_parsers_name(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    [document] = (await gateway.upload(rivers, ("p.txt", b"parse me")))["uploaded_files"]
    asked = {"project_id": rivers, "document_ids": [document["id"]]}

    said = await gateway.post("/documents/parse", {**asked, "parser": "pypdf"})

    request = ledger.asked[-1][1]
    assert isinstance(request, ProcessingRequested)
    assert request.chunking is None
    assert "built-in readers" in said["debug_info"]["parser"]
    for name, code in (("openai", "not_available"), ("moon", "invalid_parameter")):
        refused = await gateway.post("/documents/parse", {**asked, "parser": name}, 400)
        assert (refused["code"], refused["field"]) == (code, "parser")


@pytest.mark.parametrize(
    "name", ["auto", "builtin", "novlm", "pypdf", "unstructured", "gemini", "grok", "", None]
)
def test_names_that_ask_for_nothing_else_mean_the_readers_that_are_here(name: str | None) -> None:
    assert parser_meaning(name).startswith("the built-in readers")


@pytest.mark.parametrize("name", ["openai", "ollama", "huggingface"])
def test_a_name_that_needs_a_model_is_refused_with_what_it_needs(name: str) -> None:
    with pytest.raises(Refused) as caught:
        parser_meaning(name)
    assert caught.value.code == "not_available"
    assert name in caught.value.message


def test_the_gateway_takes_what_ingest_reads() -> None:
    from services.gateway.file_names import MEDIA

    assert sorted(MEDIA) == sorted(ALLOWED)
    assert wire_type(DocumentFetchRequested) == "gristmill.document.fetch_requested.v1"
