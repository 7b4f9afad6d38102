"""Following a job until it ends. Listens to the gateway or asks it, shows what it says, and changes nothing."""

import asyncio
from contextlib import aclosing

from services.cli.answers import Job
from services.cli.client import Api
from services.cli.progress import View
from shared.clock import monotonic
from shared.errors import GristmillError

PAUSES = ((10.0, 0.2), (60.0, 0.5), (float("inf"), 1.0))
"""Seconds between two questions, by how long the job is followed already: a minute's are fewer than a locked gateway
allows.
"""


async def follow(api: Api, id: str, view: View) -> Job:
    """Show the job until it has ended; return it as it then is.

    Its stream is listened to, again after each break; where nothing comes of it (a proxy may keep it), it is asked.
    """
    began, streams = monotonic(), True
    while True:
        job = await api.job(id)
        view.show(job, monotonic())
        if job.ended:
            return job
        if streams:
            streams = False
            async with aclosing(api.states(id)) as states:
                async for job in states:
                    streams = True
                    view.show(job, monotonic())
                    if job.ended:
                        return job
        now = monotonic()
        await asyncio.sleep(next(pause for until, pause in PAUSES if now - began < until))


def must_have_completed(job: Job) -> None:
    """Raise ``GristmillError`` with the job's own reason where it ended otherwise."""
    if job.status == "cancelled":
        raise GristmillError("cancelled", f"Job {job.job_id} was cancelled.")
    if job.status == "failed":
        raise GristmillError(job.error_code or "failed", job.error or f"Job {job.job_id} failed.")
