"""`gristmill demo` as a newcomer runs it: a process of its own, real servers, real files, nothing left behind."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.e2e.columns import read_parquet

Until = Callable[..., Awaitable[None]]

GRISTMILL = Path(sys.executable).with_name("gristmill")
DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
PATIENCE = 240


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str
    folder: Path
    mark: str
    """Stands in the environment of every process that it started."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Short and open to others: as root, the embedded Postgres runs as somebody else, who must get through.
    made = Path(tempfile.mkdtemp(prefix="gm-demo-"))
    made.chmod(0o711)
    for name in ("tea.txt", "lighthouses.html"):
        shutil.copy(DOCUMENTS / name, made / name)
    (made / "old.dot").write_bytes(b"\xd0\xcf\x11\xe0")
    yield made
    shutil.rmtree(made)


def environment(mark: str) -> dict[str, str]:
    return {**os.environ, "GRISTMILL_TEST_MARK": mark, "COLUMNS": "100"}


def left_of(mark: str) -> list[str]:
    """Command lines of processes that still run with this mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("GRISTMILL_TEST_MARK") == mark:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def run(folder: Path, mark: str, *words: str) -> Ran:
    done = subprocess.run(
        [GRISTMILL, *words],
        cwd=folder,
        env=environment(mark),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr, folder, mark)


@pytest.fixture(scope="module")
def demo(folder: Path) -> Ran:
    """One run over two good files and one that cannot be used."""
    return run(folder, f"{folder.name}-1", "demo", "tea.txt", "lighthouses.html", "old.dot")


def test_it_ends_well_and_leaves_nothing_running(demo: Ran) -> None:
    assert demo.code == 0, demo.err
    assert left_of(demo.mark) == []
    assert "Traceback" not in demo.out + demo.err


def test_its_summary_explains_what_was_made(demo: Ran) -> None:
    assert "builtin/extractive: rules, no language model" in demo.out
    assert "Asked for all that the chunks yield, got " in demo.out
    assert re.search(r"\d+ of \d+ content sentences used", demo.out)
    assert "old.dot: the old .dot format cannot be read" in demo.out
    assert "[legacy_format]" in demo.out
    assert demo.out.count("evidence  “") >= 5
    for name in ("tea.txt, ", "lighthouses.html, "):
        assert f"source    {name}" in demo.out


def test_its_equations_hold(demo: Ran) -> None:
    seeds = re.search(
        r"(\d+)  seeds planned +\= (\d+) done \+ (\d+) failed \+ (\d+) in flight \+ (\d+) not needed",
        demo.out,
    )
    entries = re.search(
        r"(\d+)  entries generated \= (\d+) accepted \+ (\d+) rejected \+ (\d+) surplus \+ (\d+) awaiting",
        re.sub(r" +=", " =", demo.out),
    )
    for found in (seeds, entries):
        assert found is not None
        whole, *parts = map(int, found.groups())
        assert whole == sum(parts)
        assert whole > 0


def test_its_files_hold_the_same_entries_with_their_source(demo: Ran) -> None:
    lines = (demo.folder / ".demo/out/demo.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    accepted = re.search(r"(\d+) accepted \+", demo.out)
    assert accepted is not None
    assert len(rows) == int(accepted[1]) > 5
    table = read_parquet(demo.folder / ".demo/out/demo.parquet")
    assert table.num_rows == len(rows)
    text = (demo.folder / "tea.txt").read_text()
    about_tea = [row for row in rows if row["metadata"]["document_name"] == "tea.txt"]
    quotes = [quote["quote"] for row in about_tea for quote in row["evidence"]]
    assert quotes
    assert all(quote in text for quote in quotes)


@pytest.fixture
async def reopened(demo: Ran, until: Until) -> AsyncIterator[tuple[Ran, str]]:
    """The printed `up`, run as printed but on a port that is free now; yields its URL."""
    command = next(line for line in demo.out.splitlines() if " up --data " in line)
    words = [*shlex.split(command.partition(" --port")[0]), "--port", "0"]
    said = demo.folder / "up.txt"
    with said.open("w") as file:
        up = subprocess.Popen(
            words, cwd=demo.folder, env=environment(demo.mark), stdout=file, stderr=file
        )
    try:
        await until(lambda: "ready" in said.read_text(), within=30.0)
        yield demo, said.read_text().split()[-1]
    finally:
        up.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(up.wait, 30) == 0


async def test_the_printed_commands_reopen_this_very_data(reopened: tuple[Ran, str]) -> None:
    demo, url = reopened
    page = next(line for line in demo.out.splitlines() if "curl -s '" in line)
    path = page.partition("/api/v1")[2].rstrip("'")
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1{path}") as answer:
        assert answer.status == 200
        entries = (await answer.json())["entries"]
    assert len(entries) == 5
    show = next(line for line in demo.out.splitlines() if " show " in line)
    done = await asyncio.to_thread(run, demo.folder, demo.mark, *shlex.split(show)[1:])
    assert done.code == 0, done.err
    assert "1. The file" in done.out
    assert "⟦" in done.out
    again = await asyncio.to_thread(run, demo.folder, demo.mark, "demo", "tea.txt")
    assert again.code == 0, again.err
    assert (demo.folder / ".demo/out/demo-2.jsonl").exists(), "a second demo leaves the first alone"


def test_an_interrupted_run_stops_clean_and_says_where_the_job_is(folder: Path) -> None:
    mark = f"{folder.name}-3"
    process = subprocess.Popen(
        [GRISTMILL, "generate", "lighthouses.html", "--entries", "5000", "--data", "kept"],
        cwd=folder,
        env=environment(mark),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith("job "):
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said + rest
    assert re.search(
        r"Job [0-9a-f-]{36} is kept in kept and goes on at the next `.*up --data kept`", rest
    )
    assert out == ""
    assert left_of(mark) == []
