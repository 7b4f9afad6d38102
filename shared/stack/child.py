"""One child process: started, watched, started again when it dies, stopped within a bound.

It knows nothing of what the child does; readiness is a question that the caller asks.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from shared.errors import GristmillError
from shared.stack.guard import Guard
from shared.telemetry.logs import plain

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY = 10.0
"""A child that lived this long, in seconds, starts again after the first pause."""
LOG_LIMIT = 4 * 1024 * 1024
"""Bytes of a log before it becomes ``<name>.log.1``."""
LOG_CHECK = 5.0
POLL = 0.01

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. Data only, so that tests can run something smaller."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    """None: the environment of this process."""
    owner: tuple[int, int] | None = None
    """User and group to run as; None: this process's own."""
    stop_with: Signals = Signals.SIGTERM
    stop_within: float = 5.0
    """Seconds until a stop becomes SIGKILL."""
    orphaned: Signals = Signals.SIGKILL
    """What the watchdog sends when this process is gone."""


class ChildEnded(GristmillError):
    """A child process ended while somebody waited for it to be ready."""

    def __init__(self, name: str, status: str, last_words: str, *, hung: bool) -> None:
        self.hung = hung
        """It still ran, but did not answer in time."""
        super().__init__(
            "child_ended", f"{name} {status} before it was ready. Its last words:\n{last_words}"
        )


def spoken(code: int) -> str:
    """A return code in words."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {Signals(-code).name}"
    return f"was ended by signal {-code}"


class Child:
    """A program that is kept running between ``keep`` and ``stop``."""

    def __init__(self, program: Program, logs: Path, guard: Guard) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self.starts = 0
        self._guard = guard
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise GristmillError("child_absent", f"{self.program.name} was not started.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def spawn(self) -> None:
        """Start the program once. Raise OSError where it cannot be run."""
        bound(self.log)
        file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        user, group = self.program.owner or (None, None)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self.program.env,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=None if group is None else [],
            )
        finally:
            os.close(file)
        self.starts += 1
        self._guard.add(self._process.pid, self.program.orphaned)

    async def ready(self, probe: Callable[[], Awaitable[bool]], within: float) -> None:
        """Wait until ``probe`` says yes. Raise ``ChildEnded`` when the child ends, or is not ready in time."""
        deadline = time.monotonic() + within
        while not await probe():
            if not self.alive or time.monotonic() > deadline:
                code = None if self._process is None else self._process.returncode
                status = f"did not answer for {within:g} s" if code is None else spoken(code)
                raise ChildEnded(self.program.name, status, self.last_words(), hung=code is None)
            await asyncio.sleep(POLL)

    def keep(self) -> None:
        """From now on, start the program again whenever it ends."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            status = await self._watch()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            log.warning("%s %s; it starts again in %.1f s", self.program.name, status, pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
                return
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await self.spawn()
            except OSError as error:
                log.warning("%s cannot be started: %s", self.program.name, error)

    async def _watch(self) -> str:
        """Wait for the end of the process, keeping its log within bounds; return how it ended."""
        process = self._process
        if process is None:
            return "was not started"
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOG_CHECK):
                    await process.wait()
            bound(self.log)
        self._clear(process.pid)
        return spoken(process.returncode)

    def _clear(self, group: int) -> None:
        """End what a dead child left behind in its group, such as a pool of processes that waits for ever."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        self._guard.forget(group)

    async def stop(self) -> None:
        """End the child: the polite signal first, SIGKILL after its bound. Safe to call twice."""
        self._stopping.set()
        await self._end()
        if self._keeper is not None:
            await self._keeper
            await self._end()  # the keeper may have been starting it again at that moment

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.program.stop_with)
            try:
                async with asyncio.timeout(self.program.stop_within):
                    await process.wait()
            except TimeoutError:
                log.warning("%s did not stop in time and is killed", self.program.name)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._clear(process.pid)

    def kill(self) -> None:
        """End the child and its group now; ``stop`` still has to be awaited."""
        self._stopping.set()
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def last_words(self, lines: int = 15) -> str:
        """The end of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 16_384))
                said = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return "(it said nothing)"
        return "\n".join(map(plain, said[-lines:])) or "(it said nothing)"


def bound(path: Path) -> None:
    """Move a log that has grown too long aside. Its writer appends, so it goes on at the new end."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            shutil.copy(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)
