"""Following a job until it ends. Asks the gateway, shows what it says, and changes nothing."""

import asyncio

from services.cli.answers import Job
from services.cli.client import Api
from services.cli.progress import View
from shared.clock import monotonic
from shared.errors import GristmillError

SOON, LATER = 0.2, 1.0
"""Seconds between two questions: at first, and when the job has run for a while."""


async def follow(api: Api, id: str, view: View) -> Job:
    """Show the job until it has ended; return it as it then is."""
    began = monotonic()
    while True:
        job = await api.job(id)
        now = monotonic()
        view.show(job, now)
        if job.ended:
            return job
        await asyncio.sleep(SOON if now - began < 60 else LATER)


def must_have_completed(job: Job) -> None:
    """Raise ``GristmillError`` with the job's own reason where it ended otherwise."""
    if job.status == "cancelled":
        raise GristmillError("cancelled", f"Job {job.job_id} was cancelled.")
    if job.status == "failed":
        raise GristmillError(job.error_code or "failed", job.error or f"Job {job.job_id} failed.")
