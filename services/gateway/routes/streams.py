"""Live streams of jobs, as server-sent events. Each ends with its job, or in order when the gateway stops."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from services.gateway import looking, positions, sse
from services.gateway.deps import Here
from services.gateway.following import states
from services.gateway.sse import LastEventId

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("/status/{id}/stream", responses=sse.ANSWER)
@router.get("/{id}/stream", responses=sse.ANSWER)
async def stream_job(deps: Here, id: str, last_event_id: LastEventId = None) -> StreamingResponse:
    """The job's status at once and whenever it changes, each as one line of JSON; the stream ends when the job has.
    A slow listener is sent the newest state, not each of those between.
    """
    last = positions.parse_or_none(last_event_id or None, "Last-Event-ID")
    state = await looking.state_of(deps, id)
    deps.broadcasts.admit()

    async def blocks() -> AsyncIterator[bytes]:
        async with deps.broadcasts.of(state.job.job_id) as channel:
            async for block in states(channel, last):
                yield block

    return sse.stream(blocks())
