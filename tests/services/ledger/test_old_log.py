"""A database that an older version left goes on: its states are read, its log is folded, its documents are used."""

from pathlib import Path
from uuid import UUID

import pytest

from contracts.generation import GenerationRequested, GenerationSettings
from contracts.job import JobCompleted, JobForkRequested
from shared.stack import Database
from tests.data.old_log import LOGS, install, rows
from tests.services.ledger.mill import Mill, job


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
async def test_an_old_database_goes_on(mill: Mill, database: Database, log: Path) -> None:
    await install(database.admin_url, log)
    streams = rows(log, "streams")
    [parent] = [UUID(each["stream_id"]) for each in streams if each["kind"] == "generation"]
    [project] = [UUID(each["project_id"]) for each in rows(log, "projects")]
    before = len(await mill.log())
    await mill.ledger()
    mill.documents()
    mill.generation()
    asked = GenerationRequested(
        project_id=project, settings=GenerationSettings(model="openai/simulated")
    )
    made = job(await mill.ask(asked))
    assert await mill.ended(made, within=30) == [JobCompleted()]
    counts = (await mill.state(made))["counts"]
    assert counts["seeds"] == counts["done"] > 0

    # What the old job had, folded from its events by the processes of today.
    fork = job(await mill.ask(JobForkRequested(target=parent)))
    assert await mill.ended(fork, within=30) == [JobCompleted()]
    old, new = await mill.state(parent), await mill.state(fork)
    for name in ("seeds", "done", "generated", "accepted", "rejected", "surplus"):
        assert new["counts"][name] == old["counts"][name]

    # And everything, the old and the new, is announced once.
    head = len(await mill.log())

    async def announced() -> bool:
        return await mill.in_stream("EVENTS") == head

    await mill.until(announced, within=30)
    assert head > before
