"""What another system should not say on the bus, and how the ledger of a running mill answers: a table, and its walk.

Speaks plain NATS as the user ``external``; ``THEIRS`` stands for a project of another tenant.
"""

import json
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.client import Client

from tests.e2e.bad_mill import LOST, Mill
from tests.e2e.bad_requests import NOBODY, THEIRS

PROJECT = "gristmill.project.requested.v1"
SUBMIT = "gristmill.document.submitted.v1"
GENERATE = "gristmill.generation.requested.v1"
NAMED = b'{"name": "over the bus"}'


@dataclass(frozen=True, slots=True)
class Bad:
    """A message that is as it should be but for what is given here."""

    code: str
    words: str
    body: bytes = NAMED
    noun: str = "project"
    type: str | None = PROJECT
    id: str | None = "bad"


def document(**fields: object) -> bytes:
    return json.dumps({"project_id": NOBODY, "name": "a.txt"} | fields).encode()


MESSAGES: tuple[Bad, ...] = (
    Bad("undecodable", "ce-id is missing", id=None),
    Bad("undecodable", "ce-type is missing", type=None),
    Bad("undecodable", "control", id="a%00b"),
    Bad("unknown_type", "no message has this name", type="gristmill.project.sold.v1"),
    Bad("unknown_version", f"known is {PROJECT}", type="gristmill.project.requested.v9"),
    Bad("wrong_subject", "it is said on gristmill.requests.default.project", noun="document"),
    Bad("not_a_request", "nobody outside", type="gristmill.project.created.v1"),
    Bad("malformed_json", "Invalid JSON", body=b'{"name": '),
    Bad("malformed_json", "Invalid JSON", body=b"\xff" * 500_000),
    Bad("malformed_json", "recursion limit", body=b"[" * 100_000),
    Bad("malformed_json", "control character", body=b'{"name": "a\x00"}'),
    Bad("invalid_message", "name: ", body=b'{"name": "\\u0000"}'),
    Bad("invalid_message", "name: ", body=b'{"name": 5}'),
    Bad("invalid_message", "tenant: Extra", body=b'{"name": "p", "tenant": "acme"}'),
    Bad(
        "invalid_message",
        "settings.entries: ",
        noun="generation",
        type=GENERATE,
        body=json.dumps({"project_id": NOBODY, "settings": {"entries": -1}}).encode(),
    ),
    Bad(
        "project_not_found",
        "not found",
        noun="document",
        type=SUBMIT,
        body=document(project_id=THEIRS, content="x"),
    ),
    Bad(
        "project_not_found",
        NOBODY,
        noun="document",
        type=SUBMIT,
        body=document(blob={"kind": "document", "sha256": "b" * 64, "size": 3}),
    ),
    Bad(
        "job_not_found",
        "not found",
        noun="job",
        type="gristmill.job.cancel_requested.v1",
        body=json.dumps({"target": NOBODY}).encode(),
    ),
)


async def connected(mill: Mill, user: str) -> Client:
    inbox = f"_INBOX.{user}".encode()
    return await nats.connect(mill.tree.stack.nats_url(user), inbox_prefix=inbox)


async def said(bus: Client, bad: Bad, body: bytes, tenant: str = "default") -> dict[str, Any]:
    inbox = bus.new_inbox()
    answers = await bus.subscribe(inbox, max_msgs=1)
    headers = {"ce-specversion": "1.0", "ce-source": "elsewhere", "gristmill-reply-to": inbox}
    headers |= {"ce-type": bad.type} if bad.type else {}
    headers |= {"ce-id": bad.id} if bad.id else {}
    subject = f"gristmill.requests.{tenant}.{bad.noun}"
    await bus.jetstream().publish(subject, body, headers=headers)
    answer: dict[str, Any] = json.loads((await answers.next_msg(timeout=30)).data)
    return answer


async def project_of_another_tenant(mill: Mill) -> str:
    """Other systems may say nothing for a tenant that is not ``default``; the gateway's user may."""
    bus = await connected(mill, "gateway")
    answer = await said(bus, Bad("", "", id="theirs"), NAMED, tenant="acme")
    await bus.close()
    return str(answer["job_id"])


async def messages_are_refused(mill: Mill) -> None:
    """Each with its code; a refusal does not use up the id of its message, and a replayed one has no effect."""
    theirs = await project_of_another_tenant(mill)
    bus = await connected(mill, "external")
    for bad in MESSAGES:
        answer = await said(bus, bad, bad.body.replace(THEIRS.encode(), theirs.encode()))
        told = answer.get("code") == bad.code and bad.words in answer["message"]
        whole = answer.keys() == {"code", "message", "status", "field"}
        clean = not any(word in answer["message"] for word in LOST)
        mill.expect(told and whole and clean, f"{bad.noun} {bad.body[:60]!r} → {bad.code}", answer)
    good = Bad("", "")
    first, again = [await said(bus, good, NAMED) for _ in range(2)]
    mill.expect(first == again and "job_id" in first, "a replayed id", (first, again))
    other = await said(bus, good, b'{"name": "another body"}')
    mill.expect(other.get("code") == "idempotency_conflict", "its other body", other)
    last = await said(bus, Bad("", "", id="last"), b'{"name": "after them all"}')
    await bus.close()
    seen = f"min_position={last['position']}"
    listed = await mill.good("GET", f"/projects?per_page=1000&{seen}")
    names = [each["name"] for each in listed["projects"]]
    mill.expect(names.count("over the bus") == 1, "one project of them all", names)
    stream = await connected(mill, "operator")
    info = await stream.jetstream().stream_info("DEAD")
    await stream.close()
    kept = len(MESSAGES) + 1
    mill.expect(info.state.messages >= kept, "each is kept among the dead", info.state.messages)
