"""What an older version wrote is folded and shown by this one."""

from collections import Counter
from pathlib import Path

import pytest

from contracts import EVENTS
from contracts.message import wire_type
from services.gateway.deps import Deps
from shared.settings import Settings
from shared.stack import Database, Nats
from tests.data.old_log import LOGS, install, rows
from tests.services.gateway.listening import listening


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_every_event_of_an_old_log_is_read_and_says_the_same(log: Path) -> None:
    for row in rows(log, "events"):
        event = EVENTS[row["type"]].model_validate(row["data"])
        assert wire_type(type(event)) == row["type"]
        said = event.model_dump(mode="json")
        assert {name: said[name] for name in row["data"]}.keys() == row["data"].keys()
        again = type(event).model_validate(said)
        assert again == event


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
async def test_an_old_log_is_folded_and_shown(
    log: Path, database: Database, nats_server: Nats, tmp_path: Path
) -> None:
    await install(database.admin_url, log)
    settings = {
        "nats_url": nats_server.url("gateway"),
        "database_url": database.url("gateway"),
        "data": tmp_path,
    }
    kinds = Counter(row["type"] for row in rows(log, "events"))
    entries = [
        entry
        for row in rows(log, "events")
        if row["type"] == "gristmill.entries.generated.v1"
        for entry in row["data"]["entries"]
    ]
    async with listening(Deps(Settings.model_validate(settings))) as gateway:
        await gateway.healthy()
        [project] = (await gateway.get("/projects"))["projects"]
        [dataset] = (await gateway.get(f"/projects/{project['id']}/datasets"))["datasets"]
        shown = await gateway.get(f"/datasets/{dataset['id']}/entries?status=all&per_page=200")
        assert shown["total"] == len(entries) > 5
        assert {each["id"] for each in shown["entries"]} == {each["entry_id"] for each in entries}
        jobs = (await gateway.get("/jobs"))["jobs"]
        assert {each["status"] for each in jobs} == {"completed"}
        log_shown = (await gateway.get("/events?limit=1000"))["events"]
        assert Counter(each["type"] for each in log_shown) == kinds
