"""Requests: answered with a position and a job, once; or refused without a trace."""

import asyncio
from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from contracts.document import DocumentAdded, DocumentNamed, DocumentSubmitted
from contracts.export import ExportRequested
from contracts.generation import GenerationRequested, GenerationSettings
from contracts.identity import document_id, job_id
from contracts.job import JobCancelRequested
from contracts.message import Request
from contracts.processing import ProcessingRequested
from contracts.project import (
    ProjectCreated,
    ProjectRequested,
    ProjectUpdated,
    ProjectUpdateRequested,
)
from shared.bus import REPLY_TO, Envelope, dump
from tests.services.ledger.mill import Mill, job

NOBODY = UUID(int=9)


@pytest.fixture(autouse=True)
async def _leads(mill: Mill) -> None:
    await mill.ledger()


async def test_a_request_is_answered_with_its_place_in_the_log_and_its_job(mill: Mill) -> None:
    answer = await mill.ask(ProjectRequested(name="p", description="d"))
    log = await mill.log()
    assert [type(each.event) for each in log] == [ProjectRequested, ProjectCreated]
    assert answer.position == log[-1].position == "1.2"
    created = log[-1].event
    assert created == ProjectCreated(project_id=job(answer), alias=1, name="p", description="d")


async def test_the_same_request_again_has_the_same_answer_and_no_second_effect(mill: Mill) -> None:
    first = await mill.ask(ProjectRequested(name="p"), "key")
    again = await mill.ask(ProjectRequested(name="p"), "key")
    assert first == again
    assert len(await mill.log()) == 2


async def test_a_key_that_was_used_for_another_request_is_refused(mill: Mill) -> None:
    await mill.ask(ProjectRequested(name="p"), "key")
    other = await mill.ask(ProjectRequested(name="q"), "key")
    assert (other.code, other.status, other.position) == ("idempotency_conflict", 409, None)
    assert len(await mill.log()) == 2
    await mill.until(mill.buried)
    assert mill.buried()[0].startswith("idempotency_conflict: ")


async def test_a_key_belongs_to_its_tenant_and_source(mill: Mill) -> None:
    ours = await mill.ask(ProjectRequested(name="p"), "key")
    theirs = await mill.ask(ProjectRequested(name="p"), "key", tenant="acme")
    assert job(ours) != job(theirs)
    mill.source += "/other"
    elsewhere = await mill.ask(ProjectRequested(name="q"), "key")
    assert len({job(ours), job(theirs), job(elsewhere)}) == 3


async def test_a_refusal_does_not_use_up_its_key(mill: Mill) -> None:
    await mill.ask(ProjectRequested(name="p"))
    assert (await mill.ask(ProjectRequested(name="p"), "key")).code == "project_exists"
    assert (await mill.ask(ProjectRequested(name="q"), "key")).code is None


@pytest.mark.parametrize(
    ("request_of", "code", "status"),
    [
        (lambda project: ProjectUpdateRequested(project_id=NOBODY), "project_not_found", 404),
        (
            lambda project: DocumentSubmitted(project_id=NOBODY, name="a", content="a"),
            "project_not_found",
            404,
        ),
        (
            lambda project: ProcessingRequested(project_id=project, document_ids=(NOBODY,)),
            "document_not_found",
            404,
        ),
        (lambda project: GenerationRequested(project_id=project), "no_chunks", 400),
        (
            lambda project: GenerationRequested(project_id=project, document_ids=(NOBODY,)),
            "document_not_found",
            404,
        ),
        (
            lambda project: GenerationRequested(
                project_id=project, settings=GenerationSettings(model="builtin/genius")
            ),
            "not_available",
            400,
        ),
        (lambda _: ExportRequested(dataset_id=NOBODY, format="json"), "dataset_not_found", 404),
        (lambda project: JobCancelRequested(target=project), "job_not_found", 404),
    ],
)
async def test_what_cannot_be_had_is_refused_with_a_code_and_leaves_no_trace_in_the_log(
    mill: Mill, request_of: Callable[[UUID], Request], code: str, status: int
) -> None:
    project = await mill.project()
    before = len(await mill.log())
    answer = await mill.ask(request_of(project))
    assert (answer.code, answer.status, answer.position) == (code, status, None)
    assert len(await mill.log()) == before
    await mill.until(lambda: len(mill.buried()) == 1)
    assert mill.buried()[0].startswith(f"{code}: ")


async def test_a_tenant_does_not_see_what_is_anothers(mill: Mill) -> None:
    project = await mill.project()
    document = await mill.document(project, "1")
    for request in (
        ProjectUpdateRequested(project_id=project, name="mine"),
        ProcessingRequested(project_id=project, document_ids=(document,)),
        GenerationRequested(project_id=project),
        JobCancelRequested(target=project),
    ):
        assert (await mill.ask(request, tenant="acme")).status == 404
    assert (await mill.ask(ProjectRequested(name="x"), tenant="acme")).code is None
    created = (await mill.said(ProjectCreated))[-1]
    assert created.alias == 1


async def test_a_project_changes_what_is_named_and_keeps_the_rest(mill: Mill) -> None:
    project = job(await mill.ask(ProjectRequested(name="p", description="d")))
    await mill.ask(ProjectUpdateRequested(project_id=project, name="q"))
    assert await mill.said(ProjectUpdated) == [
        ProjectUpdated(project_id=project, name="q", description="d")
    ]
    assert (await mill.ask(ProjectRequested(name="p"))).code is None
    taken = await mill.ask(ProjectUpdateRequested(project_id=project, name="p"))
    assert (taken.code, taken.field) == ("project_exists", "name")


