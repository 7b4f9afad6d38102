"""Server-sent events as an answer: what every stream of this API has in common. Knows nothing of what is streamed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import StreamingResponse

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was received: the stream goes on after it.",
    ),
]
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events; each id is a position of the log.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def stream(blocks: AsyncIterator[bytes]) -> StreamingResponse:
    """The blocks as they come. No proxy may keep or gather them."""
    return StreamingResponse(
        blocks,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
