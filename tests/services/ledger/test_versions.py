"""Two versions of a worker side by side, as in a rolling deploy: no job notices."""

import orjson
from nats.aio.msg import Msg

from contracts.job import JobCompleted
from tests.services.ledger.mill import Mill
from tests.services.ledger.processes import process

MODULE = "tests.services.ledger.versions"


async def test_an_older_and_a_newer_worker_do_a_job_together(mill: Mill) -> None:
    await mill.ledger(deadline=8.0, leadership=3.0)
    mill.documents()
    mill.curation()
    heard: set[str] = set()

    async def hear(beat: Msg) -> None:
        heard.add(orjson.loads(beat.data)["incarnation"])

    await mill.client.subscribe("gristmill.beat.generate", cb=hear)
    async with (
        process(mill, "generate", "older", MODULE, "older"),
        process(mill, "generate", "newer", MODULE, "newer"),
    ):
        await mill.until(lambda: len(heard) == 2, within=30)
        job = await mill.generate_from(80, concurrency=16)
        assert await mill.ended(job, within=60) == [JobCompleted()]
    counts = (await mill.state(job))["counts"]
    assert counts["seeds"] == counts["done"] == counts["accepted"] == 80
    assert counts["failed"] == 0
    assert await mill.in_stream("DEAD") == 0
