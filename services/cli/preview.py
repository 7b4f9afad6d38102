"""``gristmill generate --preview N``: a few chunks asked for real, shown with prompt, raw answer and verdict.

A preview is a job like any other, recorded and explained, whose plan ends after N seeds; nothing else is paid.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.cli import grinding
from services.cli.answers import Judged, Previewed, PreviewedSeed
from services.cli.chain import block, exchange_lines, verdict_lines
from services.cli.finding import found_or_run
from services.cli.following import must_have_completed
from services.cli.generate import WIDEST, Course, interrupted, name_of
from services.cli.grinding import Asked
from services.cli.layout import INDENT, columns, heading, page
from services.cli.sources import Source
from services.cli.stopping import INTERRUPTED, Stop
from services.cli.summary import sample
from services.cli.wording import plural


def preview(
    files: Sequence[Source],
    asked: Asked,
    chunks: int,
    *,
    project: str | None,
    url: str | None,
    data: Path,
) -> int:
    """Show what a dataset of the files would be like; return the exit code. Raise ``GristmillError``."""
    grinding.check_files(files)
    course, stderr, stdout = Course(), Console(stderr=True), Console()
    few = replace(asked, entries=None, preview=chunks)

    def report(line: str) -> None:
        stderr.print(line, markup=False, highlight=False, soft_wrap=True)

    async def work(stop: Stop) -> Previewed:
        async with found_or_run(url, data, report, stop) as place:
            course.place = place
            await place.api.check(few.body())
            into = await grinding.project_for(place.api, project, name_of(files))
            submission = await grinding.submit(place.api, files, few, into, report)
            course.job = submission.job.job_id
            report(f"job       {course.job}")
            job = await grinding.watch(place.api, course.job, stderr)
            documents = await grinding.documents_of(place.api, submission)
            grinding.report_unusable(grinding.unusable_of(submission, documents), report)
            must_have_completed(job)
            return await place.api.preview(job.dataset_id or submission.job.dataset_id or "")

    async def run() -> Previewed | None:
        stop = Stop(report)
        return await stop.guard(work(stop))

    shown = asyncio.run(run())
    if shown is None:
        report(interrupted(course, data))
        return INTERRUPTED
    stdout.print(page(preview_page(shown, min(stdout.width, WIDEST))), soft_wrap=True)
    return 0


def preview_page(shown: Previewed, width: int) -> Iterator[Text]:
    """Each chunk with its prompt, the raw answers, and every entry with its verdict; then what it took."""
    system = None
    for number, seed in enumerate(shown.seeds, 1):
        yield heading(f"Chunk {number} of {len(shown.seeds)}: {_place(seed)}")
        if seed.system != system or number == 1:
            yield from block("system message (the same for every chunk)", seed.system)
            system = seed.system
        yield from block("user message", seed.user)
        for exchange in seed.exchanges or []:
            yield from exchange_lines(exchange)
        if seed.code is not None:
            yield Text(f"{INDENT}no entries: {seed.message} [{seed.code}]", style="red")
        elif not seed.entries:
            yield Text(f"{INDENT}no entries: {seed.nothing_because or seed.status}")
        for judged in seed.entries:
            yield from _judged(judged, width)
        yield Text("")
    yield from _took(shown)


def _place(seed: PreviewedSeed) -> str:
    where = [seed.file_name or "(erased)"]
    where += [f"page {seed.page}"] if seed.page is not None else []
    where += [" > ".join(seed.heading_path)] if seed.heading_path else []
    return ", ".join([*where, f"characters {seed.start}-{seed.end}"])


def _judged(judged: Judged, width: int) -> Iterator[Text]:
    yield Text("")
    yield from sample(judged.entry, width)
    yield from verdict_lines(judged.verdict)


def _took(shown: Previewed) -> Iterator[Text]:
    def total(name: str) -> int:
        return sum(int(seed.usage.get(name, 0)) for seed in shown.seeds)

    kept = [judged.verdict.status for seed in shown.seeds for judged in seed.entries]
    yield heading("What it took")
    yield from columns(
        [
            ("model", shown.model),
            ("calls", f"{total('calls'):,}"),
            ("tokens", f"{total('prompt_tokens'):,} in, {total('completion_tokens'):,} out"),
            ("entries", f"{kept.count('accepted')} accepted of {len(kept)}"),
            ("whole plan", f"{plural(shown.useful, 'chunk')} of {shown.chunks:,}"),
        ]
    )
    yield Text("Nothing else was paid. The same command without --preview makes the dataset.")
