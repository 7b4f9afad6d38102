"""Another system at the bus: hands over documents, asks for a dataset, follows its job. Knows nothing of Gristmill but
the messages, and needs only nats-py:

    python tests/examples/publish.py "$(gristmill bus)" notes.md
"""

import argparse
import asyncio
import base64
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

ENDS = ("job.completed", "job.failed", "job.cancelled")


async def ask(bus: Client, tenant: str, type: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say a request as a CloudEvent and wait for what the ledger answers."""
    noun = type.split(".")[1]
    inbox = bus.new_inbox()
    answers = await bus.subscribe(inbox, max_msgs=1)
    headers = {
        "ce-specversion": "1.0",
        "ce-type": type,
        "ce-source": "example",
        # The same id again has no second effect, so a request whose answer was lost can be said again.
        "ce-id": secrets.token_hex(16),
        "gristmill-reply-to": inbox,
    }
    await bus.jetstream().publish(
        f"gristmill.requests.{tenant}.{noun}", json.dumps(body).encode(), headers=headers
    )
    answer: dict[str, Any] = json.loads((await answers.next_msg(timeout=10)).data)
    if "code" in answer:
        sys.exit(f"{type} was refused: {answer['message']} [{answer['code']}]")
    return answer


async def main(url: str, files: list[Path], tenant: str, model: str) -> None:
    bus = await nats.connect(url, inbox_prefix=b"_INBOX.external")
    # Before anything is asked, so that nothing is missed. Who was away reads the stream EVENTS by a consumer.
    events = await bus.subscribe(f"gristmill.events.{tenant}.>")

    name = {"name": f"over the bus {secrets.token_hex(4)}"}
    project = await ask(bus, tenant, "gristmill.project.requested.v1", name)
    for file in files:
        document = {
            "project_id": project["job_id"],
            "name": file.name,
            "content_base64": base64.b64encode(file.read_bytes()).decode(),
        }
        await ask(bus, tenant, "gristmill.document.submitted.v1", document)
    request = {"project_id": project["job_id"], "settings": {"model": model}}
    job = (await ask(bus, tenant, "gristmill.generation.requested.v1", request))["job_id"]
    sys.stdout.write(f"job {job}\n")

    async for event in events.messages:
        headers = event.headers or {}
        if headers.get("gristmill-job") != job:
            continue
        what = event.subject.split(".", 3)[3]
        sys.stdout.write(f"{headers['gristmill-position']:>8}  {what}\n")
        if what in ENDS:
            break
    await bus.close()
    sys.exit(what != "job.completed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a dataset over the bus.")
    parser.add_argument("url", help="what `gristmill bus` prints")
    parser.add_argument("files", type=Path, nargs="+", help="documents of at most 700 KB each")
    parser.add_argument("--tenant", default="default")
    parser.add_argument("--model", default="builtin/extractive")
    given = parser.parse_args()
    asyncio.run(main(given.url, given.files, given.tenant, given.model))
