"""No decision depends on a worker's clock: workers an hour ahead and an hour behind do as any other."""

import orjson
from nats.aio.msg import Msg

from contracts.entries import EntriesGenerated
from contracts.job import JobCompleted
from tests.services.ledger.mill import Mill
from tests.services.ledger.processes import process


async def test_workers_whose_clocks_are_wrong_by_an_hour_change_nothing(mill: Mill) -> None:
    await mill.ledger(deadline=8.0, leadership=3.0)
    mill.documents()
    mill.curation()
    async with (
        process(mill, "generate", "ahead", "tests.services.ledger.shifted", "3600"),
        process(mill, "generate", "behind", "tests.services.ledger.shifted", "-3600"),
    ):
        heard: set[str] = set()

        async def hear(beat: Msg) -> None:
            heard.add(orjson.loads(beat.data)["incarnation"])

        await mill.client.subscribe("gristmill.beat.generate", cb=hear)
        await mill.until(lambda: len(heard) == 2, within=30)
        job = await mill.generate_from(120, concurrency=16)
        assert await mill.ended(job, within=60) == [JobCompleted()]
    made = [each for each in await mill.log(job) if isinstance(each.event, EntriesGenerated)]
    assert len({each.cause_id for each in made}) == len(made) == 120
    outcomes = mill.outcomes("generate")
    assert {each.attempt for each in outcomes} == {1}
    assert len({each.incarnation for each in outcomes}) == 2
    log = await mill.log()
    times = [each.recorded_at for each in log]
    assert times == sorted(times)
    began = await mill.pool.fetchval("select min(applied_at) from ledger.schema_version")
    assert began < times[0] <= times[-1] < await mill.pool.fetchval("select clock_timestamp()")
