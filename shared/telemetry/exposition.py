"""Shows a service's metrics in the text form of Prometheus. Alone imports its client, when somebody first looks."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from shared.telemetry.metrics import METRICS, Metric, Sample, Sampler, samplers

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

PATIENCE = 2.0
"""Seconds that looking something up may take; what takes longer is left out of this answer."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def exposed(service: str) -> bytes:
    """All metrics of this process, each with the label ``service``, and those of the process itself."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    found = await asyncio.gather(*(_asked(sampler) for sampler in samplers()))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(service, [sample for each in found for sample in each]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


async def _asked(sampler: Sampler) -> Sequence[Sample]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await sampler()
    except TimeoutError:
        return ()


class _Collector:
    """What Prometheus' client asks for the families of one answer."""

    def __init__(self, service: str, samples: Iterable[Sample]) -> None:
        self._service = service
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._samples[sample.metric.name].append(sample)

    def collect(self) -> Iterator["Family"]:
        for metric in METRICS:
            family = self._family(metric)
            if family.samples:
                yield family

    def _family(self, metric: Metric) -> "Family":
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        names = ("service", *metric.labels)
        if metric.kind == "histogram":
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=names)
            for labels, series in list(metric.series.items()):
                counts = accumulate(series.counts)
                edges = (*(f"{edge:g}" for edge in metric.buckets), "+Inf")
                buckets = [(edge, float(count)) for edge, count in zip(edges, counts, strict=True)]
                histogram.add_metric((self._service, *labels), buckets, series.total)
            return histogram
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = kind(metric.name, metric.help, labels=names)
        for labels, value in list(metric.values.items()):
            family.add_metric((self._service, *labels), value)
        for sample in self._samples[metric.name]:
            family.add_metric((self._service, *sample.labels), sample.value)
        return family
