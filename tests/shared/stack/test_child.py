"""A child process is kept running, its leftovers are cleared, its log stays bounded, and it stops when told."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shared.stack import Child, ChildEnded, Guard, Program
from shared.stack.child import LOG_LIMIT, bound, spoken
from shared.stack.watchdog import end

Until = Callable[..., Awaitable[None]]

WAITS = "import time; time.sleep(3600)"
IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(3600)"
)
HAS_A_CHILD = (
    "import subprocess, sys; print(subprocess.Popen(['sleep', '3600']).pid, flush=True); sys.stdin.close();"
    "import time; time.sleep(3600)"
)


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.close()


def python(code: str, **others: object) -> Program:
    return Program(name="program", argv=(sys.executable, "-c", code), **others)  # type: ignore[arg-type]


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_child_starts_again_and_its_own_child_is_cleared(
    tmp_path: Path, guard: Guard, until: Until
) -> None:
    child = Child(python(HAS_A_CHILD), tmp_path, guard)
    await child.spawn()
    child.keep()
    await until(lambda: child.log.read_text().count("\n") == 1)
    pid, orphan = child.pid, int(child.log.read_text())

    os.kill(pid, signal.SIGKILL)
    await until(lambda: child.pid != pid)
    await until(lambda: not runs(orphan))

    await until(lambda: child.log.read_text().count("\n") == 2)
    second = int(child.log.read_text().splitlines()[1])
    await child.stop()
    await until(lambda: not runs(second))
    assert not child.alive


async def test_a_child_that_keeps_dying_is_started_ever_more_slowly(
    tmp_path: Path, guard: Guard, until: Until
) -> None:
    child = Child(Program(name="program", argv=("false",)), tmp_path, guard)
    began = time.monotonic()
    await child.spawn()
    child.keep()
    await until(lambda: child.starts == 4)
    assert time.monotonic() - began > 0.2 + 0.4 + 0.8
    await child.stop()
    assert child.starts == 4


async def test_a_child_that_does_not_listen_is_killed_after_its_bound(
    tmp_path: Path, guard: Guard, until: Until
) -> None:
    child = Child(python(IGNORES, stop_within=0.1), tmp_path, guard)
    await child.spawn()
    child.keep()
    await until(lambda: "deaf" in child.log.read_text())
    pid = child.pid
    await child.stop()
    await child.stop()
    assert not runs(pid)


async def test_waiting_for_a_child_that_dies_tells_its_last_words(
    tmp_path: Path, guard: Guard
) -> None:
    async def never() -> bool:
        await asyncio.sleep(0)
        return False

    child = Child(python("raise SystemExit('no such luck')"), tmp_path, guard)
    await child.spawn()
    with pytest.raises(ChildEnded, match=r"ended with code 1.*\n.*no such luck") as ended:
        await child.ready(never, within=10)
    assert not ended.value.hung
    await child.stop()

    deaf = Child(python(WAITS), tmp_path, guard)
    await deaf.spawn()
    with pytest.raises(ChildEnded, match=r"did not answer for 0\.05 s") as hung:
        await deaf.ready(never, within=0.05)
    assert hung.value.hung
    await deaf.stop()


async def test_the_watchdog_ends_what_its_parent_leaves(
    tmp_path: Path, guard: Guard, until: Until
) -> None:
    polite, deaf, forgotten = (
        Child(python(code, orphaned=number), tmp_path, guard)
        for code, number in [
            (WAITS, signal.SIGTERM),
            (WAITS, signal.SIGKILL),
            (WAITS, signal.SIGKILL),
        ]
    )
    for child in (polite, deaf, forgotten):
        await child.spawn()
    guard.forget(forgotten.pid)

    guard.close()  # as the kernel does for a killed parent

    await until(lambda: not runs(polite.pid) and not runs(deaf.pid))
    assert runs(forgotten.pid)
    for child in (polite, deaf, forgotten):
        await child.stop()


async def test_whoever_ignores_the_watchdog_is_killed(
    tmp_path: Path, guard: Guard, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.stack.watchdog.PATIENCE", 0.1)
    child = Child(python(IGNORES), tmp_path, guard)
    await child.spawn()
    await until(lambda: "deaf" in child.log.read_text())
    await asyncio.to_thread(end, {child.pid: signal.SIGTERM, 2**22 + 1: signal.SIGTERM})
    await until(lambda: not runs(child.pid))
    await child.stop()


def test_a_log_that_grew_too_long_is_moved_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * (LOG_LIMIT + 1))
        bound(log)
        writer.write(b"after")
    bound(log)
    assert log.read_bytes() == b"after"
    assert (tmp_path / "program.log.1").stat().st_size == LOG_LIMIT + 1


def test_an_end_is_told_in_words() -> None:
    assert spoken(3) == "ended with code 3"
    assert spoken(-9) == "was ended by SIGKILL"
    assert spoken(-33) == "was ended by signal 33"
