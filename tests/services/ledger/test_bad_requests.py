"""What no other system should say on the bus: each answered with a code and kept among the dead; the rest unharmed."""

import json
from typing import Any
from uuid import UUID

import pytest

from contracts.document import DocumentAdded, DocumentSubmitted
from contracts.project import ProjectCreated
from shared.bus import POSITION, REPLY_TO
from tests.services.ledger.mill import Mill

NOBODY = "00000000-0000-4000-8000-000000000000"
PROJECT = "gristmill.project.requested.v1"
CANCEL = "gristmill.job.cancel_requested.v1"
SUBMIT = "gristmill.document.submitted.v1"
NAMED = b'{"name": "p"}'
THEIRS = "THEIRS"
"""Stands for the id of another tenant's project,"""
OURS = "OURS"
"""and this for that of one of ours."""
NOWHERE: dict[str, object] = {"kind": "document", "sha256": "b" * 64, "size": 3}

Headers = dict[str, str | None]
Bad = tuple[str, Headers, bytes, str, str]


def document(**fields: object) -> bytes:
    return json.dumps({"project_id": NOBODY, "name": "a.txt"} | fields).encode()


BAD: dict[str, Bad] = {
    "no id": ("default.project", {"ce-id": None}, NAMED, "undecodable", "ce-id is missing"),
    "no source": ("default.project", {"ce-source": ""}, NAMED, "undecodable", "ce-source"),
    "no type": ("default.project", {"ce-type": None}, NAMED, "undecodable", "ce-type is missing"),
    "no CloudEvent": ("default.project", {"ce-specversion": "0.3"}, NAMED, "undecodable", "1.0"),
    "id with NUL": ("default.project", {"ce-id": "a%00"}, NAMED, "undecodable", "control"),
    "long id": ("default.project", {"ce-id": "x" * 1001}, NAMED, "undecodable", "1000 bytes"),
    "tenant": ("Default.project", {}, NAMED, "undecodable", "the tenant is not a valid name"),
    "unknown type": (
        "default.project", {"ce-type": "gristmill.project.sold.v1"}, NAMED,
        "unknown_type", "no message has this name",
    ),
    "unknown version": (
        "default.project", {"ce-type": "gristmill.project.requested.v9"}, NAMED,
        "unknown_version", f"known is {PROJECT}",
    ),
    "a lying subject": (
        "default.document", {}, NAMED, "wrong_subject", "it is said on gristmill.requests.default.project",
    ),
    "a subject of nobody": ("default.nonsense", {}, NAMED, "wrong_subject", "default.project"),
    "an event": (
        "default.project", {"ce-type": "gristmill.project.created.v1"}, NAMED,
        "not_a_request", "nobody outside may say it",
    ),
    "an event that was announced": (
        "default.project", {POSITION: "1.1"}, NAMED, "not_a_request", "announced",
    ),
    "content type": (
        "default.project", {"content-type": "text/xml"}, NAMED,
        "unsupported_content_type", "application/json",
    ),
    "no JSON": ("default.project", {}, b"{", "malformed_json", "Invalid JSON"),
    "nothing": ("default.project", {}, b"", "malformed_json", "Invalid JSON"),
    "raw NUL": ("default.project", {}, b'{"name": "a\x00"}', "malformed_json", "control character"),
    "half a character": ("default.project", {}, b'{"name": "\\ud800"}', "malformed_json", "hex escape"),
    "no UTF-8": ("default.project", {}, b'{"name": "\xff"}', "malformed_json", "Invalid JSON"),
    "deep": ("default.project", {}, b"[" * 100_000, "malformed_json", "recursion limit"),
    "deep inside": (
        "default.project", {}, b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "malformed_json", "recursion limit",
    ),
    "a list": ("default.project", {}, b"[]", "invalid_message", "object"),
    "unknown field": (
        "default.project", {}, b'{"name": "p", "tenant": "x"}', "invalid_message", "tenant: Extra",
    ),
    "wrong type": ("default.project", {}, b'{"name": 5}', "invalid_message", "name: "),
    "nothing but NUL": ("default.project", {}, b'{"name": "\\u0000"}', "invalid_message", "name: "),
    "no blob of ours": (
        "default.project", {"gristmill-blob": "x"}, NAMED, "undecodable", "<sha256>/<size>",
    ),
    "a blob that is nowhere": (
        "default.project", {"gristmill-blob": f"{'a' * 64}/9"}, NAMED, "blob_missing", "not hold",
    ),
    "another's project": (
        "default.document", {"ce-type": SUBMIT}, document(project_id=THEIRS, content="x"),
        "project_not_found", "not found",
    ),
    "a job of nobody": (
        "default.job", {"ce-type": CANCEL}, json.dumps({"target": NOBODY}).encode(),
        "job_not_found", "not found",
    ),
    "a document's missing blob": (
        "default.document", {"ce-type": SUBMIT},
        document(project_id=OURS, blob=NOWHERE), "blob_missing", "send the content itself",
    ),
    "a missing blob in a project of nobody": (
        "default.document", {"ce-type": SUBMIT}, document(blob=NOWHERE), "project_not_found", NOBODY,
    ),
    "a document without content": (
        "default.document", {"ce-type": SUBMIT}, document(), "invalid_message", "exactly one",
    ),
    "a document twice": (
        "default.document", {"ce-type": SUBMIT}, document(content="a", content_base64="YQ=="),
        "invalid_message", "exactly one",
    ),
    "no base64": (
        "default.document", {"ce-type": SUBMIT}, document(content_base64="&"),
        "invalid_message", "not valid base64",
    ),
    "an empty document": (
        "default.document", {"ce-type": SUBMIT}, document(content=""), "empty_file", "is empty",
    ),
    "a path for a kind": (
        "default.document", {"ce-type": SUBMIT},
        document(blob={"kind": "../../etc", "sha256": "b" * 64, "size": 3}),
        "invalid_message", "blob.kind",
    ),
}  # fmt: skip


