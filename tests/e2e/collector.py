"""An OTLP/HTTP collector that keeps what it is sent, for tests of traces."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Seen:
    """A span as it arrived. Ids are hexadecimal; a root's parent is empty."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, str]
    seconds: float
    failed: bool


@dataclass
class Collector:
    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        said = ExportTraceServiceRequest.FromString(await request.read())
        for resource in said.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [
                seen(named["service.name"], span)
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        return web.Response()

    def trace_of(self, job: str) -> list[Seen]:
        """The spans that share their trace with those that name this job."""
        traces = {span.trace for span in self.spans if span.attributes.get("job") == job}
        return [span for span in self.spans if span.trace in traces]


def seen(service: str, span: Span) -> Seen:
    return Seen(
        service=service.removeprefix("gristmill-"),
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.span_id.hex() for link in span.links),
        attributes={
            each.key: each.value.string_value or str(each.value.int_value)
            for each in span.attributes
        },
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )


async def all_sent(collector: Collector, job: str, services: set[str], outside: str) -> list[Seen]:
    """A job's spans, once all its services have sent theirs and only ``outside`` is missing above them.

    Each process sends within a second; a span may come before the one that it stands below.
    """
    async with asyncio.timeout(30):
        while True:
            spans = collector.trace_of(job)
            orphans = {span.parent for span in spans} - {span.id for span in spans}
            if orphans == {outside} and {span.service for span in spans} == services:
                return spans
            await asyncio.sleep(0.05)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """On a free port of loopback."""
    collector = Collector()
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(host, port)] = [address[:2] for address in runner.addresses]
    collector.url = f"http://{host}:{port}"
    try:
        yield collector
    finally:
        await runner.cleanup()
