"""The recorded log for other systems: each event once, in order, as a CloudEvent, by pages or as a live stream."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from contracts import EVENTS
from contracts.message import Event, Recorded, wire_type
from services.gateway import following, positions, sse
from services.gateway.deps import Deps, Here
from services.gateway.shapes import Events
from services.gateway.sse import LastEventId
from shared.errors import Refused, Unavailable
from shared.store import Position

router = APIRouter(prefix="/events", tags=["events"])

PAGE = 500
PAUSE = 0.1
"""Seconds between two looks at the log for one listener."""

After = Annotated[
    str | None,
    Query(description="Only what follows this position; none: from the beginning.", max_length=64),
]
Types = Annotated[
    str | None,
    Query(alias="type", description="Wire types, separated by commas.", max_length=4000),
]
Stream = Annotated[UUID | None, Query(description="Only this stream: a job, dataset, document …")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader of the log wants."""

    after: Position
    types: tuple[str, ...]
    stream: UUID | None


@router.get("", response_model=Events)
async def list_events(
    deps: Here,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    types: Types = None,
    stream: Stream = None,
) -> Response:
    """Up to ``limit`` events in the order of the log. Read on from ``next``, which moves also where the filter lets
    nothing through; when it equals ``head``, all was read. No text of a source or a model is in it.
    """
    asked = await _asked(deps, after, types, stream, "after")
    page = await deps.store.log.page(asked.after.n, limit, asked.types, asked.stream)
    shown = {
        "events": [cloud_event(each, page.head.era) for each in page.events],
        "next": str(page.next),
        "head": str(page.head),
    }
    return Response(orjson.dumps(shown), media_type="application/json")


@router.get("/stream", responses=sse.ANSWER)
async def stream_events(
    deps: Here,
    after: After = None,
    types: Types = None,
    stream: Stream = None,
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """The log as it grows: each event once, in order, after ``Last-Event-ID`` or else ``after``. A block with an id
    and no data says how far the log was gone through where the filter let nothing through.
    """
    field = "after" if last_event_id is None else "Last-Event-ID"
    asked = await _asked(deps, last_event_id or after, types, stream, field)
    deps.broadcasts.admit()
    return sse.stream(_blocks(deps, asked))


async def _blocks(deps: Deps, asked: Asked) -> AsyncIterator[bytes]:
    """Ends when the gateway stops, or when the log is restored to an older point: then what comes is no sequel."""
    at = asked.after
    with deps.broadcasts.listener():
        while not deps.broadcasts.closed:
            seen = deps.reached.position
            try:
                page = await deps.store.log.page(at.n, PAGE, asked.types, asked.stream)
            except Unavailable:
                yield b": the store is away\n\n"
                await asyncio.sleep(following.RETRY)
                continue
            if page.head.era != at.era:
                return
            events = [cloud_event(each, at.era) for each in page.events]
            blocks = [_block(event) for event in events]
            if str(page.next) != (events[-1]["position"] if events else str(at)):
                blocks.append(b"id: %s\n\n" % str(page.next).encode())
            if blocks:
                yield b"".join(blocks)
            at = page.next
            if at.n < page.head.n:
                continue
            await asyncio.sleep(PAUSE)
            if deps.reached.position == seen and not deps.broadcasts.closed:
                await deps.reached.next(following.HEARTBEAT)
                if deps.reached.position == seen:
                    yield b": still there\n\n"


def _block(event: dict[str, Any]) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (event["position"].encode(), orjson.dumps(event))


async def _asked(
    deps: Deps, after: str | None, types: str | None, stream: UUID | None, field: str
) -> Asked:
    """Raise ``Refused`` for a position that is none, or not of this log, and for a type that does not exist."""
    names = tuple(name.strip() for name in (types or "").split(",") if name.strip())
    for name in names:
        if name not in EVENTS:
            raise Refused(
                "unknown_event_type", f"type: {name[:100]} is not recorded here.", field="type"
            )
    head = await deps.store.log.head()
    if after is None:
        return Asked(Position(head.era, 0), names, stream)
    position = positions.parse(after, field)
    if position.era < head.era:
        position = positions.still_held(position, await deps.store.log.eras(), field)
        position = Position(head.era, position.n)
    if position.era > head.era or position.n > head.n:
        raise Refused("invalid_position", f"{field}: the log has not come to {after}.", field=field)
    return Asked(position, names, stream)


def cloud_event(recorded: Recorded[Event], era: int) -> dict[str, Any]:
    """An event in the JSON format of CloudEvents 1.0. ``position`` counts in the log's era of today."""
    optional = {
        "jobid": str(recorded.job_id) if recorded.job_id else None,
        "causeid": str(recorded.cause_id) if recorded.cause_id else None,
        "traceparent": recorded.traceparent,
    }
    return {
        "specversion": "1.0",
        "id": str(recorded.id),
        "source": "ledger",
        "type": wire_type(type(recorded.event)),
        "subject": str(recorded.stream),
        "time": recorded.recorded_at.isoformat(),
        "datacontenttype": "application/json",
        "tenant": recorded.tenant,
        "position": f"{era}.{recorded.position.partition('.')[2]}",
        "version": recorded.version,
        "data": recorded.event.model_dump(mode="json"),
        **{name: value for name, value in optional.items() if value is not None},
    }