async def say(
    mill: Mill, subject: str, headers: Headers, body: bytes, *, id: str, inbox: str | None = None
) -> None:
    usual: Headers = {
        "ce-specversion": "1.0",
        "ce-type": PROJECT,
        "ce-id": id,
        "ce-source": "elsewhere",
        REPLY_TO: inbox,
    }
    sent = {name: value for name, value in (usual | headers).items() if value is not None}
    await mill.client.jetstream().publish(f"gristmill.requests.{subject}", body, headers=sent)


async def test_each_bad_request_is_answered_with_its_code_and_kept_with_its_reason(
    mill: Mill,
) -> None:
    await mill.ledger()
    projects = {THEIRS: str(await mill.project("acme")), OURS: str(await mill.project())}
    await mill.stop_ledger()
    answers = {}
    for name, (subject, headers, body, _, _) in BAD.items():
        inbox = mill.outside.new_inbox()
        answers[name] = await mill.outside.subscribe(inbox, max_msgs=1)
        said = body
        for word, project in projects.items():
            said = said.replace(word.encode(), project.encode())
        # They lie there together with good ones, before the ledger takes them all in one batch.
        await say(mill, subject, headers, said, id=f"bad {name}", inbox=inbox)
        await say(mill, "default.project", {}, json.dumps({"name": name}).encode(), id=name)
    # Patient, so that a busy machine sees nothing a second time.
    health = await mill.ledger(deadline=60.0)
    for name, (_, _, _, code, words) in BAD.items():
        answer: dict[str, Any] = json.loads((await answers[name].next_msg(timeout=10)).data)
        assert answer["code"] == code, (name, answer)
        assert words in answer["message"], (name, answer)
        assert answer.keys() == {"code", "message", "status", "field"}
    await mill.until(lambda: len(mill.buried()) == len(BAD))
    wanted = [f"{code}: " for *_, code, _ in BAD.values()]
    # What cannot be read is buried before the batch is recorded, the rest after it.
    assert sorted(reason.split(": ")[0] + ": " for reason in mill.buried()) == sorted(wanted)

    async def recorded() -> bool:
        return len(await mill.said(ProjectCreated)) == len(BAD) + len(projects)

    await mill.until(recorded)
    assert [each.name for each in await mill.said(ProjectCreated)][2:] == list(BAD)
    assert health.answer("/readyz")[0] == 200


@pytest.mark.parametrize("content", [{"content": "7\x00"}, {"content_base64": "Nw=="}])
async def test_a_document_comes_with_its_content_and_is_recorded_without_it(
    mill: Mill, content: dict[str, str]
) -> None:
    await mill.ledger()
    mill.documents()
    project = await mill.project()
    request = DocumentSubmitted(project_id=project, name="seven.txt", **content)
    first = await mill.ask(request, "key")
    assert await mill.ask(request, "key") == first
    [submitted] = await mill.said(DocumentSubmitted)
    assert (submitted.content, submitted.content_base64) == (None, None)
    [added] = await mill.said(DocumentAdded)
    assert added.blob == submitted.blob
    assert added.blob.media == "text/plain"
    assert await mill.blobs.get("default", added.blob) == b"7"
    job = UUID(str(await mill.process(project, added.document_id)))
    await mill.ended(job)
    # The same file with other bytes under the same key is another request.
    other = await mill.ask(
        request.model_copy(update={"content": "8", "content_base64": None}), "key"
    )
    assert (other.code, other.status) == ("idempotency_conflict", 409)


async def test_a_nul_in_a_request_is_cleaned_where_it_enters(mill: Mill) -> None:
    await mill.ledger()
    body = b'{"name": "a\\u0000b", "description": "back\\\\u0000slash"}'
    await say(mill, "default.project", {}, body, id="1")

    async def recorded() -> bool:
        return bool(await mill.said(ProjectCreated))

    await mill.until(recorded)
    [created] = await mill.said(ProjectCreated)
    assert (created.name, created.description) == ("ab", "back\\u0000slash")
    assert mill.buried() == []


async def test_a_document_under_a_used_key_is_answered_as_before_though_its_blob_is_gone(
    mill: Mill,
) -> None:
    await mill.ledger()
    blob = await mill.blobs.put("default", "document", b"7", "text/plain")
    request = DocumentSubmitted(project_id=await mill.project(), name="seven.txt", blob=blob)
    first = await mill.ask(request, "key")
    mill.blobs.path("default", blob).unlink()
    assert await mill.ask(request, "key") == first
    assert (await mill.ask(request)).code == "blob_missing"
    assert len(await mill.said(DocumentSubmitted)) == 1
