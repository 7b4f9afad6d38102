"""Child processes that parse: reused, limited, replaced, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from services.ingest.parsers import Unreadable, parse
from services.ingest.pool import ParserPool

GIGABYTE = 1024**3


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    made = ParserPool()
    yield made
    await made.close()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


async def started(before: set[int]) -> int:
    """The child that came into being, waited for by looking."""
    while not (new := children() - before):  # noqa: ASYNC110 - the process table has no event
        await asyncio.sleep(0.005)
    return new.pop()


async def test_a_child_gives_what_the_parser_gives_and_serves_the_next_document_too(
    pool: ParserPool, documents: Path
) -> None:
    before = children()
    path = documents / "panama-canal.pdf"

    first = await pool.parse(path, path.name)
    pids = children() - before
    second = await pool.parse((documents / "tea.txt").read_bytes(), "tea.txt")

    assert first == parse(path.name, path.read_bytes())
    assert second.structure.title == "Tea"
    assert children() - before == pids
    assert len(pids) == 1


async def test_a_refusal_keeps_its_code_and_its_child(
    pool: ParserPool, bad_files: ModuleType
) -> None:
    before = children()
    with pytest.raises(Unreadable) as caught:
        await pool.parse(bad_files.locked_pdf(), "a.pdf")
    pids = children() - before
    await pool.parse(b"Some prose.", "a.txt")

    assert caught.value.code == "encrypted_file"
    assert children() - before == pids


async def test_a_document_that_needs_too_much_memory_is_refused_and_the_next_one_is_read(
    bad_files: ModuleType,
) -> None:
    pool = ParserPool(memory=GIGABYTE // 5)
    with pytest.raises(Unreadable) as caught:
        await pool.parse(bad_files.heavy_word(20), "a.docx")
    after = await pool.parse(b"Some prose.", "a.txt")
    await pool.close()

    assert caught.value.code == "parse_memory"
    assert after.text == "Some prose."


async def test_a_document_that_takes_too_long_is_stopped_and_leaves_no_process(
    bad_files: ModuleType,
) -> None:
    before = children()
    pool = ParserPool(seconds=0.2, memory=4 * GIGABYTE)
    with pytest.raises(Unreadable) as caught:
        await pool.parse(bad_files.heavy_word(), "a.docx")

    assert caught.value.code == "parse_timeout"
    assert children() == before
    await pool.close()


async def test_a_crash_is_a_refusal_and_the_next_document_is_read(
    pool: ParserPool, bad_files: ModuleType
) -> None:
    before = children()
    parsing = asyncio.create_task(pool.parse(bad_files.heavy_word(), "a.docx"))
    os.kill(await started(before), signal.SIGSEGV)

    with pytest.raises(Unreadable) as caught:
        await parsing

    assert caught.value.code == "parse_crashed"
    assert (await pool.parse(b"Some prose.", "a.txt")).text == "Some prose."


async def test_a_child_that_died_while_idle_is_replaced_unnoticed(pool: ParserPool) -> None:
    before = children()
    await pool.parse(b"Some prose.", "a.txt")
    (pid,) = children() - before
    os.kill(pid, signal.SIGKILL)
    while psutil.pid_exists(pid):  # noqa: ASYNC110 - the process table has no event
        await asyncio.sleep(0.005)

    assert (await pool.parse(b"More prose.", "a.txt")).text == "More prose."


async def test_cancelling_stops_the_child(pool: ParserPool, bad_files: ModuleType) -> None:
    before = children()
    parsing = asyncio.create_task(pool.parse(bad_files.heavy_word(), "a.docx"))
    await started(before)
    parsing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await parsing

    assert children() == before
    assert (await pool.parse(b"Some prose.", "a.txt")).text == "Some prose."


async def test_a_child_is_renewed_after_its_share_of_documents() -> None:
    before = children()
    pool = ParserPool(documents_per_child=1)
    await pool.parse(b"Some prose.", "a.txt")
    first = children() - before
    await pool.parse(b"Some prose.", "a.txt")
    second = children() - before
    await pool.close()

    assert len(first) == len(second) == 1
    assert first != second
    assert children() == before


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    pool: ParserPool, tmp_path: Path
) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(100 * 1024**2 + 1)

    with pytest.raises(Unreadable) as caught:
        await pool.parse(path, "large.txt")

    assert caught.value.code == "too_large"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_child_dies_with_its_parent() -> None:
    program = (
        "import asyncio, psutil, os, signal\n"
        "from services.ingest.pool import ParserPool\n"
        "async def main():\n"
        "    await ParserPool().parse(b'Some prose.', 'a.txt')\n"
        "    print(psutil.Process().children()[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout)

    _, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)

    assert not alive


def test_the_parent_loads_no_parser() -> None:
    program = (
        "import sys, services.ingest.pool\n"
        "heavy = {'kreuzberg', 'lingua', 'pypdfium2', 'charset_normalizer', 'xml.etree.ElementTree'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)

    assert done.stdout.strip() == b"[]"
