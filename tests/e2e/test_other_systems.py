"""The bus as a door: a client that knows only NATS, JSON and the published schemas makes a dataset and follows it.

It imports nothing of Gristmill; what runs the mill beside it does, and looks into the log to compare.
"""

import asyncio
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import jsonschema
import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from tests.e2e.whole import DOCUMENTS, Whole, whole_mill

ROOT = Path(__file__).parents[2]
TENANT = "default"
EVENTS = f"gristmill.events.{TENANT}.>"
ENDS = ("job.completed", "job.failed", "job.cancelled")


@cache
def schema(type: str) -> Any:
    return json.loads((ROOT / "contracts" / "schemas" / f"{type}.json").read_text())


class Outsider:
    """Says requests, hears answers, and keeps every event that it could follow."""

    def __init__(self, bus: Client) -> None:
        self.bus = bus
        self.events: list[Msg] = []

    async def follow(self) -> None:
        async def keep(message: Msg) -> None:
            self.events.append(message)

        await self.bus.subscribe(EVENTS, cb=keep)

    async def ask(self, type: str, body: dict[str, Any], id: str | None = None) -> dict[str, Any]:
        jsonschema.validate(body, schema(type))
        inbox = self.bus.new_inbox()
        answers = await self.bus.subscribe(inbox, max_msgs=1)
        headers = {
            "ce-specversion": "1.0",
            "ce-type": type,
            "ce-source": "outsider",
            "ce-id": id or secrets.token_hex(16),
            "gristmill-reply-to": inbox,
        }
        subject = f"gristmill.requests.{TENANT}.{type.split('.')[1]}"
        await self.bus.jetstream().publish(subject, json.dumps(body).encode(), headers=headers)
        answer: dict[str, Any] = json.loads((await answers.next_msg(timeout=15)).data)
        return answer

    async def make(self, *names: str, **settings: object) -> dict[str, str]:
        """Have a dataset made of documents; the id of its job, and of its project."""
        project = (
            await self.ask("gristmill.project.requested.v1", {"name": secrets.token_hex(8)})
        )["job_id"]
        for name in names:
            text = (DOCUMENTS / name).read_text(encoding="utf-8")
            said = {"project_id": project, "name": name, "content": text}
            answer = await self.ask("gristmill.document.submitted.v1", said)
            assert answer.keys() == {"position", "job_id"}, answer
        request = {"project_id": project, "settings": settings}
        answer = await self.ask("gristmill.generation.requested.v1", request)
        assert answer.keys() == {"position", "job_id"}, answer
        return {"job": answer["job_id"], "project": project}

    def of(self, job: str) -> list[Msg]:
        return [each for each in self.events if (each.headers or {}).get("gristmill-job") == job]

    async def ended(self, job: str, within: float = 40.0) -> str:
        async with asyncio.timeout(within):
            while True:
                for each in self.of(job):
                    if (what := each.subject.split(".", 3)[3]) in ENDS:
                        return what
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def whole() -> AsyncIterator[Whole]:
    async with whole_mill() as whole:
        yield whole


@pytest.fixture
async def outsider(whole: Whole) -> AsyncIterator[Outsider]:
    bus = await nats.connect(whole.tree.stack.nats_url("external"), inbox_prefix=b"_INBOX.external")
    found = Outsider(bus)
    await found.follow()
    yield found
    await bus.close()


async def log(whole: Whole, job: str) -> list[tuple[str, str, str]]:
    """Id, type and position of each event of a job as it is recorded."""
    connection = await asyncpg.connect(whole.tree.stack.admin_url)
    rows = await connection.fetch(
        "select event_id::text, type, era || '.' || pos as at from ledger.events"
        " where job_id = $1 order by pos",
        job,
    )
    await connection.close()
    return [tuple(row) for row in rows]


def heard(messages: list[Msg]) -> list[tuple[str, str, str]]:
    return [
        (headers["ce-id"], headers["ce-type"], headers["gristmill-position"])
        for headers in (each.headers or {} for each in messages)
    ]