async def test_the_same_bytes_are_one_document_with_a_second_name(mill: Mill) -> None:
    project = await mill.project()
    first = await mill.document(project, "3", "a.txt")
    second = await mill.document(project, "3", "b.txt")
    other = await mill.document(project, "4", "c.txt")
    blob = await mill.blobs.put("default", "upload", b"3", "text/plain")
    assert first == second == document_id(project, blob.sha256) != other
    assert [each.name for each in await mill.said(DocumentAdded)] == ["a.txt", "c.txt"]
    assert [each.name for each in await mill.said(DocumentNamed)] == ["b.txt"]


async def _say(mill: Mill, subject: str, envelope: Envelope, inbox: str) -> None:
    headers = envelope.all_headers() | {REPLY_TO: inbox}
    await mill.client.jetstream().publish(subject, envelope.body, headers=headers)


def _envelope(type: str = "gristmill.project.requested.v1", **changed: object) -> Envelope:
    body = changed.pop("body", dump(ProjectRequested(name="p")))
    assert isinstance(body, bytes)
    return Envelope(type=type, id="1", source="t", subject="", body=body)


@pytest.mark.parametrize("inbox", ["gristmill.commands.generate", "_INBOX.*", "_INBOX.>", "x"])
async def test_only_an_inbox_is_answered(mill: Mill, inbox: str) -> None:
    """Whoever asks may not make the ledger speak on other subjects."""
    await _say(mill, "gristmill.requests.default.project", _envelope(), inbox)

    async def recorded() -> bool:
        return len(await mill.log()) == 2

    await mill.until(recorded)
    await mill.client.flush()
    assert await mill.in_stream("COMMANDS") == 0
    assert mill.envelopes("gristmill.commands") == []


async def test_the_ledger_s_own_inbox_is_not_answered(mill: Mill) -> None:
    """There it waits for the bus's word; with each event comes a name of it that others can read."""
    inbox = mill.client.new_inbox()
    heard = await mill.client.subscribe(inbox)
    await mill.client.flush()
    await _say(mill, "gristmill.requests.default.project", _envelope(), inbox)

    async def recorded() -> bool:
        return len(await mill.log()) == 2

    await mill.until(recorded)
    await mill.client.publish(inbox, b"after all that was said")
    assert (await heard.next_msg(timeout=2)).data == b"after all that was said"


@pytest.mark.parametrize(
    ("subject", "envelope", "reason"),
    [
        ("default.document", _envelope(), "not a type that may come on"),
        ("default.project", _envelope("gristmill.project.created.v1"), "not a type"),
        ("default.project", _envelope(body=b"{"), "Invalid JSON"),
        ("default.project", _envelope(body=b'{"name": ""}'), "name: String should have"),
        ("default.project", _envelope(body=b'{"name": "p", "tenant": "x"}'), "tenant: Extra"),
        ("Default.project", _envelope(), "tenant"),
    ],
)
async def test_what_is_no_request_is_answered_and_buried_with_its_reason(
    mill: Mill, subject: str, envelope: Envelope, reason: str
) -> None:
    inbox = mill.outside.new_inbox()
    answers = await mill.outside.subscribe(inbox, max_msgs=1)
    await mill.outside.flush()
    await _say(mill, f"gristmill.requests.{subject}", envelope, inbox)
    answer = (await answers.next_msg(timeout=5)).data.decode()
    assert reason in answer.replace("\\", "")
    await mill.until(mill.buried)
    assert reason in mill.buried()[0]
    assert await mill.log() == []


async def test_the_job_of_a_request_follows_from_its_key(mill: Mill) -> None:
    project = await mill.project()
    await mill.document(project, "1")
    answer = await mill.ask(GenerationRequested(project_id=project), "key")
    assert job(answer) == job_id("default", mill.source, "key")


async def test_more_jobs_than_may_be_open_are_refused(mill: Mill) -> None:
    await mill.stop_ledger()
    await mill.ledger(most_jobs=1)
    first = await mill.generate_from(1)
    project = await mill.project()
    document = await mill.document(project, "1")
    request = ProcessingRequested(project_id=project, document_ids=(document,), chunking=None)
    refused = await mill.ask(request, "key")
    assert (refused.code, refused.status) == ("too_many_jobs", 429)
    assert (await mill.ask(JobCancelRequested(target=first))).code is None
    await mill.ended(first)
    assert (await mill.ask(request, "key")).code is None


async def _wait(mill: Mill, requests: int) -> bool:
    return await mill.in_stream("REQUESTS") >= requests


async def test_requests_that_wait_are_recorded_together_and_each_key_once(mill: Mill) -> None:
    await mill.stop_ledger()
    await mill.ledger(most_jobs=3)
    project = await mill.project()
    await mill.document(project, "1")
    await mill.stop_ledger()
    request = GenerationRequested(project_id=project, settings=GenerationSettings(model="m/m"))
    other = request.model_copy(update={"name": "another"})
    said = [
        (request, "1"),
        (request, "2"),
        (request, "2"),
        (other, "1"),
        (request, "3"),
        (request, "4"),
    ]
    asking = []
    for n, each in enumerate(said, 1):
        asking.append(asyncio.create_task(mill.ask(*each)))
        await mill.until(partial(_wait, mill, n))
    await mill.ledger(most_jobs=3)
    first, second, again, conflict, third, fourth = await asyncio.gather(*asking)
    assert [first.code, second.code, third.code] == [None, None, None]
    assert again == second
    assert conflict.code == "idempotency_conflict"
    assert fourth.code == "too_many_jobs"
    begun = [each for each in await mill.log() if isinstance(each.event, GenerationRequested)]
    assert [each.stream for each in begun] == [job(first), job(second), job(third)]
    assert len({each.recorded_at for each in begun}) == 1
