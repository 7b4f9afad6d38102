"""Metrics: counted in a dictionary, bounded in number, shown as Prometheus reads them."""

import asyncio
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families

from shared.telemetry import exposition, metrics
from shared.telemetry.metrics import MOST_SERIES, Metric, Sample, sampled


async def shown(service: str = "test") -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = (await exposition.exposed(service)).decode()
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_a_metric_holds_no_more_series_than_it_may() -> None:
    metric = Metric("x_total", "counter", "", ("model",))
    for n in range(3 * MOST_SERIES):
        metric.add(f"model {n}")
    assert len(metric.values) <= MOST_SERIES + 1
    assert sum(metric.values.values()) == 3 * MOST_SERIES
    histogram = Metric("x", "histogram", "", ("model",), (1.0,))
    for n in range(3 * MOST_SERIES):
        histogram.observe(1.0, f"model {n}")
    assert len(histogram.series) <= MOST_SERIES + 1


def test_names_are_ours_and_each_one_s_own() -> None:
    names = [metric.name for metric in metrics.METRICS]
    assert len(set(names)) == len(names) > 30
    for metric in metrics.METRICS:
        assert metric.name.startswith("gristmill_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert metric.help.endswith(".")


async def test_what_was_counted_is_shown_with_the_service_and_its_process() -> None:
    before = await shown()
    metrics.CALLS.add("openai/x", "ok")
    metrics.CALL_SECONDS.observe(0.1, "openai/shown")
    metrics.CALL_SECONDS.observe(0.3, "openai/shown")
    metrics.CALL_SECONDS.observe(1e9, "openai/shown")
    after = await shown()
    key = (("model", "openai/x"), ("outcome", "ok"), ("service", "test"))
    counted = after["gristmill_model_calls_total"][key]
    assert counted == before.get("gristmill_model_calls_total", {}).get(key, 0) + 1
    buckets = {
        dict(labels)["le"]: value
        for labels, value in after["gristmill_model_call_seconds_bucket"].items()
        if ("model", "openai/shown") in labels
    }
    assert (buckets["0.05"], buckets["0.1"], buckets["0.5"], buckets["+Inf"]) == (0, 1, 2, 3)
    assert after["process_resident_memory_bytes"][()] > 0
    assert not [name for name in after if name.startswith(("python_", "gc_"))]


async def test_what_can_be_looked_up_is_looked_up_when_asked_and_a_slow_one_is_left_out() -> None:
    async def quick() -> Sequence[Sample]:
        return [Sample(metrics.DEAD, 3.0)]

    async def stuck() -> Sequence[Sample]:
        await asyncio.Event().wait()
        return [Sample(metrics.LEADING, 1.0)]

    with sampled(quick), sampled(stuck):
        found = await shown()
    assert found["gristmill_dead_letters"] == {(("service", "test"),): 3.0}
    assert "gristmill_ledger_leading" not in found
    assert "gristmill_dead_letters" not in await shown()
