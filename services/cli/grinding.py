"""The main job as the terminal drives it: files in, a dataset out, over REST alone.

``generate`` and ``demo`` differ in where they look and in what they keep; what happens between is here.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from services.cli.answers import Document, Entry, Job, Project, Result, Submitted
from services.cli.client import Api
from services.cli.following import follow
from services.cli.progress import view
from services.cli.samples import spread
from services.cli.sources import Source, Web
from services.cli.summary import Saved, Unusable
from services.cli.wording import plural
from shared.errors import GristmillError, Refused

MOST_FILES = 1000
"""Documents that one job may name."""
TOGETHER = 20
"""Files of one upload."""
PAGE = 200
PAGES = 5
"""Pages of entries that samples are chosen from, spread over a large dataset."""
MOST_NAMES = 10_000

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the dataset must be; None: the gateway's default."""

    mode: str
    model: str | None = None
    entries: int | None = None
    context: str | None = None
    prompt: str | None = None
    concurrency: int | None = None
    per_chunk: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    format: str = "jsonl"
    chunking: dict[str, Any] | None = None
    preview: int | None = None
    reuse: bool = False

    def body(self) -> dict[str, Any]:
        """Of ``POST /datasets/generate``, without the project. One file is asked for, not one per batch."""
        said = {
            "generation_mode": self.mode,
            "model": self.model,
            "entries": self.entries,
            "context": self.context,
            "custom_prompt": self.prompt,
            "concurrency": self.concurrency,
            "datasets_per_chunk": self.per_chunk,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "chunking": self.chunking,
            "preview": self.preview,
            "reuse_answers": self.reuse or None,
            "format_type": self.format,
            "batch_size": 0,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Submission:
    """A job that was accepted."""

    job: Submitted
    project: Project
    uploaded: tuple[str, ...]
    """Ids of its documents."""
    unusable: tuple[Unusable, ...]
    """Files that the gateway did not take."""


def check_files(files: Sequence[Source]) -> None:
    """Raise ``Refused`` for the first file that is not there, before anything is started."""
    for path in files:
        if isinstance(path, Web):
            continue
        if path.is_dir():
            raise Refused(
                "not_a_file",
                f"{path} is a folder: name its files, for example {path}/*",
                field="files",
            )
        if not path.exists():
            raise Refused("file_not_found", f"{path} does not exist.", field="files")
        if not path.is_file():
            # A pipe would be waited for, a device read without end.
            raise Refused("not_a_file", f"{path} is not an ordinary file.", field="files")
        try:
            path.open("rb").close()
        except OSError as problem:
            raise Refused(
                "file_unreadable", f"{path} cannot be read: {problem.strerror}.", field="files"
            ) from None
    if len(files) > MOST_FILES:
        raise Refused("too_many_files", f"One job takes at most {MOST_FILES} files.", field="files")


def prompt_of(path: Path) -> str:
    """The text of a prompt file. Raise ``Refused`` where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        why = problem.strerror
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    else:
        if text.strip():
            return text
        why = "it is empty"
    raise Refused("prompt_unreadable", f"{path} cannot be used as a prompt: {why}.", field="prompt")


async def project_for(api: Api, named: str | None, name: str) -> Project:
    """The project that takes the documents; None: a new one of that name, or of one like it."""
    return await (fresh_project(api, name) if named is None else project_of(api, named))


async def submit(
    api: Api, files: Sequence[Source], asked: Asked, project: Project, report: Report
) -> Submission:
    """Upload the files and ask for a dataset of them. Raise ``Refused`` where none of them can be used."""
    paths = [each for each in files if isinstance(each, Path)]
    documents, unusable = await _upload(api, project, paths)
    urls = list(dict.fromkeys(each.url for each in files if isinstance(each, Web)))
    for first in range(0, len(urls), TOGETHER):
        fetched, missed = await _fetch(api, project, urls[first : first + TOGETHER], report)
        documents += fetched
        unusable += missed
    report(f"uploaded  {plural(len(documents), 'document')} to project {project.name}")
    if not documents:
        report_unusable(unusable, report)
        raise Refused("no_usable_files", "None of the files can be used.", field="files")
    ids = tuple(dict.fromkeys(document.id for document in documents))
    body = {
        **asked.body(),
        "project_id": project.id,
        "dataset_name": project.name,
        "document_ids": list(ids),
    }
    return Submission(await api.generate(body), project, ids, tuple(unusable))


async def fresh_project(api: Api, name: str) -> Project:
    """A new project of this name; where the name is taken, the first free one of "name-2", "name-3", …"""
    for n in range(1, MOST_NAMES):
        try:
            return await api.make_project(name if n == 1 else f"{name}-{n}")
        except Refused as problem:
            if problem.code != "project_exists":
                raise
    raise GristmillError("project_exists", f"There are too many projects named {name}.")


async def project_of(api: Api, name: str) -> Project:
    """The project of this name, made where there is none."""
    try:
        return await api.make_project(name)
    except Refused as problem:
        project = await api.project_named(name) if problem.code == "project_exists" else None
        if project is None:
            raise
        return project


async def _upload(
    api: Api, project: Project, files: Sequence[Path]
) -> tuple[list[Document], list[Unusable]]:
    """The documents in the order of the files, and the files that were not taken."""
    documents: list[Document] = []
    unusable: list[Unusable] = []
    for first in range(0, len(files), TOGETHER):
        some = files[first : first + TOGETHER]
        try:
            documents += await api.upload(project.id, some)
        except Refused:
            # One of them is at fault, and all were refused for it: the others are good one by one.
            for path in some:
                try:
                    documents += await api.upload(project.id, [path])
                except Refused as problem:
                    unusable.append(Unusable(path.name, problem.code, problem.message))
    return documents, unusable


class _Said:
    """Tells each new step of a job in a line."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._step = ""

    def show(self, job: Job, now: float) -> None:  # noqa: ARG002 - the form of a view
        if job.current_step != self._step and not job.ended:
            self._step = job.current_step
            self._report(f"          {self._step}")


async def _fetch(
    api: Api, project: Project, urls: Sequence[str], report: Report
) -> tuple[list[Document], list[Unusable]]:
    """The documents that addresses became, and those that could not be had."""
    report(f"fetching  {plural(len(urls), 'address', 'addresses')}")
    try:
        asked = await api.fetch(project.id, urls)
    except Refused as problem:
        return [], [Unusable(url, problem.code, problem.message) for url in urls]
    job = await follow(api, asked.job_id, _Said(report))
    result = job.result or Result()
    ids = {each.document_id for each in result.documents}
    documents = [each for each in await api.documents(project.id) if each.id in ids]
    return documents, [Unusable("web", each.code, each.message) for each in result.failures]


async def watch(api: Api, id: str, console: Console) -> Job:
    """Show the job until its end, whichever it is."""
    with view(console) as shown:
        return await follow(api, id, shown)


async def documents_of(api: Api, submission: Submission) -> list[Document]:
    """What became of the documents of a job, in the order in which they were uploaded."""
    found = {document.id: document for document in await api.documents(submission.project.id)}
    return [found[id] for id in submission.uploaded if id in found]


def unusable_of(submission: Submission, documents: Sequence[Document]) -> list[Unusable]:
    """Files that the gateway did not take, and those that no parser could use."""
    rejected = [
        Unusable(document.file_name, document.code or "rejected", document.message or "")
        for document in documents
        if document.status == "rejected"
    ]
    return [*submission.unusable, *rejected]


def report_unusable(unusable: Sequence[Unusable], report: Report) -> None:
    """Say of each file why it is not used."""
    for file in unusable:
        report(f"not used  {file.sentence}")


def check_folder(folder: Path) -> None:
    """Raise ``GristmillError`` before anything is paid where files could not be written into a folder."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise GristmillError(
            "cannot_write", f"{folder} cannot be written: name another folder with --out."
        )


async def samples_of(api: Api, dataset: str) -> list[Entry]:
    """A few accepted entries, spread over documents and kinds."""
    first = await api.entries(dataset, per_page=PAGE)
    entries = list(first.entries)
    pages = max(1, -(-first.total // PAGE))
    for number in sorted({1 + n * (pages - 1) // (PAGES - 1) for n in range(1, PAGES)} - {1}):
        entries += (await api.entries(dataset, per_page=PAGE, page=number)).entries
    return spread(entries)


async def save(api: Api, dataset: str, format: str, entries: int, target: Path) -> Saved:
    """Download a dataset in a format. Raise ``GristmillError`` where it cannot be written."""
    path = f"/api/v1/datasets/{dataset}/download?format={format}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Saved(target, entries, await api.download(path, target))
    except OSError as problem:
        raise GristmillError(
            "cannot_write", f"{target} cannot be written: {problem.strerror}."
        ) from None
