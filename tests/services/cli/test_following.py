"""Following a job: by its stream, again where that breaks, and by asking where there is none."""

from typing import Any

from aiohttp import web

from services.cli.answers import Job
from services.cli.client import connected
from services.cli.following import follow
from tests.services.cli.test_client import serving


class Seen:
    """A view that remembers."""

    def __init__(self) -> None:
        self.progress: list[int] = []

    def show(self, job: Job, now: float) -> None:
        self.progress.append(job.progress)


class Telling:
    """A gateway with one job, which answers polls and streams in turn; a stream breaks after what it was given."""

    def __init__(self, polls: list[int], streams: list[list[int] | None]) -> None:
        self.polls = polls
        self.streams = streams

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.json_response({"message": "Gristmill API"})
        if not request.path.endswith("/stream"):
            return web.json_response(job(self.polls.pop(0)))
        states = self.streams.pop(0)
        if states is None:
            return web.json_response({"detail": "away", "code": "away"}, status=503)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for state in states:
            said = web.json_response(job(state)).text
            await response.write(f": still there\n\nid: 1.{state}\ndata: {said}\n\n".encode())
        return response


def job(progress: int) -> dict[str, Any]:
    return {
        "job_id": "j",
        "job_type": "dataset_generation",
        "status": "completed" if progress == 100 else "running",
        "progress": progress,
        "current_step": "x" * 300_000,
        "result": None,
        "error": None,
        "error_code": None,
        "project_id": None,
        "dataset_id": None,
        "created_at": "2026-01-21T14:30:00Z",
    }


async def followed(polls: list[int], streams: list[list[int] | None]) -> list[int]:
    seen, telling = Seen(), Telling(polls, streams)
    async with serving(telling.handle) as url, connected(url) as api:
        ended = await follow(api, "j", seen)
    assert ended.ended
    assert (telling.polls, telling.streams) == ([], [])
    return seen.progress


async def test_a_job_is_followed_by_its_stream() -> None:
    """Also where a state is longer than a line that the library reads."""
    assert await followed([10], [[20, 30, 100]]) == [10, 20, 30, 100]


async def test_a_stream_that_breaks_is_asked_for_again() -> None:
    assert await followed([10, 30], [[20], [40, 100]]) == [10, 20, 30, 40, 100]


async def test_a_job_without_a_stream_is_asked_how_it_is() -> None:
    assert await followed([10, 20, 100], [None]) == [10, 20, 100]
