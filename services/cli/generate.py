"""``gristmill generate`` from its first file to its summary; ``demo`` runs the same with an order of its own.

The edge: signals, terminal, files. What the job does is the gateway's business.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from services.cli import grinding
from services.cli.answers import Calls, Dataset, Entry, Job
from services.cli.client import Api
from services.cli.finding import Place, found_or_run
from services.cli.following import must_have_completed
from services.cli.grinding import Asked, Report, Submission
from services.cli.names import file_extension, fresh_path, program, quoted, slug
from services.cli.sources import Source
from services.cli.stopping import INTERRUPTED, Stop
from services.cli.summary import Made, Saved, summary
from services.cli.wording import plural
from shared.clock import monotonic

WIDEST = 110
"""Columns of a summary, however wide the terminal is."""

Commands = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be ground, where, and what is kept of it outside the data folder."""

    files: Sequence[Source]
    asked: Asked
    url: str | None
    data: Path
    project: str | None
    """Takes the documents, also where it is there already; None: a new one named after ``name``."""
    name: str
    out: Callable[[str], Path]
    """The folder for the files of a dataset, by its name."""
    formats: Sequence[str]
    following: Callable[[Dataset, Sequence[Entry], Place], Commands]
    """What can be done next."""


@dataclass(slots=True)
class Course:
    """How far a command has come, for what is said when it is interrupted."""

    place: Place | None = None
    job: str | None = None


def generate(
    files: Sequence[Source],
    asked: Asked,
    *,
    project: str | None,
    out: Path | None,
    url: str | None,
    data: Path,
) -> int:
    """Grind files; return the exit code. Raise ``GristmillError`` where no dataset is made."""
    order = Order(
        files=files,
        asked=asked,
        url=url,
        data=data,
        project=project,
        name=name_of(files),
        out=lambda name: out or Path("gristmill-out") / slug(name),
        formats=(asked.format,),
        following=lambda dataset, samples, place: _following(dataset, samples, place, data),
    )
    return carry_out(order)


def name_of(files: Sequence[Source]) -> str:
    """What a dataset is called that nobody named."""
    more = f"-and-{len(files) - 1}-more" if len(files) > 1 else ""
    return slug(files[0].stem) + more


def carry_out(order: Order) -> int:
    """Grind an order and show its summary; return the exit code. Raise as ``generate``."""
    began, course = monotonic(), Course()
    grinding.check_files(order.files)
    grinding.check_folder(order.out(order.name))
    stderr = Console(stderr=True)

    def report(line: str) -> None:
        stderr.print(line, markup=False, highlight=False, soft_wrap=True)

    async def run() -> Made | None:
        stop = Stop(report)
        return await stop.guard(_work(order, stop, stderr, report, course))

    made = asyncio.run(run())
    if made is None:
        report(interrupted(course, order.data))
        return INTERRUPTED
    stdout = Console()
    page = summary(replace(made, seconds=monotonic() - began), min(stdout.width, WIDEST))
    stdout.print()
    stdout.print(page, soft_wrap=True)
    return 0


async def _work(order: Order, stop: Stop, stderr: Console, report: Report, course: Course) -> Made:
    async with found_or_run(order.url, order.data, report, stop) as place:
        course.place = place
        api = place.api
        await api.check(order.asked.body())
        project = await grinding.project_for(api, order.project, order.name)
        submission = await grinding.submit(api, order.files, order.asked, project, report)
        course.job = submission.job.job_id
        report(f"job       {course.job}")
        job = await grinding.watch(api, course.job, stderr)
        return await _gather(api, order, submission, job, place, report)


async def _gather(
    api: Api, order: Order, submission: Submission, job: Job, place: Place, report: Report
) -> Made:
    """All that the summary tells, and the files. Raise ``GristmillError`` where the job did not complete."""
    documents = await grinding.documents_of(api, submission)
    unusable = grinding.unusable_of(submission, documents)
    dataset = await api.dataset(job.dataset_id or submission.job.dataset_id or "")
    if job.status != "completed":
        grinding.report_unusable(unusable, report)
        if dataset.counts.accepted:
            kept = plural(dataset.counts.accepted, "accepted entry")
            report(f"kept      {kept} in dataset {dataset.id}")
        must_have_completed(job)
    samples = await grinding.samples_of(api, dataset.id)
    return Made(
        dataset=dataset,
        calls=job.result.calls if job.result else Calls(),
        missing=job.result.missing if job.result and dataset.wanted is not None else None,
        documents=documents,
        unusable=unusable,
        samples=samples,
        saved=[await _save(api, order, dataset, format) for format in order.formats],
        seconds=0.0,
        following=order.following(dataset, samples, place),
    )


async def _save(api: Api, order: Order, dataset: Dataset, format: str) -> Saved:
    written = next((f.file_path for f in dataset.batch_files if f.format == format), format)
    target = fresh_path(
        order.out(dataset.name), slug(dataset.name), file_extension(format, written)
    )
    return await grinding.save(api, dataset.id, format, dataset.counts.accepted, target)


def interrupted(course: Course, data: Path) -> str:
    """What becomes of a job whose command was stopped."""
    if course.job is None or course.place is None:
        return "Stopped before the job began."
    if course.place.embedded:
        return (
            f"Job {course.job} is kept in {data} and goes on at the next "
            f"`{program()} up --data {quoted(data)}`."
        )
    url = course.place.api.url
    return (
        f"Job {course.job} goes on at {url}: `{program()} watch {course.job} --url {url}` shows it, "
        f"`{program()} cancel {course.job} --url {url}` ends it."
    )


def _following(
    dataset: Dataset, samples: Sequence[Entry], place: Place, data: Path
) -> list[tuple[str, str]]:
    call, commands = program(), list[tuple[str, str]]()
    there = f"--data {quoted(data)}" if place.embedded else f"--url {place.api.url}"
    meanwhile = "in another terminal: " if place.embedded else ""
    if place.embedded:
        commands.append(("open this data again, until Ctrl-C", f"{call} up {there}"))
    if samples:
        chain = f"{call} show {samples[0].id} {there}"
        commands.append((f"{meanwhile}how the first of these entries came to be", chain))
    if dataset.counts.rejected:
        rejected = f"{call} entries {dataset.id} --rejected {there}"
        commands.append((f"{meanwhile}what was rejected, and why", rejected))
    return commands
