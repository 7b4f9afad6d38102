"""What a ledger looks up for an operator, on real servers."""

from services.ledger import sampling
from shared.telemetry import metrics
from shared.telemetry.metrics import Metric, Sample
from shared.telemetry.traces import context_from
from tests.services.ledger.mill import Mill


def value(samples: list[Sample], metric: Metric, *labels: str) -> float:
    [found] = [each.value for each in samples if (each.metric, each.labels) == (metric, labels)]
    return found


async def looked_up(mill: Mill) -> list[Sample]:
    return list(await sampling.sample(mill.pool, mill.client, mill.settings("ledger")))


async def test_work_that_nobody_does_shows_in_its_queue_and_its_age(mill: Mill) -> None:
    await mill.ledger()
    project = await mill.project()
    document = await mill.document(project, "3")
    await mill.process(project, document)
    await mill.until(lambda: mill.envelopes("gristmill.commands.ingest"))
    await mill.client.publish("gristmill.dead.ingest", b"nobody can use this")
    await mill.client.flush()
    found = await looked_up(mill)

    assert value(found, metrics.LEADING) == 1
    assert value(found, metrics.PENDING, "COMMANDS", "ingest") == 1
    assert value(found, metrics.UNACKED, "COMMANDS", "ingest") == 0
    assert value(found, metrics.STREAM_OLDEST, "COMMANDS") > 0
    assert value(found, metrics.STREAM_OLDEST, "REQUESTS") == 0
    assert value(found, metrics.IN_FLIGHT, "ingest") == 1
    assert value(found, metrics.IN_FLIGHT_OLDEST, "ingest") > 0
    assert value(found, metrics.JOBS_OPEN, "processing") == 1
    assert value(found, metrics.DEAD) == 1
    await mill.until(lambda: _relayed(mill))

    mill.documents()
    await mill.until(lambda: _drained(mill))


async def _relayed(mill: Mill) -> bool:
    found = await looked_up(mill)
    return value(found, metrics.RELAY_POSITIONS) == 0 == value(found, metrics.RELAY_COMMANDS)


async def _drained(mill: Mill) -> bool:
    found = await looked_up(mill)
    busy = [each for each in found if each.metric is metrics.IN_FLIGHT]
    return not busy and value(found, metrics.STREAM_OLDEST, "COMMANDS") == 0


async def test_a_job_without_a_trace_has_its_id_as_trace_on_all_that_follows(mill: Mill) -> None:
    await mill.ledger()
    mill.documents()
    mill.generation()
    name = await mill.generate_from(2)
    await mill.ended(name)
    traces = {
        context.trace_id
        for each in await mill.log(name)
        if (context := context_from(each.traceparent)) is not None
    }
    assert traces == {name.int}
    assert None not in {each.traceparent for each in await mill.log(name)}
    said = mill.envelopes("gristmill.results.generate")
    assert {context_from(each.headers["traceparent"]) for each in said} != {None}
