"""All of Gristmill as real processes with a simulated model beside it, for tests that use it or kill parts.

Speaks REST as a user does, and looks into the ledger's database as its administrator where REST does not reach.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from services.cli.answers import Dataset, Job
from services.cli.client import Api, connected
from services.cli.tree import Tree, module_commands, running
from shared.clock import fresh_id
from shared.failpoints import VARIABLE
from shared.stack import Child
from tests.simulator.process import Simulation, start

Until = Callable[..., Awaitable[None]]
DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
TEXTS = ("tea.txt", "metric-system.md", "milling.md", "lighthouses.html")
SHORT = {
    "GRISTMILL_BEAT": "0.5",
    "GRISTMILL_DEADLINE": "2",
    "GRISTMILL_ACK_WAIT": "2",
    "GRISTMILL_LEADERSHIP": "1",
}
MODEL = "openai/simulated"


class Whole:
    def __init__(self, tree: Tree, api: Api, models: list[Simulation]) -> None:
        self.tree = tree
        self.api = api
        self._models = models

    @property
    def simulator(self) -> Simulation:
        return self._models[-1]

    def revive(self, *behaviour: str) -> None:
        """Start the simulated model again where it was."""
        port = int(self.simulator.url.rpartition(":")[2])
        self._models.append(start(*behaviour, port=port))

    async def project(self, *names: str, chunk_size: int = 250, overlap: int = 0) -> str:
        """A project of demo documents that are cut already. With ``overlap`` chunks repeat what others say."""
        project = await self.api.make_project(str(fresh_id()))
        paths = [DOCUMENTS / name for name in names or TEXTS]
        documents = await self.api.upload(project.id, paths)
        body = {
            "project_id": project.id,
            "document_ids": [document.id for document in documents],
            "chunk_strategy": "character",
            "chunk_size": chunk_size,
            "overlap": overlap,
        }
        await self.ended(await self.post("/documents/process", body))
        return project.id

    async def post(self, path: str, body: dict[str, Any]) -> str:
        """Ask for a job; return its id."""
        session = self.api._session
        async with session.post(f"/api/v1{path}", json=body) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return str(said["job_id"])

    async def get(self, path: str, **parameters: str | int) -> Any:
        async with self.api._session.get(f"/api/v1{path}", params=parameters) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return said

    async def generate(self, project: str, **settings: object) -> str:
        body = {"project_id": project, "generation_mode": "question and answer", "model": MODEL}
        return await self.post("/datasets/generate", body | settings)

    async def ended(self, job: str, within: float = 30.0) -> Job:
        return await self.reached(job, lambda found: found.ended, within)

    async def reached(self, job: str, wanted: Callable[[Job], bool], within: float = 30.0) -> Job:
        """Wait until a job is as ``wanted``; fail early where it has ended otherwise."""
        found = await self.api.job(job)
        for _ in range(int(within / 0.05)):
            if wanted(found):
                return found
            assert not found.ended, found
            await pause()
            found = await self.api.job(job)
        raise AssertionError(f"after {within} s: {found}")

    async def dataset_of(self, job: str) -> Dataset:
        found = await self.api.job(job)
        assert found.dataset_id is not None
        return await self.api.dataset(found.dataset_id)

    async def ask_database(self, query: str, *arguments: object) -> Any:
        connection = await asyncpg.connect(self.tree.stack.admin_url)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def entries(self, dataset: str, status: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = await self.get(
                f"/datasets/{dataset}/entries", status=status, page=page, per_page=200
            )
            found += answer["entries"]
            if len(found) >= answer["total"]:
                return found
            page += 1


@asynccontextmanager
async def without_postgres(whole: Whole) -> AsyncIterator[None]:
    """Stop the database, which its supervisor would start again at once after a kill, until the end of the block."""
    stack = whole.tree.stack
    program = stack.postgres._child.program
    await stack.postgres.stop()
    try:
        yield
    finally:
        stack.postgres._child = Child(program, stack.logs, stack.guard)
        await stack.postgres._child.spawn()
        stack.postgres._child.keep()


async def pause() -> None:
    import asyncio

    await asyncio.sleep(0.05)


async def check(whole: Whole, job: str) -> Dataset:
    """What holds of every ended job, whoever was killed meanwhile: the equations, and that nothing is there twice."""
    made = await whole.dataset_of(job)
    counts = made.counts
    assert counts.in_flight == 0 == counts.awaiting
    assert counts.seeds == counts.done + counts.failed + counts.not_needed
    assert counts.generated == counts.accepted + counts.rejected + counts.surplus
    if made.wanted is not None:
        found = await whole.api.job(job)
        assert found.result is not None
        assert made.wanted == counts.accepted + (found.result.missing or 0)

    state = await whole.ask_database(
        "select state::text from ledger.streams where stream_id = $1", UUID(job)
    )
    assert state is not None
    entries = {
        status: await whole.entries(made.id, status)
        for status in ("accepted", "rejected", "surplus", "all")
    }
    for status in ("accepted", "rejected", "surplus"):
        assert len(entries[status]) == getattr(counts, status), status
    assert len(entries["all"]) == counts.generated
    ids = [entry["id"] for entry in entries["all"]]
    assert len(set(ids)) == len(ids)

    if (await whole.api.job(job)).status == "completed":
        assert sum(file.entries_count for file in made.batch_files) == counts.accepted
    left = "select count(*) from ledger.work where job_id = $1"
    assert await whole.ask_database(left, UUID(job)) == 0
    assert await whole.ask_database("select max(pos) - count(*) from ledger.events") == 0
    twice = """
        select count(*) from (
            select data->>'unit_id' from ledger.events
            where job_id = $1 and type = 'gristmill.entries.generated.v1'
            group by 1 having count(*) > 1
        ) as twice
    """
    assert await whole.ask_database(twice, UUID(job)) == 0
    ends = """
        select count(*) from ledger.events where stream_id = $1
        and type in ('gristmill.job.completed.v1', 'gristmill.job.failed.v1', 'gristmill.job.cancelled.v1')
    """
    assert await whole.ask_database(ends, UUID(job)) == 1
    return made


def armed(command: tuple[str, ...], point: str | None) -> tuple[str, ...]:
    """A command that has its process die at a failpoint."""
    return command if point is None else ("env", f"{VARIABLE}={point}", *command)


@asynccontextmanager
async def whole_mill(
    *behaviour: str, points: Mapping[str, str] | None = None, **settings: str
) -> AsyncIterator[Whole]:
    """Everything started, with short times and further variables of the environment; gone afterwards.

    ``points``: by service, the failpoint at which it dies for once.
    """
    data = Path(tempfile.mkdtemp(prefix="gm-"))
    data.chmod(0o711)
    models = [start("mode=grounded", *behaviour)]
    plain = module_commands()
    environ = {
        **os.environ,
        **SHORT,
        "OPENAI_BASE_URL": models[0].openai_base_url,
        "OPENAI_API_KEY": "of-nobody",
        **settings,
    }
    try:
        async with (
            running(
                data / "data",
                environ=environ,
                durable=False,
                commands={
                    name: armed(command, (points or {}).get(name))
                    for name, command in plain.items()
                },
            ) as tree,
            connected(tree.url) as api,
        ):
            for name, child in tree.children.items():
                child.program = replace(child.program, argv=plain[name])
            yield Whole(tree, api, models)
    finally:
        for simulator in models:
            simulator.stop()
        shutil.rmtree(data)
