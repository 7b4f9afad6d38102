"""What jobs say of themselves (``gristmill status``, ``watch``) and what is asked of them (``cancel``, ``pause``,
``resume``, ``fork``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.cli.answers import Job, JobAsked, Overview
from services.cli.client import Api
from services.cli.finding import found
from services.cli.following import follow
from services.cli.layout import columns, heading, page
from services.cli.progress import view
from services.cli.stopping import INTERRUPTED, Stop
from services.cli.summary import spent
from services.cli.wording import duration, generated, seeds, size

NEWEST = 20


def status(job: str | None, url: str | None, data: Path) -> None:
    """Show one job, or the newest of them. Raise ``GristmillError`` where it is not known."""

    async def ask() -> Text:
        async with found(url, data) as api:
            if job is not None:
                return page(job_page(await api.job(job)))
            newest, whole = await api.jobs(NEWEST), await api.overview()
            return page([*overview_page(whole), *jobs_page(newest.jobs, newest.total)])

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
    _say(url, data, lambda api: api.cancel(job))


def pause(job: str, url: str | None, data: Path) -> None:
    """Start nothing more for a job until it is resumed. Raise ``GristmillError`` where that cannot be."""
    _say(url, data, lambda api: api.pause(job))


def resume(job: str, url: str | None, data: Path) -> None:
    """Let a paused job go on. Raise ``GristmillError`` where it is not paused."""
    _say(url, data, lambda api: api.resume(job))


def fork(job: str, at: str | None, name: str | None, url: str | None, data: Path) -> None:
    """Begin a job with what another has, now or at a position. Raise ``GristmillError`` where that cannot be."""

    async def ask() -> list[str]:
        async with found(url, data) as api:
            made = await api.fork(job, at, name)
            return [made.message, f"job      {made.job_id}", f"dataset  {made.dataset_id}"]

    for line in asyncio.run(ask()):
        Console().print(line, markup=False, highlight=False, soft_wrap=True)


def _say(url: str | None, data: Path, asked: Callable[[Api], Awaitable[JobAsked]]) -> None:
    async def ask() -> str:
        async with found(url, data) as api:
            return (await asked(api)).message

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


def overview_page(whole: Overview) -> Iterator[Text]:
    """How many jobs there are, how fast they go, who is behind, and what room is left."""
    queue, rates, lags, disk = whole.jobs, whole.rates, whole.lags, whole.disk
    states = [
        ("running", queue.running_jobs),
        ("waiting for something outside", queue.waiting_jobs),
        ("paused", queue.paused_jobs),
        ("pending", queue.pending_jobs),
        ("completed", queue.completed_jobs),
        ("failed", queue.failed_jobs),
        ("cancelled", queue.cancelled_jobs),
    ]
    told = ", ".join(f"{count:,} {state}" for state, count in states if count)
    flight = ", ".join(
        f"{each.service} {each.units:,} (oldest {duration(each.oldest_seconds)})"
        for each in whole.in_flight
    )
    workers = ", ".join(f"{name} {count}" for name, count in whole.jobs.workers.items())
    pace = (
        f"{rates.calls_per_minute:,} model calls, {rates.entries_per_minute:,} entries accepted, "
        f"{rates.events_per_second:,g} events/s"
    )
    behind = (
        f"views {lags.views_positions:,} events ({lags.views_seconds:.2f} s), "
        f"bus {lags.relay_positions:,} events, of {lags.position}"
    )
    room = (
        f"{size(disk.free_bytes)} free of {size(disk.total_bytes)}, "
        f"database {size(disk.database_bytes)}"
    )
    dead = f"{whole.dead_letters or 0:,}: gristmill dead list"
    yield heading("Overview")
    yield from columns(
        [
            ("jobs", told or "none yet"),
            ("workers", workers or "none was heard within 10 s"),
            ("last minute", pace),
            ("in flight", flight or "nothing"),
            ("behind", behind),
            ("disk", room),
            *([("dead letters", dead)] if whole.dead_letters else []),
        ]
    )


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
