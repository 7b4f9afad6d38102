"""Services that are made to die at a failpoint while a document becomes a dataset, and what must hold of the log then.

A service is started again with the failpoint in its environment and without whoever would start it anew; when it has
died there, it is started as it was before.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import asyncpg
from nats.aio.client import Client

from contracts.identity import job_id
from shared.bus import connect
from shared.clock import monotonic
from shared.settings import Settings
from tests.chaos.checker import judge as history
from tests.chaos.facts import Fault
from tests.chaos.reading import of_tree
from tests.e2e.whole import DOCUMENTS, MODEL, Whole, armed, check, pause

log = logging.getLogger(__name__)
CONCURRENCY = 4
QUEUES = ("REQUESTS", "INBOX", "COMMANDS")


async def arm(whole: Whole, service: str, point: str) -> None:
    """Start a service again, to die at ``point``."""
    before = whole.tree.children[service]
    await before.stop()
    plain = before.program
    child = await whole.tree.add(replace(plain, argv=armed(plain.argv, point)))
    child.program = plain


async def died(whole: Whole, service: str, point: str) -> None:
    """Wait until a service that was armed has died where it should, and is started again."""
    child, words = (
        whole.tree.children[service],
        f"failpoint {point.split(':', maxsplit=1)[0]}: kill",
    )
    began = monotonic()
    while child.starts < 2:
        assert monotonic() - began < 5, f"{service} did not reach {point}"
        await pause()
    assert words in child.log.read_text().splitlines(), child.last_words()


class Patient:
    """A user who asks again, with the same key, until it is answered that the request is recorded."""

    def __init__(self, whole: Whole) -> None:
        self._session = whole.api._session

    async def post(self, path: str, key: str, **body: Any) -> dict[str, Any]:
        headers, jobs = {"Idempotency-Key": key}, set[str]()
        async with asyncio.timeout(30):
            while True:
                form = aiohttp.FormData(default_to_multipart=True)
                for name, (value, filename) in body.get("form", {}).items():
                    form.add_field(name, value, filename=filename)
                sent = {"data": form} if "form" in body else body
                try:
                    url = f"/api/v1{path}"
                    async with self._session.post(url, headers=headers, **sent) as answer:
                        said = await answer.json()
                        assert answer.status in (200, 202, 503), said
                        jobs |= {said["job_id"]} if answer.status != 503 else set()
                        if answer.status == 200:
                            break
                except aiohttp.ClientError as problem:
                    log.info("%s: %r", path, problem)
                await pause()
        assert jobs == {str(job_id("default", "gateway", key))} or "documents" in path, jobs
        assert len(jobs) == 1, jobs
        return dict(said)


async def ground(whole: Whole, project: str, salt: str, latency_ms: int = 20) -> str:
    """Make a dataset of a new document, asking patiently; return the job when it has ended."""
    user = Patient(whole)
    whole.simulator.control(latency_ms=latency_ms)
    text = f"Of {salt}. ".encode() + (DOCUMENTS / "tea.txt").read_bytes()[:2000]
    form = {"project_id": (project, None), "files": (text, f"{salt}.txt")}
    stored = await user.post("/documents/upload", f"{salt}/upload", form=form)
    (document,) = stored["uploaded_files"]
    cut = {
        "project_id": project,
        "document_ids": [document["id"]],
        "chunk_strategy": "character",
        "chunk_size": 250,
        "overlap": 0,
    }
    done = await user.post("/documents/process", f"{salt}/process", json=cut)
    assert (await whole.ended(done["job_id"])).status == "completed"
    asked = {
        "project_id": project,
        "document_ids": [document["id"]],
        "generation_mode": "question and answer",
        "model": MODEL,
        "concurrency": CONCURRENCY,
    }
    begun = await user.post("/datasets/generate", f"{salt}/generate", json=asked)
    again = await user.post("/datasets/generate", f"{salt}/generate", json=asked)
    assert again["job_id"] == begun["job_id"]
    await whole.ended(begun["job_id"])
    return str(begun["job_id"])


HOLES = """
    select 'positions' as what where (select max(pos) - count(*) from ledger.events) <> 0
    union all select 'head' where (select head from ledger.logs) <> (select max(pos) from ledger.events)
    union all select 'versions of ' || stream_id from ledger.events
        group by stream_id having max(version) <> count(*) or min(version) <> 1
    union all select 'version kept of ' || s.stream_id from ledger.streams s
        join (select stream_id, max(version) as newest from ledger.events group by 1) e using (stream_id)
        where s.version <> e.newest
    union all select 'two outcomes of unit ' || (data->>'unit_id') from ledger.events
        where type in ('gristmill.entries.generated.v1', 'gristmill.unit.failed.v1')
        group by data->>'unit_id' having count(*) > 1
    union all select 'requested twice: ' || job_id from ledger.events where type like '%.requested.v1'
        group by job_id, type having count(*) > 1
    union all select 'unit without outcome: ' || unit_id from ledger.work
    union all select 'command left: ' || command_id from ledger.commands
    union all select 'waits for ever: ' || job_id from ledger.interests
        join ledger.streams s on s.stream_id = job_id where not s.open
    union all select 'call without a unit that generated: ' || (data->>'unit_id') from ledger.events c
        where type = 'gristmill.call.settled.v1' and not exists (
            select from ledger.events e where e.job_id = c.job_id and e.data->>'unit_id' = c.data->>'unit_id'
            and e.type in ('gristmill.entries.generated.v1', 'gristmill.unit.failed.v1'))