async def test_a_dataset_is_asked_for_and_followed_over_the_bus_alone(
    whole: Whole, outsider: Outsider
) -> None:
    made = await outsider.make("tea.txt", "milling.md")
    assert await outsider.ended(made["job"]) == "job.completed"
    recorded = await log(whole, made["job"])
    assert len(recorded) > 10
    assert heard(outsider.of(made["job"])) == recorded
    for each in outsider.events:
        jsonschema.validate(json.loads(each.data), schema((each.headers or {})["ce-type"]))

    # The same is there for whoever comes later, by a consumer of its own.
    stream = outsider.bus.jetstream()
    config = ConsumerConfig(name="later", filter_subject=EVENTS, ack_policy=AckPolicy.NONE)
    await stream.add_consumer("EVENTS", config)
    later = await stream.pull_subscribe_bind("later", "EVENTS")
    found: list[Msg] = []
    while len(found) < len(outsider.events):
        found += await later.fetch(100, timeout=2)
    assert heard(found[: len(outsider.events)]) == heard(outsider.events)

    # REST shows the same job, whichever door it came in by.
    shown = await whole.api.job(made["job"])
    assert shown.status == "completed"
    dataset = await whole.dataset_of(made["job"])
    assert dataset.counts.accepted > 0
    uploaded = await whole.get("/documents", project_id=made["project"])
    assert {each["file_name"] for each in uploaded["documents"]} == {"tea.txt", "milling.md"}


async def test_a_job_is_cancelled_over_the_bus(whole: Whole, outsider: Outsider) -> None:
    whole.simulator.reset(mode="grounded", latency_ms=500)
    made = await outsider.make(
        "lighthouses.html", "tea.txt", model="openai/simulated", concurrency=1
    )
    answer = await outsider.ask("gristmill.job.cancel_requested.v1", {"target": made["job"]})
    assert answer["job_id"] == made["job"]
    assert await outsider.ended(made["job"]) == "job.cancelled"
    assert heard(outsider.of(made["job"])) == await log(whole, made["job"])


async def test_a_refused_request_is_answered_with_its_code_and_kept_among_the_dead(
    whole: Whole, outsider: Outsider
) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    request = {"project_id": nobody, "settings": {"model": "builtin/extractive"}}
    answer = await outsider.ask("gristmill.generation.requested.v1", request, "refused once")
    assert answer["code"] == "project_not_found"
    operator = await nats.connect(
        whole.tree.stack.nats_url("operator"), inbox_prefix=b"_INBOX.operator"
    )
    dead = await operator.jetstream().get_last_msg("DEAD", "gristmill.dead.ledger")
    await operator.close()
    headers = dead.headers or {}
    assert headers["ce-id"] == "refused once"
    assert headers["gristmill-reason"].startswith("project_not_found: ")
    assert headers["gristmill-subject"] == f"gristmill.requests.{TENANT}.generation"


async def test_the_same_id_has_one_effect_and_another_body_under_it_is_refused(
    outsider: Outsider,
) -> None:
    type, id, name = "gristmill.project.requested.v1", secrets.token_hex(8), secrets.token_hex(8)
    first = await outsider.ask(type, {"name": name}, id)
    assert await outsider.ask(type, {"name": name}, id) == first
    other = await outsider.ask(type, {"name": f"{name}!"}, id)
    assert (other["code"], other["status"]) == ("idempotency_conflict", 409)


async def run(*words: str) -> str:
    """What a program says; it must end well."""
    program = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await program.communicate()
    assert program.returncode == 0
    return said.decode()


async def test_the_example_of_the_readme_makes_a_dataset(whole: Whole) -> None:
    gristmill = Path(sys.executable).with_name("gristmill")
    said = await run(str(gristmill), "bus", "--data", str(whole.tree.stack.data))
    url = said.strip()
    assert url == whole.tree.stack.nats_url("external")
    example = ROOT / "tests" / "examples" / "publish.py"
    lines = (await run(sys.executable, str(example), url, str(DOCUMENTS / "tea.txt"))).splitlines()
    assert re.fullmatch(r"job [0-9a-f-]{36}", lines[0])
    assert lines[-1].endswith("  job.completed")
