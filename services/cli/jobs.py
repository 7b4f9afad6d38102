"""``gristmill status``, ``watch`` and ``cancel``: what jobs say of themselves, and one request to them."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.cli.answers import Job
from services.cli.finding import found
from services.cli.following import follow
from services.cli.layout import columns, heading, page
from services.cli.progress import view
from services.cli.stopping import INTERRUPTED, Stop
from services.cli.summary import spent
from services.cli.wording import duration, generated, seeds

NEWEST = 20


def status(job: str | None, url: str | None, data: Path) -> None:
    """Show one job, or the newest of them. Raise ``GristmillError`` where it is not known."""

    async def ask() -> Text:
        async with found(url, data) as api:
            if job is not None:
                return page(job_page(await api.job(job)))
            answer = await api.jobs(NEWEST)
            return page(jobs_page(answer.jobs, answer.total))

    Console().print(asyncio.run(ask()), soft_wrap=True)


def watch(job: str, url: str | None, data: Path) -> int:
    """Show a job until it ends; 0 where it completed. Ctrl-C ends the watching, never the job."""
    stderr = Console(stderr=True)

    async def ask() -> Job:
        async with found(url, data) as api:
            with view(stderr) as shown:
                return await follow(api, job, shown)

    async def run() -> Job | None:
        return await Stop(lambda _: None).guard(ask())

    ended = asyncio.run(run())
    if ended is None:
        stderr.print("No longer watching; the job goes on.", markup=False)
        return INTERRUPTED
    Console().print(page(job_page(ended)), soft_wrap=True)
    return 0 if ended.status == "completed" else 1


def cancel(job: str, url: str | None, data: Path) -> None:
    """Start nothing more for a job. Raise ``GristmillError`` where it is not known or has ended."""

    async def ask() -> str:
        async with found(url, data) as api:
            return (await api.cancel(job)).message

    Console().print(asyncio.run(ask()), markup=False, highlight=False, soft_wrap=True)


def job_page(job: Job) -> Iterator[Text]:
    """What there is to say of a job, as far as it has come."""
    yield heading(f"{job.job_type.replace('_', ' ')} {job.job_id}: {job.status}")
    rows = [("step", job.current_step)] if not job.ended else []
    if not job.ended:
        rows.append(("progress", f"{job.progress} %"))
    if job.error:
        rows.append(("reason", f"{job.error} [{job.error_code}]"))
    if job.completed_at is not None:
        rows.append(("took", duration((job.completed_at - job.created_at).total_seconds())))
    result = job.result
    if result is not None and result.counts is not None:
        counts = result.counts
        rows += [
            ("seeds", f"{counts.seeds:,} = {seeds(counts)}"),
            ("entries", f"{counts.generated:,} = {generated(counts)}"),
            ("calls", spent(result.calls)),
        ]
        if result.wanted is not None:
            rows.append(("wanted", f"{result.wanted:,} accepted entries"))
    if job.dataset_id is not None:
        rows.append(("dataset", job.dataset_id))
    for document in result.documents if result else []:
        why = f": {document.message} [{document.code}]" if document.code else ""
        rows.append(("document", f"{document.file_name} {document.status}{why}"))
    for file in result.batch_files if result else []:
        rows.append(("file", f"{file.file_path}, {file.entries_count:,} entries"))
    yield from columns(rows)


def jobs_page(jobs: Sequence[Job], total: int) -> Iterator[Text]:
    """The newest jobs, one a line."""
    if not jobs:
        yield Text("No jobs yet: `gristmill generate FILE` makes one.")
        return
    yield heading(f"{len(jobs)} of {total:,} jobs, newest first")
    yield from columns(
        [
            (
                job.job_id,
                f"{job.created_at:%Y-%m-%d %H:%M:%S}",
                job.job_type,
                job.status,
                f"{job.error} [{job.error_code}]" if job.error else job.current_step,
            )
            for job in jobs
        ]
    )