"""


class Judge:
    """Looks into the store and the bus as their administrator."""

    def __init__(self, whole: Whole, client: Client, store: "asyncpg.Connection[Any]") -> None:
        self._whole = whole
        self._client = client
        self._store = store
        self._repeats = 0

    async def finds(self, job: str, most_repeats: int, most_failed: int = 0) -> None:
        """Nothing is lost and nothing is there twice, once the job has ended and the bus has come to rest."""
        ended = await self._whole.ended(job)
        assert ended.status == "completed", ended
        made = await check(self._whole, job)
        assert made.counts.failed <= most_failed, made.counts
        assert made.counts.not_needed == 0, made.counts
        assert made.counts.seeds > 4, made.counts
        assert made.counts.accepted > 0, made.counts
        async with asyncio.timeout(10):
            while await self._restless():
                await pause()
        holes = [row["what"] for row in await self._store.fetch(HOLES)]
        assert holes == [], holes
        dead = await self._client.jetstream().stream_info("DEAD")
        assert dead.state.messages == 0
        before, self._repeats = self._repeats, self._whole.simulator.stats()["repeats"]
        assert self._repeats - before <= most_repeats, (before, self._repeats)

    async def finds_all(self) -> None:
        """Have the checker of histories judge everything since the start, whoever died meanwhile."""
        # As if whoever calls the model had died at last: calls that nobody recorded are excused, and made once more.
        fault = Fault("kill", "", time.time(), time.time())
        calls = self._whole.simulator.calls
        found = history(await of_tree(self._whole.tree, calls=calls, faults=[fault]))
        assert found == [], found

    async def _restless(self) -> list[str]:
        """What is not done yet, though every job has ended."""
        found = []
        for name in QUEUES:
            info = await self._client.jetstream().stream_info(name)
            if info.state.messages:
                found.append(f"{info.state.messages} messages in {name}")
        announced = await self._client.jetstream().stream_info("EVENTS")
        events = await self._store.fetchval("select count(*) from ledger.events")
        if announced.state.messages != events:
            found.append(f"{events} events, {announced.state.messages} announced")
        return found


@asynccontextmanager
async def judge(whole: Whole) -> AsyncIterator[Judge]:
    stack = whole.tree.stack
    client = await connect(
        Settings.model_validate({"nats_url": stack.nats_url("ledger")}), "ledger"
    )
    store = await asyncpg.connect(stack.admin_url)
    try:
        yield Judge(whole, client, store)
    finally:
        await store.close()
        await client.close()
